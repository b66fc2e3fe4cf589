/** The built kernel without a client, as `shardbook run` drives it. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Headless, HeadlessMessage } from '../../../kernel/front/headless.js'

const path = resolve('dist/kernel/front/headless.js')
const folder = mkdtempSync(join(tmpdir(), 'shardbook-headless-'))
const hostCode = "const host = (globalThis as Record<symbol, any>)[Symbol.for('shardbook.host')]\n"
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a headless run', () => {
  let kernel: Headless
  let messages: HeadlessMessage[]
  const run = async (cell: number, code: string): Promise<Awaited<ReturnType<Headless['execute']>>> => {
    messages.length = 0
    return kernel.execute(cell, code)
  }
  beforeAll(async () => {
    messages = []
    const { startHeadless } = (await import(path)) as typeof import('../../../kernel/front/headless.js')
    kernel = await startHeadless({
      cwd: folder,
      env: { ONLY_HERE: 'yes' },
      onMessage: (message) => messages.push(message),
    })
  })
  afterAll(() => kernel.close())

  test('gives outputs to the cell that made them', async () => {
    const reply = await run(
      7,
      'console.log(process.env.ONLY_HERE, process.cwd() === ' + JSON.stringify(folder) + '); 5',
    )
    expect(reply).toEqual({ status: 'ok', executionCount: 1 })
    expect(messages).toEqual([
      { type: 'stream', cell: 7, content: { name: 'stdout', text: 'yes true\n' } },
      { type: 'execute_result', cell: 7, content: { execution_count: 1, data: { 'text/plain': '5' }, metadata: {} } },
    ])
  })
  test('tells an error once, and goes on', async () => {
    const reply = await run(1, 'throw new TypeError("no")')
    expect(reply).toMatchObject({ status: 'error', error: { ename: 'TypeError', evalue: 'no' } })
    expect(messages.map(({ type }) => type)).toEqual(['error'])
    expect((await run(2, '1')).status).toBe('ok')
  })
  test('waits for open work, and gets what it shows to the last', async () => {
    await run(
      3,
      `${hostCode}let go = () => {}
      host.publish({ 'text/plain': '0' }, { id: 'chart' })
      host.track('training', (async () => {
        await new Promise<void>((resolve) => (go = resolve))
        for (let i = 1; i <= 3; i++) { await new Promise((r) => setTimeout(r, 60)); host.update('chart', { 'text/plain': String(i) }) }
      })())`,
    )
    expect(kernel.openWork()).toEqual(['training'])
    expect(await kernel.settled(1)).toBe(false)
    await run(4, 'go()')
    expect(await kernel.settled(60_000)).toBe(true)
    expect(kernel.openWork()).toEqual([])
    expect(messages.at(-1)).toMatchObject({
      type: 'update_display_data',
      cell: 3,
      content: { data: { 'text/plain': '3' } },
    })
  })
  test('a prompt fails: nobody is there', async () => {
    const reply = await run(4, "await host.prompt('name?')")
    expect(reply.error?.evalue).toContain('prompt: expected an answer, got none')
  })
  test('an interrupt calls listeners and ends the cell; a second one ends a cell that does not give up', async () => {
    await run(5, 'let calls = 0; host.onInterrupt(() => calls++)')
    const ended = run(
      6,
      "console.log('begun'); for (;;) { try { await new Promise(() => {}) } catch { calls += 10; console.log('caught') } }",
    )
    for (const said of ['begun', 'caught']) {
      await expect.poll(() => messages.map(({ content }) => content['text']).join('')).toContain(said)
      void kernel.interrupt()
    }
    expect((await ended).error?.ename).toBe('KeyboardInterrupt')
    await run(7, 'calls')
    expect(messages[0]?.content['data']).toEqual({ 'text/plain': '12' })
  })
  test('an interrupt stops the check of a cell, too', async () => {
    const checking = run(8, 'console.log("ran")')
    await kernel.interrupt()
    expect((await checking).error?.ename).toBe('KeyboardInterrupt')
    expect(messages.map(({ type }) => type)).toEqual(['error'])
    expect((await run(9, '1')).status).toBe('ok')
  })
  test('open work of a session that died is not waited for', async () => {
    await run(10, `${hostCode}host.track('lost', new Promise(() => {}))`)
    expect((await run(11, 'process.exit(0)')).error?.ename).toBe('SessionEnded')
    expect(kernel.openWork()).toEqual([])
  })
})

test('when the process of the front is killed, session and language server end', async () => {
  const code = `const { startHeadless } = await import(${JSON.stringify(path)})
    const kernel = await startHeadless({ cwd: process.cwd(), onMessage: () => {} })
    await kernel.execute(0, '1')
    console.log('ready')
    await kernel.execute(1, 'while (true) {}')`
  const front = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await new Promise((done) => front.stdout.once('data', done))
    const children = readFileSync(`/proc/${front.pid}/task/${front.pid}/children`, 'utf8').trim().split(' ')
    expect(children.length).toBeGreaterThanOrEqual(2)
    front.kill('SIGKILL')
    await expect.poll(() => children.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([])
  } finally {
    front.kill('SIGKILL')
  }
})
