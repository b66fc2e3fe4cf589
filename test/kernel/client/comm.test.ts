/** Comms through jupyter_client: both sides open, send bytes, and close; outputs belong to the message that caused them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing } from '../../needs.js'
import { Client, outputs, printed, result } from './bridge.js'

const host = "const host = (globalThis as Record<symbol, any>)[Symbol.for('shardbook.host')]\n"

describe.skipIf(missing('python'))('comms', () => {
  let client: Client
  beforeAll(async () => {
    client = await Client.start()
    await client.execute(host)
  })
  afterAll(() => client.close())

  test('are opened by a cell, with metadata and bytes', async () => {
    const opened = await client.execute(
      "const comm = host.openComm('colours', { a: 1 }, { metadata: { version: '2' }, buffers: [new Uint8Array([1, 2, 3])] })",
    )
    const [message] = outputs(opened)
    expect(message).toMatchObject({
      type: 'comm_open',
      content: { target_name: 'colours', data: { a: 1 }, comm_id: expect.any(String) },
      metadata: { version: '2' },
      buffers: ['AQID'],
    })
    const id = String(message!.content['comm_id'])
    expect(result(await client.execute('comm.id'))).toBe(`'${id}'`)
    const list = async (content = {}): Promise<unknown> =>
      (await client.ask('comm_info_request', content)).reply?.content['comms']
    expect(await list()).toEqual({ [id]: { target_name: 'colours' } })
    expect(await list({ target_name: 'others' })).toEqual({})

    await client.execute(
      'comm.onMessage((m: any) => { console.log(m.data.n, m.buffers[0]); comm.send({ twice: m.data.n * 2 }, { buffers: m.buffers }) })',
    )
    const told = await client.ask('comm_msg', { comm_id: id, data: { n: 21 } }, { buffers: ['BAUG'] })
    expect(told.strangers).toEqual([])
    expect(printed(told, 'stdout')).toMatch(/^21 .*04 05 06/)
    expect(outputs(told).find(({ type }) => type === 'comm_msg')).toMatchObject({
      content: { comm_id: id, data: { twice: 42 } },
      buffers: ['BAUG'],
    })
    expect(told.iopub.map(({ content }) => content['execution_state']).filter(Boolean)).toEqual(['busy', 'idle'])

    await client.execute("comm.onClose(() => console.log('closed'))")
    expect(printed(await client.ask('comm_close', { comm_id: id, data: {} }), 'stdout')).toBe('closed\n')
    expect(await list()).toEqual({})
  })

  test('are opened by the client for a registered target, and refused for another', async () => {
    await client.execute(
      "const off = host.registerTarget('echo', (comm: any, opened: any) => { comm.send(opened.data); comm.onMessage((m: any) => comm.send(m.data)) })",
    )
    const opened = await client.ask('comm_open', { comm_id: 'one', target_name: 'echo', data: { hello: 1 } })
    expect(outputs(opened)).toMatchObject([{ type: 'comm_msg', content: { comm_id: 'one', data: { hello: 1 } } }])
    const answer = await client.ask('comm_msg', { comm_id: 'one', data: { x: '😀' } })
    expect(outputs(answer)).toMatchObject([{ type: 'comm_msg', content: { comm_id: 'one', data: { x: '😀' } } }])
    const refused = await client.ask('comm_open', { comm_id: 'two', target_name: 'nobody', data: {} })
    expect(outputs(refused)).toMatchObject([{ type: 'comm_close', content: { comm_id: 'two' } }])
    expect(client.log()).toContain('no such target')
  })

  test('are served while a cell awaits, and their output is not the cell’s', async () => {
    await client.execute(
      "let free = () => {}\nhost.registerTarget('gate', (comm: any) => comm.onMessage((m: any) => { console.log('opened'); setTimeout(() => { console.log('later'); free() }, 5) }))",
    )
    await client.ask('comm_open', { comm_id: 'gate', target_name: 'gate', data: {} })
    const both = await client.command<{ cell: string[]; other: string[] }>({
      do: 'during',
      code: "console.log('waiting')\nawait new Promise<void>((resolve) => { free = resolve })\nconsole.log('through')",
      type: 'comm_msg',
      content: { comm_id: 'gate', data: {} },
    })
    expect(both.cell.join('')).toBe('waiting\nthrough\n')
    expect(both.other.join('')).toBe('opened\nlater\n')
  })

  test('a listener that throws is told and the comm lives on; one that spins can be interrupted', async () => {
    await client.execute(
      "host.registerTarget('bad', (comm: any) => comm.onMessage((m: any) => { if (m.data.spin) { console.log('begun'); while (true) {} } throw new Error('in the listener') }))",
    )
    await client.ask('comm_open', { comm_id: 'bad', target_name: 'bad', data: {} })
    const failed = await client.ask('comm_msg', { comm_id: 'bad', data: {} })
    expect(printed(failed, 'stderr')).toContain('in the listener')
    const spun = await client.ask('comm_msg', { comm_id: 'bad', data: { spin: true } }, { interruptAt: 'begun' })
    expect(printed(spun, 'stderr')).toContain('interrupted')
    expect(printed(await client.ask('comm_msg', { comm_id: 'bad', data: {} }), 'stderr')).toContain('in the listener')
  })

  test('live through the death of a session, whoever opened them', async () => {
    const opened = await client.execute("host.openComm('kept', { level: 5 })")
    const id = String(outputs(opened)[0]!.content['comm_id'])
    const died = await client.execute('process.exit(1)')
    expect(died.strangers.concat(died.iopub).map(({ type }) => type)).not.toContain('comm_close')
    const { reply } = await client.ask('comm_info_request', {})
    expect(reply?.content['comms']).toMatchObject({ one: { target_name: 'echo' }, [id]: { target_name: 'kept' } })

    const lost = await client.ask('comm_msg', { comm_id: id, data: 1 })
    expect(printed(lost, 'stderr')).toMatch(/session that this belonged to has ended. Run its cell again/)
    expect(printed(await client.ask('comm_msg', { comm_id: id, data: 2 }), 'stderr')).toBe('')

    await client.execute(
      `${host}for (const target of ['echo', 'kept'])
        host.registerTarget(target, (comm: any, opened: any) => comm.onMessage((m: any) => comm.send([opened.data, m.data])))`,
    )
    const first = await client.ask('comm_msg', { comm_id: 'one', data: { n: 2 } })
    expect(outputs(first)).toMatchObject([{ type: 'comm_msg', content: { data: [{ hello: 1 }, { n: 2 }] } }])
    const second = await client.ask('comm_msg', { comm_id: id, data: { n: 3 } })
    expect(outputs(second)).toMatchObject([{ type: 'comm_msg', content: { data: [{ level: 5 }, { n: 3 }] } }])
  })
})
