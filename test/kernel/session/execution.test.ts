/** What a cell's own constructs do: magics, `using`, decorators, constants, many names. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import v8 from 'node:v8'
import vm from 'node:vm'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { InProcess } from './in-process.js'

const folder = mkdtempSync(join(resolve('test/kernel/session'), '.execution-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// Node calls the loader of scripts experimental; the session process is started with that warning off.
beforeAll(() => {
  const warn = process.emitWarning.bind(process)
  vi.spyOn(process, 'emitWarning').mockImplementation((...parts: Parameters<typeof warn>) => {
    if (!String(parts[0]).includes('USE_MAIN_CONTEXT_DEFAULT_LOADER')) warn(...parts)
  })
})

let notebook: InProcess
beforeEach(() => {
  notebook = new InProcess(folder)
})

async function value(code: string): Promise<unknown> {
  return (await notebook.run(code))?.value
}

describe('constants', () => {
  test.each(['x = 2', 'x++', 'x += 1', '[x] = [2]', '({ x } = { x: 2 })', 'for (x of [2]) {}', '(() => { x = 2 })()'])(
    '%s in the cell that declares x throws and leaves it',
    async (assignment) => {
      await expect(notebook.run(`const x = 1;\n${assignment}`)).rejects.toThrow('Assignment to constant variable.')
      expect(await value('x')).toBe(1)
    },
  )
  test('an inner name and a let may be assigned', async () => {
    expect(await value('const x = 1; let y = 1; { let x = 5; x = 6; y += x } [x, y]')).toEqual([1, 7])
  })
})

describe('using', () => {
  const resource = (name: string): string => `{ [Symbol.dispose]() { log.push('${name}') } }`
  test('disposes in reverse order when the cell ends, and the names stay', async () => {
    await notebook.run('const log: string[] = []')
    expect(await value(`using a = ${resource('a')}, b = ${resource('b')}\nlog.push('body')\nlog.length`)).toBe(1)
    expect(await value('[log, typeof a]')).toEqual([['body', 'b', 'a'], 'object'])
  })
  test('disposes after an error, awaits asynchronous disposal, and lets null be', async () => {
    const code = `const log: string[] = []
      await using a = { async [Symbol.asyncDispose]() { await null; log.push('a') } }
      using none = null
      throw new Error('mine')`
    await expect(notebook.run(code)).rejects.toThrow('mine')
    expect(await value('log')).toEqual(['a'])
  })
  test('inside functions and loops, as everywhere', async () => {
    const code = `const log: string[] = []
      function f() { using r = ${resource('f')}; return log.length }
      for (using r of [${resource('loop')}]) log.push('in')
      ;[f(), log]`
    expect(await value(code)).toEqual([2, ['in', 'loop', 'f']])
  })
  test('refuses what cannot be disposed', async () => {
    await expect(notebook.run('using a = {} as any')).rejects.toThrow('Symbol.dispose')
  })
})

test('decorators of classes, methods and parameters run', async () => {
  const code = `const seen: string[] = []
    const note = (name: string) => (..._: any[]) => void seen.push(name)
    @note('class') class A { @note('method') m(@note('parameter') _x: number) {} }
    ;[seen, new A() instanceof A]`
  expect(await value(code)).toEqual([['parameter', 'method', 'class'], true])
})

test('a thousand and more names stay in fast objects', async () => {
  v8.setFlagsFromString('--allow-natives-syntax')
  const isFast = vm.runInThisContext('(value) => %HasFastProperties(value)') as (value: object) => boolean
  for (let cell = 0; cell < 30; cell++) {
    const code = Array.from({ length: 50 }, (_, n) => `let x${cell * 50 + n} = ${n}`).join('\n')
    await notebook.run(code)
  }
  expect(await value('x0 + x777 + x1499')).toBe(0 + 27 + 49)
  expect(notebook.evaluator.entries()).toHaveLength(1500)
  // Functions are compiled at their first call: the flag must hold until then.
  expect(notebook.evaluator.objects().map((names) => isFast(names))).toEqual([true, true, true])
  v8.setFlagsFromString('--no-allow-natives-syntax')
})

describe('magics', () => {
  test('%time keeps value, declarations and lines', async () => {
    expect(await value('%time const a = 20')).toBeUndefined()
    expect(await value('%time a * 2')).toBe(40)
    expect(await value('%%time\nlet b = a\nb + 1')).toBe(21)
    expect(notebook.lines).toHaveLength(3)
    for (const line of notebook.lines) expect(line).toMatch(/^[\d.]+ (s|ms|µs|ns) \(processor [\d.]+ (s|ms|µs|ns)\)$/)
  })
  test('%timeit runs many times and declares nothing', async () => {
    await notebook.run('let runs = 0')
    await notebook.run('%timeit const inner = runs++')
    expect(notebook.lines[0]).toMatch(/± .* \(7 rounds of \d+ runs\)/)
    expect(Number(await value('runs'))).toBeGreaterThan(1000)
    await expect(notebook.run('inner')).rejects.toThrow('inner is not defined')
  })
  test('%who lists names with their kinds', async () => {
    await notebook.run("const rows = [1]\nlet text = 'x'\nclass Own {}\nconst own = new Own()")
    await notebook.run('%who')
    expect(notebook.lines).toEqual(['Own   function', 'own   Own', 'rows  Array', 'text  string'])
  })
  test('%env sets and shows', async () => {
    await notebook.run('%env SHARDBOOK_TEST_ENV = a b')
    expect(await value('process.env.SHARDBOOK_TEST_ENV')).toBe('a b')
    expect(notebook.lines).toEqual(['SHARDBOOK_TEST_ENV=a b'])
    delete process.env['SHARDBOOK_TEST_ENV']
  })
  test('%help lists every magic', async () => {
    await notebook.run('%help')
    expect(notebook.lines.join('\n')).toContain('%timeit CODE')
  })
  test('!command tells a failure and goes on; %%bash throws', async () => {
    expect(await value('!exit 3\n7')).toBe(7)
    expect(notebook.lines).toEqual(['[exit code 3]'])
    await expect(notebook.run('%%bash\nexit 4')).rejects.toThrow('%%bash: expected exit code 0, got 4.')
  })
  test('!command is ended by an interrupt, with what it started', async () => {
    const running = notebook.run(`!sleep 600 & echo $! > ${folder}/pid; sleep 601`)
    await expect
      .poll(() => existsSync(join(folder, 'pid')) && readFileSync(join(folder, 'pid'), 'utf8'))
      .toMatch(/\d\n/)
    notebook.interrupt()
    await running
    expect(notebook.lines[0]).toMatch(/SIGINT|SIGKILL|exit code 130/)
    // A shell's background job ignores SIGINT: it gets a second.
    const pid = readFileSync(join(folder, 'pid'), 'utf8').trim()
    await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false)
  })
})
