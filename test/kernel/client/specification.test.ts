/**
 * Every message that the kernel sends is checked against the specification by the client (`message_spec.py`); here all
 * kinds are called up, and so much of them that queues and pipes fill.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing } from '../../needs.js'
import { Client, printed, result } from './bridge.js'

describe.skipIf(missing('python'))('by the message specification', () => {
  let client: Client
  beforeAll(async () => {
    client = await Client.start()
    await client.execute("const host = (globalThis as Record<symbol, any>)[Symbol.for('shardbook.host')]")
  })
  afterAll(() => client.close())

  test('every kind of message is right', async () => {
    const control = { channel: 'control' } as const
    await client.ask('kernel_info_request')
    await client.ask('kernel_info_request', {}, control)
    const user_expressions = { good: '1', bad: 'nowhere' }
    await client.execute(
      "console.log('o'); console.error('e'); host.publish({ 'text/plain': 'a' }); host.publish({ 'text/html': 'b' }, { id: 'b' }); host.update('b', { 'text/html': 'c' }); host.clearOutput(); host.setNextInput('x'); 42",
      { content: { user_expressions } },
    )
    await client.execute('Math?')
    await client.execute('const wrong: string = 1')
    await client.execute('throw null')
    await client.execute("await host.prompt('?')", { answers: ['!'] })
    await client.execute("await host.prompt('?')", { content: { allow_stdin: false } })
    await client.command({ do: 'queue', codes: ['throw 1', '2'] })
    for (const cursor_pos of [0, 4, 7, 999]) {
      for (const type of ['complete_request', 'inspect_request'])
        await client.ask(type, { code: 'Math.ab', cursor_pos })
    }
    for (const code of ['1', 'f(', 'a b', '']) await client.ask('is_complete_request', { code })
    for (const hist_access_type of ['tail', 'range', 'search']) {
      for (const output of [true, false]) {
        await client.ask('history_request', { hist_access_type, output, raw: true, n: 3, pattern: '*', session: 0 })
      }
    }
    await client.execute("const comm = host.openComm('x', { a: 1 }); comm.send(null); comm.send([1]); comm.close()")
    await client.ask('comm_info_request', {})
    await client.ask('interrupt_request', {}, control)
    const { reply } = await client.ask('create_subshell_request', {}, control)
    await client.ask('list_subshell_request', {}, control)
    await client.ask('delete_subshell_request', { subshell_id: reply!.content['subshell_id'] }, control)
    await client.ask('delete_subshell_request', {}, control)
    for (const command of ['debugInfo', 'attach', 'scopes', 'disconnect']) {
      await client.ask('debug_request', { type: 'request', seq: 1, command, arguments: {} }, control)
    }
    // Requests that lack everything get an answer too.
    for (const type of ['execute', 'complete', 'inspect', 'is_complete', 'history', 'comm_info', 'debug']) {
      const { reply: bare, iopub } = await client.ask(`${type}_request`, {}, type === 'debug' ? control : {})
      expect(bare?.type).toBe(`${type}_reply`)
      expect(iopub.at(-1)?.content).toEqual({ execution_state: 'idle' })
    }
    const { wrong, unseen } = await client.command<{ wrong: string[]; unseen: string[] }>({ do: 'specification' })
    expect(wrong).toEqual([])
    // It is sent on the control channel when everything is over, and jupyter_client does not read it.
    expect(unseen).toEqual(['shutdown_reply'])
  })

  test('10,000 requests at once are answered in order, each once busy and once idle', async () => {
    const content = { code: 'f(1', cursor_pos: 2 }
    const flood = await client.command({ do: 'flood', type: 'is_complete_request', content, times: 10_000 })
    expect(flood).toEqual({ inOrder: true, replies: 10_000, framed: 10_000 })
    expect(result(await client.execute('1 + 1'))).toBe('2')
  })

  test('cells queued by the hundred run in order', async () => {
    await client.execute('let ran = 0')
    const content = { code: 'ran++', silent: false, store_history: false, allow_stdin: false, stop_on_error: true }
    const flood = await client.command({ do: 'flood', type: 'execute_request', content, times: 300 })
    expect(flood).toEqual({ inOrder: true, replies: 300, framed: 300 })
    expect(result(await client.execute('ran'))).toBe('300')
  })

  test('50 MB arrive whole, as text and as bytes', async () => {
    const big = "host.publish({ 'text/plain': 'x'.repeat(50_000_000) })"
    expect(await client.command({ do: 'count', code: big })).toEqual({ printed: 0, largest: 50_000_000, status: 'ok' })
    const buffer = "const wide = host.openComm('wide', {}, { buffers: [new Uint8Array(50_000_000)] }); wide.close()"
    expect(await client.command({ do: 'count', code: buffer })).toEqual({
      printed: 0,
      largest: 50_000_000,
      status: 'ok',
    })
  })

  test.each([
    ['key', 0, 'bad signature'],
    ['frames', 0, 'too few parts'],
    ['delimiter', 0, 'without a delimiter'],
    ['empty', 0, 'without a delimiter'],
    ['json', 0, 'not JSON objects'],
    ['types', 0, 'lacks msg_id, session or msg_type'],
    ['utf8', 0, 'not JSON objects'],
    ['unknown', 0, 'no answer to a message of type "no_such_request"'],
    ['replay', 1, 'came before'],
  ])('gets no answer to forged messages: %s', async (how, replies, logged) => {
    expect(await client.command({ do: 'forge', how })).toEqual({ replies })
    expect(client.log()).toContain(logged)
  })

  test('counts cursors in code points', async () => {
    const astral = '𝒳😀🇨🇭'
    await client.execute(`const after = { '${astral}': 1, width: 2 }`)
    const code = `/* ${astral} */ after.wi /* ${astral} */`
    const before = Array.from(`/* ${astral} */ after.wi`).length
    const completed = await client.ask('complete_request', { code, cursor_pos: before })
    expect(completed.reply?.content).toMatchObject({ matches: ['width'], cursor_start: before - 2, cursor_end: before })
    const inspected = await client.ask('inspect_request', { code, cursor_pos: before - 4, detail_level: 0 })
    expect(JSON.stringify(inspected.reply?.content['data'])).toContain('width: number')
    expect(printed(await client.execute(`console.log('${astral}'.length)`), 'stdout')).toBe('8\n')
  })

  test('the connection file stays the owner’s only', async () => {
    expect(await client.command({ do: 'connection' })).toEqual({ mode: 0o600 })
  })
})
