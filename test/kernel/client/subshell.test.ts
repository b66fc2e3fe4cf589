/** Subshells: requests that are handled while the main shell's cell awaits. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing } from '../../needs.js'
import { Client, printed, result } from './bridge.js'

describe.skipIf(missing('python'))('a subshell', () => {
  let client: Client
  beforeAll(async () => {
    client = await Client.start()
  })
  afterAll(() => client.close())

  const create = async (): Promise<string> => {
    const { reply } = await client.ask('create_subshell_request', {}, { channel: 'control' })
    expect(reply?.content).toEqual({ status: 'ok', subshell_id: expect.any(String) })
    return String(reply!.content['subshell_id'])
  }
  const list = async (): Promise<unknown> =>
    (await client.ask('list_subshell_request', {}, { channel: 'control' })).reply?.content['subshell_id']

  test('is announced, made, listed and deleted', async () => {
    const info = await client.ask('kernel_info_request')
    expect(info.reply?.content['supported_features']).toContain('kernel subshells')
    const id = await create()
    expect(await list()).toEqual([id])
    const remove = { subshell_id: id }
    expect((await client.ask('delete_subshell_request', remove, { channel: 'control' })).reply?.content).toEqual({
      status: 'ok',
    })
    expect(await list()).toEqual([])
    const again = await client.ask('delete_subshell_request', remove, { channel: 'control' })
    expect(again.reply?.content).toMatchObject({ status: 'error', ename: 'ShardbookError' })
    const lost = await client.execute('1', { header: { subshell_id: id } })
    expect(lost.reply?.content).toMatchObject({ status: 'error', ename: 'SubshellNotFound' })
    expect(lost.iopub.map(({ type }) => type)).toEqual(['status', 'status'])
  })

  test('runs a cell while one of the main shell awaits; each gets its own output, and names of both stay', async () => {
    const id = await create()
    await client.execute('let open = () => {}')
    const both = await client.command<{ cell: string[]; other: string[] }>({
      do: 'during',
      code: "console.log('first')\nawait new Promise<void>((resolve) => { open = resolve })\nconst fromMain = 1\nconsole.log('last')",
      type: 'execute_request',
      header: { subshell_id: id },
      content: { code: "const fromSub = 2\nconsole.log('sub')\nopen()", silent: false, store_history: true },
    })
    expect([both.cell.join(''), both.other.join('')]).toEqual(['first\nlast\n', 'sub\n'])
    expect(result(await client.execute('fromMain + fromSub'))).toBe('3')
  })

  test('takes a cell whose output comes later, beside a spinning timer', async () => {
    const id = await create()
    await client.execute(`let go: (() => void) | undefined
      const timer = setInterval(() => {
        if (go === undefined) return
        clearInterval(timer)
        console.log('from the main shell')
        go()
      }, 5)`)
    const slow = await client.execute(
      "console.log('a')\nawait new Promise<void>((resolve) => { go = resolve })\nconsole.log('b')",
      { header: { subshell_id: id } },
    )
    expect(printed(slow, 'stdout')).toBe('a\nb\n')
    expect(slow.strangers.map(({ content }) => content['text'])).toEqual(['from the main shell\n'])
  })

  test('is interrupted with the rest', async () => {
    const id = await create()
    const begun = { header: { subshell_id: id }, interruptAt: 'begun' }
    const spun = await client.execute("console.log('begun'); while (true) {}", begun)
    expect(spun.reply?.content['ename']).toBe('KeyboardInterrupt')
    const waited = await client.execute("console.log('begun'); await new Promise(() => {})", begun)
    expect(waited.reply?.content['ename']).toBe('KeyboardInterrupt')
  })
})
