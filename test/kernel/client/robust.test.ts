/** Nothing that a cell does ends the kernel: the session may die, then that is said, and the next cell runs. */
import { readFileSync, readlinkSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing } from '../../needs.js'
import type { Answer } from './bridge.js'
import { Client, printed, result } from './bridge.js'

describe.skipIf(missing('python'))('a cell', () => {
  let client: Client
  beforeAll(async () => {
    // A small heap is full soon.
    client = await Client.start({ NODE_OPTIONS: '--max-old-space-size=256' })
  })
  afterAll(async () => {
    await client.close()
  })

  /** The kernel answers, counts on, and has a session with the names that cells give it. */
  async function expectAlive(): Promise<void> {
    await client.execute('const alive = [1, 2].map((n) => n * 2)')
    const answer = await client.execute('console.log(JSON.stringify({ alive })); await Promise.resolve(alive.length)')
    expect(answer.reply?.content).toMatchObject({ status: 'ok' })
    expect(printed(answer, 'stdout')).toBe('{"alive":[2,4]}\n')
    expect(result(answer)).toBe('2')
  }

  function expectError(answer: Answer, ename: string, evalue: RegExp): void {
    expect(answer.reply?.content).toMatchObject({ status: 'error', ename })
    expect(answer.reply?.content['evalue']).toMatch(evalue)
  }

  test.each([
    ['process.exit()', /^The session ended: it exited with code 0\. .*the next cell starts a new one/],
    ['process.kill(process.pid)', /it was ended by the signal SIGTERM/],
    ["process.kill(process.pid, 'SIGKILL')", /SIGKILL, as the system does when memory runs out/],
    ['process.abort()', /native code crashed \(signal SIGABRT\)/],
  ])('that runs %s is told so', async (code, reason) => {
    expectError(await client.execute(code), 'SessionEnded', reason)
    await expectAlive()
  })

  test('whose native code crashes is told so', async () => {
    const code =
      "import koffi from 'koffi'\nkoffi.load(null as never).func('void *memset(uint64_t, int, size_t)')(8n, 0, 64)"
    const answer = await client.execute(code)
    expectError(answer, 'SessionEnded', /native code crashed \(signal SIGSEGV\)/)
    await expectAlive()
  })

  test('that fills the memory with strings is told so, and what to do', async () => {
    const code =
      'const kept: string[] = []\nfor (let i = 0; ; i++) kept.push(JSON.stringify([i]).repeat(100_000).toUpperCase())'
    expectError(await client.execute(code), 'SessionEnded', /ran out of memory.*--max-old-space-size/)
    await expectAlive()
  })

  test('that makes a string longer than any may be keeps its session', async () => {
    await client.execute('const before = 5')
    expectError(await client.execute("'x'.repeat(2 ** 30)"), 'RangeError', /Invalid string length/)
    expect(result(await client.execute('before'))).toBe('5')
  })

  test('that overflows the stack keeps its session', async () => {
    await client.execute('const deep = 5')
    const answer = await client.execute('function down(n: number): number { return down(n + 1) + 1 }\ndown(0)')
    expectError(answer, 'RangeError', /Maximum call stack size exceeded/)
    expect(result(await client.execute('deep'))).toBe('5')
  })

  test.each([
    ['null', 'throw null', /^null$/],
    ['undefined', 'throw undefined', /^undefined$/],
    [
      'a proxy that throws',
      "throw new Proxy(new Error('x'), { get() { throw new Error('no') }, getPrototypeOf() { throw new Error('no') } })",
      /cannot be shown/,
    ],
    [
      'an error whose stack throws',
      "throw Object.defineProperty(new Error('inner'), 'stack', { get() { throw new Error('no') } })",
      /inner|cannot be shown/,
    ],
    [
      'an error whose name is no text',
      "throw Object.assign(new Error('inner'), { name: Symbol('x') })",
      /inner|cannot be shown/,
    ],
  ])('that throws %s gets an error', async (_what, code, evalue) => {
    const answer = await client.execute(code)
    expect(answer.reply?.content['status']).toBe('error')
    expect(String(answer.reply?.content['evalue'])).toMatch(evalue)
    await expectAlive()
  })

  test.each<readonly [string, string]>([
    ['JSON', "Object.assign(JSON, { parse() { throw new Error('mine') }, stringify() { throw new Error('mine') } })"],
    ['JSON itself', '(globalThis as any).JSON = undefined'],
    ['Promise', '(globalThis as any).Promise = undefined'],
    ['then', "Promise.prototype.then = () => { throw new Error('mine') }"],
    ['console', '(globalThis as any).console = undefined'],
    ['the timers', '(globalThis as any).setTimeout = (globalThis as any).setImmediate = undefined'],
    ['process', '(globalThis as any).process = {}'],
    ['the process events', 'process.removeAllListeners()'],
    ['stdout', '(process.stdout as any).write = () => true'],
    ['Error.prepareStackTrace', "Error.prepareStackTrace = () => { throw new Error('mine') }"],
    ['Symbol.iterator of arrays', '(Array.prototype as any)[Symbol.iterator] = undefined'],
    ['Buffer and Map', '(globalThis as any).Buffer = (globalThis as any).Map = (globalThis as any).Set = undefined'],
    ...['map', 'filter', 'push', 'join', 'flatMap'].map(
      (name) =>
        [`Array.prototype.${name}`, `(Array.prototype as any).${name} = () => { throw new Error('mine') }`] as const,
    ),
    ...['assign', 'keys', 'entries', 'defineProperty'].map(
      (name) => [`Object.${name}`, `(Object as any).${name} = () => { throw new Error('mine') }`] as const,
    ),
    [
      'Function.prototype.call',
      "(Function.prototype as any).call = (Function.prototype as any).apply = () => { throw new Error('mine') }",
    ],
    [
      'String.prototype',
      "(String.prototype as any).replace = (String.prototype as any).split = () => { throw new Error('mine') }",
    ],
  ])('that puts something else in the place of %s leaves a kernel that runs cells', async (_what, code) => {
    await client.execute(`${code}; 1`)
    const answers = [
      await client.execute('1 + 1'),
      await client.execute('2 + 2'),
      await client.execute("throw new Error('own')"),
    ]
    expect(answers.every(({ reply }) => reply !== null)).toBe(true)
    // Either the session goes on, or it says that it cannot and the next cell has another.
    const [first, second] = answers.map(({ reply }) => reply?.content['status'])
    expect([first, second]).toContain('ok')
    const names = answers.map(({ reply }) => String(reply?.content['ename'] ?? 'ok'))
    expect(names.every((name) => /^ok$|SessionEnded|Error|Thrown/.test(name))).toBe(true)
    await client.execute('%reset')
    await client.execute('process.exit(0)')
    await expectAlive()
  })

  test.each([1, 2])('that closes fd %i is told so, and cells run on', async (fd) => {
    const answer = await client.execute(
      `import { closeSync } from 'node:fs'\nclosedSync()\nfunction closedSync() { closeSync(${fd}) }\n7`,
    )
    expect(answer.reply?.content['status']).toBe('ok')
    expect(result(answer)).toBe('7')
    const next = await client.execute('const still = 3; still')
    expect(result(next)).toBe('3')
    expect(printed(answer, 'stdout') + printed(answer, 'stderr')).toMatch(
      /(stdout|stderr) was closed.* Restart the kernel/,
    )
    await client.execute('process.exit(0)')
    await expectAlive()
  })

  test.each([3, 4, 5])('that writes nonsense to fd %i, or closes it, has at worst another session', async (fd) => {
    await client.execute(`import { writeSync } from 'node:fs'\nwriteSync(${fd}, Buffer.alloc(64, 1))`)
    await expectAliveAfter()
    await client.execute(`import { closeSync } from 'node:fs'\ncloseSync(${fd})`)
    await expectAliveAfter()
  })
  async function expectAliveAfter(): Promise<void> {
    // A session without one of its pipes is ended within a second.
    await client.execute('for (const end = Date.now() + 1500; Date.now() < end;) await new Promise(setImmediate)')
    await expectAlive()
  }

  test('that prints without end is cut, told, and interrupted; the kernel stays small', async () => {
    const answer = await client.execute("const line = 'x'.repeat(99_999)\nfor (;;) console.log(line)", {
      interruptAt: 'output cut',
    })
    expect(answer.reply?.content['ename']).toBe('KeyboardInterrupt')
    const text = printed(answer, 'stdout')
    expect(text).toContain('… output cut')
    expect(text.length).toBeLessThan(66 * 2 ** 20)
    expect(printed(answer, 'stderr')).toMatch(/\d+ MB more were printed and not shown/)
    expect(result(await client.execute('line.length'))).toBe('99999')
    const front = Number(result(await client.execute('process.ppid')))
    expect(readlinkSync(`/proc/${front}/cwd`)).toBe(resolve(client.folder))
    const peakMb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${front}/status`, 'utf8'))![1]) / 1024
    expect(peakMb).toBeLessThan(700)
  })

  test('that is interrupted again and again never loses an interrupt', async () => {
    await client.execute('let rounds = 0')
    for (let n = 0; n < 50; n++) {
      const answer = await client.execute('rounds++; for (;;);', { interruptAfterMs: 60 + (n % 7) * 10 })
      expect(answer.reply?.content['ename']).toBe('KeyboardInterrupt')
    }
    expect((await client.execute('rounds')).reply?.content['status']).toBe('ok')
  })

  test('that rejects or throws later is named by its number', async () => {
    const first = await client.execute(
      `let isLate = false
      const throws = setInterval(() => { if (isLate) { clearInterval(throws); throw new Error('late') } }, 5)
      const rejects = setInterval(() => { if (isLate) { clearInterval(rejects); void Promise.reject(new Error('later')) } }, 5)`,
    )
    const number = Number(first.reply?.content['execution_count'])
    const answer = await client.execute('isLate = true; await new Promise((r) => setTimeout(r, 600))')
    expect(answer.reply?.content['status']).toBe('ok')
    expect(printed(answer, 'stderr')).toContain(`Uncaught error from Cell[${number}]`)
    expect(printed(answer, 'stderr')).toContain(`Unhandled rejection from Cell[${number}]`)
  })
})
