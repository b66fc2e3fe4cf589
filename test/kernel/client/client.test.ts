/** The kernel through jupyter_client, as JupyterLab and nbclient drive it. */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing } from '../../needs.js'
import { Client, outputs, printed, result } from './bridge.js'

describe.skipIf(missing('python'))('a Jupyter client', () => {
  let client: Client
  beforeAll(async () => {
    // A small heap is full soon.
    client = await Client.start({ NODE_OPTIONS: '--max-old-space-size=128' })
  })
  afterAll(async () => {
    await client.close()
  })

  test('learns who answers', async () => {
    const { reply, iopub } = await client.ask('kernel_info_request')
    expect(reply?.content).toMatchObject({
      status: 'ok',
      protocol_version: '5.5',
      implementation: 'shardbook',
      language_info: { name: 'typescript', file_extension: '.ts', mimetype: 'text/typescript' },
    })
    expect(reply?.version).toBe('5.5')
    expect(iopub.map(({ content }) => content['execution_state'])).toEqual(['busy', 'idle'])
    await expect.poll(() => client.command({ do: 'heartbeat' })).toEqual({ beats: true })
  })

  test('gets result, reply and frame of a cell in order', async () => {
    const answer = await client.execute('const a: number = 40\nconsole.log("one")\na + 2')
    expect(answer.iopub.map(({ type }) => type)).toEqual([
      'status',
      'execute_input',
      'stream',
      'execute_result',
      'status',
    ])
    expect(answer.reply).toMatchObject({
      type: 'execute_reply',
      content: { status: 'ok', payload: [], user_expressions: {} },
    })
    expect(result(answer)).toBe('42')
    expect(answer.strangers).toEqual([])
  })

  test('counts cells, and not the silent ones', async () => {
    const count = async (content: Record<string, unknown>): Promise<number> =>
      Number((await client.execute('1', { content })).reply?.content['execution_count'])
    const first = await count({})
    const silent = await client.execute('console.log("x"); 1', { content: { silent: true, store_history: false } })
    expect(silent.iopub.map(({ type }) => type)).toEqual(['status', 'stream', 'status'])
    expect(await count({})).toBe(first + 1)
  })

  test('sees a type error before anything has run', async () => {
    const answer = await client.execute('console.log("ran")\nconst n: number = "text"')
    expect(printed(answer, 'stdout')).toBe('')
    expect(answer.reply?.content).toMatchObject({ status: 'error', ename: 'TypeScriptError' })
    const error = outputs(answer)[0]!.content
    expect(error['evalue']).toMatch(/^Cell\[\d+\]:2:7 - TS2322: Type 'string' is not assignable to type 'number'\.$/)
    expect(String(error['traceback'])).toContain('const n: number = "text"')
  })

  test('sees errors on the lines of the cell, from an earlier cell too', async () => {
    const first = await client.execute(
      'interface Z {\n  a: 1\n}\nfunction boom(n: number) {\n  throw new RangeError(`bad ${n}`)\n}\nboom(3)',
    )
    const number = Number(first.reply?.content['execution_count'])
    expect(first.reply?.content).toMatchObject({ status: 'error', ename: 'RangeError', evalue: 'bad 3' })
    const text = String(first.reply?.content['traceback'])
    expect(text).toContain(`at boom (Cell[${number}]:5:9)`)
    expect(text).toContain(`at Cell[${number}]:7:1`)
    expect(text).not.toMatch(/node:internal|dist\/kernel/)
    const second = await client.execute('boom(4)')
    expect(String(second.reply?.content['traceback'])).toContain(`at boom (Cell[${number}]:5:9)`)
  })

  test('sees the line of the cell that awaited what failed elsewhere', async () => {
    const answer = await client.execute(
      "import { readFile } from 'node:fs/promises'\nconst read = async () => readFile('nowhere')\n\nawait read()",
    )
    expect(answer.reply?.content['evalue']).toContain('ENOENT')
    expect(String(answer.reply?.content['traceback'])).toMatch(/at async Cell\[\d+\]:4:1/)
  })

  test("uses the package: the kernel's own copy, types and values, whatever the folder", async () => {
    const code = "import { display, ShardbookError } from 'shardbook'\nawait display('shown', { id: 'x' })"
    const answer = await client.execute(code)
    expect(outputs(answer).map(({ content }) => content['data'])).toEqual([{ 'text/plain': 'shown' }])
    const caught =
      "try { await Promise.reject(new ShardbookError('data', 'x')) } catch (e) { (e as ShardbookError).code }"
    expect((await client.execute(caught)).reply?.content['status']).toBe('ok')
    expect((await client.execute("new ShardbookError('nonsense', 'x')")).reply?.content['ename']).toBe(
      'TypeScriptError',
    )
  })

  test('sees where a trace was made', async () => {
    const answer = await client.execute("const trace = () => console.trace('here')\ntrace()")
    expect(printed(answer, 'stderr')).toMatch(/^Trace: here\n +at trace \(Cell\[\d+\]:1:\d+\)\n +at Cell\[\d+\]:2:1\n$/)
  })

  test('gets what native code and children print, by stream', async () => {
    const answer = await client.execute(
      "import { execSync } from 'node:child_process'\nimport { writeSync } from 'node:fs'\nconsole.error('e')\nwriteSync(1, 'fd\\n')\nexecSync('echo child', { stdio: 'inherit' })",
    )
    expect(printed(answer, 'stdout')).toContain('fd\n')
    expect(printed(answer, 'stdout')).toContain('child\n')
    expect(printed(answer, 'stderr')).toBe('e\n')
  })

  test('gets displays, updates and text in the order in which the cell made them', async () => {
    const answer = await client.execute(`
      const host = (globalThis as Record<symbol, any>)[Symbol.for('shardbook.host')]
      console.log('before')
      host.publish({ 'text/plain': 'shown' }, { id: 'it' })
      console.log('between')
      host.update('it', { 'text/plain': 'updated' })
      console.log('after')`)
    const seen = outputs(answer).map(({ type, content }) => [type, content['text'] ?? content['data']])
    expect(seen).toEqual([
      ['stream', 'before\n'],
      ['display_data', { 'text/plain': 'shown' }],
      ['stream', 'between\n'],
      ['update_display_data', { 'text/plain': 'updated' }],
      ['stream', 'after\n'],
    ])
    expect(outputs(answer)[1]!.content['transient']).toEqual({ display_id: 'it' })
  })

  test('gets what an object shows of itself', async () => {
    const shown = await client.execute(
      "({ [Symbol.for('Jupyter.display')]: async () => ({ 'text/html': '<b>x</b>', 'text/plain': 'x', 'image/png': new Uint8Array([1, 2, 3]) }) })",
    )
    expect(outputs(shown)[0]!.content['data']).toEqual({
      'text/html': '<b>x</b>',
      'text/plain': 'x',
      'image/png': 'AQID',
    })
    const failing = await client.execute("({ a: 1, [Symbol.for('Jupyter.display')]() { throw new Error('cannot') } })")
    expect(printed(failing, 'stderr')).toContain('cannot')
    expect(result(failing)).toContain('a: 1')
  })

  test('awaits at top level and declares names anew', async () => {
    await client.execute('const again = await Promise.resolve(1)')
    await client.execute('const again = "now text"')
    expect(result(await client.execute('again.length'))).toBe('8')
    expect(result(await client.execute('new Promise(() => {})'))).toBe('Promise { <pending> }')
  })

  test("a value's own type reaches later cells", async () => {
    await client.execute(
      "const frame = { [Symbol.for('shardbook.type')]: () => '{ depth: number }', depth: 3 } as unknown",
    )
    expect(result(await client.execute('frame.depth'))).toBe('3')
    const wrong = await client.execute('frame.dept')
    expect(wrong.reply?.content['evalue']).toContain("Did you mean 'depth'?")
  })

  test('imports local TypeScript files, and packages that the kernel has', async () => {
    await writeFile(
      join(client.folder, 'local.ts'),
      'export enum Size { S = 1 }\nexport const twice = (n: number): number => n * 2\n',
    )
    const cell = "import { twice, Size } from './local.ts'\nimport { tableFromArrays } from 'apache-arrow'\n"
    expect(result(await client.execute(`${cell}[twice(21), Size.S, tableFromArrays({ a: [1, 2] }).numRows]`))).toBe(
      '[ 42, 1, 2 ]',
    )
    const wrong = await client.execute("twice('a')")
    expect(wrong.reply?.content['ename']).toBe('TypeScriptError')
  })

  test('completes members and names, also behind astral characters', async () => {
    await client.execute('const samples = [{ width: 1, height: 2 }]')
    const code = 'const s = "😀"; samples[0]!.wi'
    const length = code.length - 1 // in code points
    const { reply } = await client.ask('complete_request', { code, cursor_pos: length })
    expect(reply?.content).toMatchObject({
      status: 'ok',
      matches: ['width'],
      cursor_start: length - 2,
      cursor_end: length,
    })
    const names = await client.ask('complete_request', { code: 'sampl + 1', cursor_pos: 5 })
    expect(names.reply?.content['matches']).toEqual(['samples'])
  })

  test('inspects with the type', async () => {
    const { reply } = await client.ask('inspect_request', { code: '"😀"; samples', cursor_pos: 8, detail_level: 0 })
    expect(reply?.content).toMatchObject({ found: true })
    expect(JSON.stringify(reply?.content['data'])).toContain('height: number')
    expect((await client.ask('inspect_request', { code: '  ', cursor_pos: 1 })).reply?.content).toMatchObject({
      found: false,
    })
  })

  test.each([
    ['const a = 1', { status: 'complete' }],
    ['function f() {', { status: 'incomplete', indent: '  ' }],
    ['const = 3', { status: 'invalid' }],
  ])('is told whether %j is complete', async (code, wanted) => {
    expect((await client.ask('is_complete_request', { code })).reply?.content).toEqual(wanted)
  })

  test('gets the history, and no comms', async () => {
    await client.execute('"find me"')
    const content = { hist_access_type: 'tail', n: 1, output: false, raw: true }
    const { reply } = await client.ask('history_request', content)
    expect(reply?.content['history']).toEqual([[1, expect.any(Number), '"find me"']])
    expect((await client.ask('comm_info_request')).reply?.content).toEqual({ status: 'ok', comms: {} })
  })

  test('answers a prompt', async () => {
    const code =
      "await (globalThis as Record<symbol, any>)[Symbol.for('shardbook.host')].prompt('name? ', { password: true })"
    const answer = await client.execute(code, { answers: ['Ada'] })
    expect(answer.questions).toEqual([{ content: { prompt: 'name? ', password: true }, isOurs: true }])
    expect(result(answer)).toBe("'Ada'")
    const refused = await client.execute(code, { content: { allow_stdin: false } })
    expect(refused.reply?.content['evalue']).toContain('does not take questions')
  })

  test.each([
    ['a loop', 'let kept = 1; while (true) { kept++ }'],
    ['a loop that catches all', 'let kept = 1; for (;;) { try { for (;;) kept++ } catch { kept = 0 } }'],
    ['a loop after an await', 'let kept = 1; await new Promise((r) => setTimeout(r, 20)); for (;;) kept++'],
    ['a loop of microtasks', 'let kept = 1; for (;;) { await null; kept++ }'],
    ['a loop in a timer', 'let kept = 1; await new Promise(() => setTimeout(() => { for (;;) kept++ }, 10))'],
    ['a loop in an interval', 'let kept = 1; await new Promise(() => setInterval(() => { for (;;) kept++ }, 10))'],
    ['a wait', 'let kept = 2; await new Promise(() => {})'],
    [
      'an endless for await',
      'let kept = 1; async function* g() { for (;;) { await new Promise((r) => setTimeout(r, 5)); yield 1 } }\nfor await (const x of g()) kept += x',
    ],
    ['Atomics.wait', 'let kept = 2; Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)'],
  ])('interrupts %s and keeps the state', async (_what, code) => {
    const begun = { interruptAt: 'begun', interruptAfterMs: 300 }
    const answer = await client.execute(`console.log('begun')\n${code}`, begun)
    expect(answer.reply?.content).toMatchObject({ status: 'error', ename: 'KeyboardInterrupt' })
    // The promise is 200 ms; the rest is for a loaded machine.
    expect(answer.ms).toBeLessThan(10_000)
    expect(result(await client.execute('kept > 1'))).toBe('true')
  })

  test('lets a cell clean up after an interrupt', async () => {
    const code =
      'let cleaned = 0\ntry { console.log("begun"); await new Promise(() => {}) } catch (e) { await null; cleaned = 1; console.log((e as any).code) }\ncleaned'
    const answer = await client.execute(code, { interruptAt: 'begun' })
    expect(result(answer)).toBe('1')
    expect(printed(answer, 'stdout')).toBe('begun\ninterrupted\n')
  })

  test('sees uncaught errors and unhandled rejections, and the session goes on', async () => {
    const answer = await client.execute(
      'let alive = 7\nvoid Promise.reject(new Error("one"))\nsetTimeout(() => { throw new Error("two") }, 5)\nawait new Promise((r) => setTimeout(r, 50))',
    )
    expect(answer.reply?.content['status']).toBe('ok')
    expect(printed(answer, 'stderr')).toMatch(/Unhandled rejection[^]*one[^]*Uncaught error[^]*two/)
    expect(result(await client.execute('alive'))).toBe('7')
  })

  test('is told that an error stops the cells that wait', async () => {
    const codes = ['throw new Error("stop")', '1', '2']
    expect(await client.command({ do: 'queue', codes })).toEqual(['error', 'aborted', 'aborted'])
  })

  test.each([
    ['process.exit(3)', 'it exited with code 3'],
    ["process.kill(process.pid, 'SIGSEGV')", 'signal SIGSEGV'],
    ['const big: unknown[] = []; for (;;) big.push(new Array(1e6).fill(big.length))', 'ran out of memory'],
  ])('is told how a session ended that ran %s, and the next cell runs', async (code, reason) => {
    const answer = await client.execute(`console.log('last words')\nif (true) { ${code} }`)
    expect(printed(answer, 'stdout')).toBe('last words\n')
    expect(answer.reply?.content).toMatchObject({ status: 'error', ename: 'SessionEnded' })
    expect(answer.reply?.content['evalue']).toContain(reason)
    expect(result(await client.execute('1 + 1'))).toBe('2')
    expect((await client.execute('samples')).reply?.content['evalue']).toContain("Cannot find name 'samples'")
  })

  test('restarts and shuts down, and nothing is left running', async () => {
    const pid = Number(result(await client.execute('process.pid')))
    await client.command({ do: 'restart' })
    await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false)
    const front = Number(result(await client.execute('process.ppid')))
    const session = Number(result(await client.execute('process.pid')))
    await client.command({ do: 'shutdown' })
    await expect.poll(() => [front, session].some((one) => existsSync(`/proc/${one}`))).toBe(false)
  })
})
