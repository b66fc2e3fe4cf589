/** What an execute request may ask beside running code, and what a cell may ask of the client. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing } from '../../needs.js'
import { Client, outputs, printed, result } from './bridge.js'

describe.skipIf(missing('python'))('an execute request', () => {
  let client: Client
  beforeAll(async () => {
    client = await Client.start()
    await client.execute("const host = (globalThis as Record<symbol, any>)[Symbol.for('shardbook.host')]")
  })
  afterAll(() => client.close())

  test('evaluates user expressions when the cell has ended well', async () => {
    const user_expressions = {
      twice: 'n * 2',
      shown: "({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': 'x' }) })",
      bad: 'nowhere.a',
      later: 'await Promise.resolve(5)',
    }
    const { reply } = await client.execute('const n = 21', { content: { user_expressions } })
    expect(reply?.content['user_expressions']).toMatchObject({
      twice: { status: 'ok', data: { 'text/plain': '42' }, metadata: {} },
      shown: { status: 'ok', data: { 'text/html': 'x' } },
      bad: { status: 'error', ename: 'ReferenceError', evalue: 'nowhere is not defined', traceback: expect.any(Array) },
      later: { status: 'ok', data: { 'text/plain': '5' } },
    })
    const failed = await client.execute('throw 1', { content: { user_expressions: { a: '1' } } })
    expect(failed.reply?.content['user_expressions']).toEqual({})
  })

  test('of a name with a question mark shows help in the pager', async () => {
    await client.execute('/** Adds one. */\nfunction increment(n: number): number {\n  return n + 1\n}')
    const brief = await client.execute('increment?')
    const [page] = brief.reply!.content['payload'] as { source: string; data: Record<string, string> }[]
    expect(page).toMatchObject({ source: 'page', start: 0 })
    expect(page!.data['text/markdown']).toContain('Adds one.')
    expect(page!.data['text/plain']).not.toContain('return n + 1')
    const long = await client.execute('??increment')
    const [source] = long.reply!.content['payload'] as { data: Record<string, string> }[]
    expect(source!.data['text/plain']).toContain('  return n + 1\n}')
    const unknown = await client.execute('nowhere?')
    expect(unknown.reply?.content).toMatchObject({ status: 'ok', payload: [] })
    expect(printed(unknown, 'stderr')).toContain('nowhere')
  })

  test('inspects with its source at detail level 1', async () => {
    const ask = async (detail_level: number): Promise<string> => {
      const { reply } = await client.ask('inspect_request', { code: 'increment(1)', cursor_pos: 3, detail_level })
      return JSON.stringify(reply?.content['data'])
    }
    expect(await ask(0)).not.toContain('return n + 1')
    expect(await ask(1)).toContain('return n + 1')
  })

  test('gets pages and the next input from the cell', async () => {
    const { reply } = await client.execute(
      "host.page({ 'text/plain': 'read me' })\nhost.setNextInput('1 + 1')\nhost.setNextInput('here', { replace: true })",
    )
    expect(reply?.content['payload']).toEqual([
      { source: 'page', data: { 'text/plain': 'read me' }, start: 0 },
      { source: 'set_next_input', text: '1 + 1', replace: false },
      { source: 'set_next_input', text: 'here', replace: true },
    ])
    expect((await client.execute('1')).reply?.content['payload']).toEqual([])
  })

  test('clears its output', async () => {
    const cleared = await client.execute(
      "console.log('a')\nhost.clearOutput({ wait: true })\nconsole.log('b')\nhost.clearOutput()",
    )
    expect(outputs(cleared).map(({ type, content }) => [type, content['text'] ?? content['wait']])).toEqual([
      ['stream', 'a\n'],
      ['clear_output', true],
      ['stream', 'b\n'],
      ['clear_output', false],
    ])
  })

  test('asks for two lines at once and gets each answer where it belongs', async () => {
    const code =
      "const [one, two] = await Promise.all([host.prompt('one'), host.prompt('two', { password: true })])\nconst both = one + two"
    const answer = await client.execute(code, { answers: ['1', '2'] })
    expect(answer.questions.map(({ content }) => content)).toEqual([
      { prompt: 'one', password: false },
      { prompt: 'two', password: true },
    ])
    expect(String(result(await client.execute('both')))).toMatch(/^'(12|21)'$/)
  })

  test('without stop_on_error lets the cells behind it run', async () => {
    const codes = ['throw new Error("on")', '1', '2']
    expect(await client.command({ do: 'queue', codes, stop: false })).toEqual(['error', 'ok', 'ok'])
  })

  test('is remembered by the next kernel, with its result', async () => {
    await client.execute('"remember " + "me"')
    const ask = async (content: Record<string, unknown>): Promise<unknown[][]> =>
      (await client.ask('history_request', { raw: true, output: true, ...content })).reply?.content[
        'history'
      ] as unknown[][]
    const [[session, line] = []] = await ask({ hist_access_type: 'tail', n: 1 })
    await client.command({ do: 'restart' })
    expect(await ask({ hist_access_type: 'search', pattern: '*remember*' })).toEqual([
      [session, line, ['"remember " + "me"', "'remember me'"]],
    ])
    expect(await ask({ hist_access_type: 'range', session: -1, start: Number(line) })).toHaveLength(1)
    await client.execute('"unseen"', { content: { store_history: false } })
    await client.execute('"stored"')
    expect(await ask({ hist_access_type: 'tail', n: 1 })).toEqual([[Number(session) + 1, 1, ['"stored"', "'stored'"]]])
    const folder = join(client.folder, 'cache', 'history')
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o600, 0o600])
  })
})
