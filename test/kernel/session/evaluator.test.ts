/** What cells mean once rewritten: modules' semantics, one after the other, over shared names. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import vm from 'node:vm'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { InProcess } from './in-process.js'

// Packages resolve from here upwards.
const folder = mkdtempSync(join(resolve('test/kernel/session'), '.cells-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// Node calls the loader of scripts experimental; the session process is started with that warning off.
beforeAll(() => {
  const warn = process.emitWarning.bind(process)
  vi.spyOn(process, 'emitWarning').mockImplementation((...parts: Parameters<typeof warn>) => {
    if (!String(parts[0]).includes('USE_MAIN_CONTEXT_DEFAULT_LOADER')) warn(...parts)
  })
})

function session(): (code: string) => Promise<unknown> {
  const notebook = new InProcess(folder)
  return async (code) => (await notebook.run(code))?.value
}

async function last(...cells: readonly string[]): Promise<unknown> {
  const run = session()
  let value: unknown
  for (const cell of cells) value = await run(cell)
  return value
}

describe('names', () => {
  test('a const of an earlier cell can be declared anew with another type', async () => {
    expect(await last('const x: number = 1; x', 'const x = "two"; x.length')).toBe(3)
  })
  test('functions of an earlier cell see later reassignments', async () => {
    expect(await last('let n = 1; function get() { return n }; function up() { n++ }', 'n = 5; up(); get()')).toBe(6)
  })
  test('functions of an earlier cell see a later redefinition of what they call', async () => {
    expect(await last('function a() { return 1 } function b() { return a() }', 'function a() { return 2 } b()')).toBe(2)
  })
  test('inner names shadow', async () => {
    const code = `let total = 0
      for (let n = 0; n < 3; n++) { const p = n; total += p }
      for (const [i, v] of [5, 6].entries()) total += i * v
      try { throw 1 } catch (n) { total += n as number }
      { function p() { return 1 } total += p() }
      const f = ({ n, ...p }: { n: number, p?: number }, [total]: number[] = [0]) => n + total!
      ;[total, n, p, f({ n: 2 })]`
    expect(await last('let n = 4, p = 7', code)).toEqual([11, 4, 7, 2])
  })
  test('destructuring declares and assigns', async () => {
    expect(
      await last(
        'const { p, q: [r, ...rest], ...o } = { p: 1, q: [2, 3, 4], z: 9, y: 8 }',
        'let s = 0, t = 0; [s, t] = [p, r]; ({ s, u: t = 4 } = { s: 7 } as any); [s, t, rest, o]',
      ),
    ).toEqual([7, 4, [3, 4], { z: 9, y: 8 }])
  })
  test('shorthand properties and methods keep their keys', async () => {
    expect(await last('const p = 7', 'const o = { p, m() { return p }, [p]: p }; [o.p, o.m(), o[7]]')).toEqual([
      7, 7, 7,
    ])
  })
  test('var in blocks and loops is a name of the cell', async () => {
    const code = 'if (true) { var a = 1, b } for (var i = 0, j = 9; i < 3; i++) {} for (var k of [4, 5]) {}'
    expect(await last(code, '[a, b, i, j, k]')).toEqual([1, undefined, 3, 9, 5])
  })
  test('var inside a function stays there', async () => {
    expect(await last('var a = 1', '(() => { if (true) { var a = 2 } return a })() + a')).toBe(3)
  })
  test('calls have no receiver and functions keep their names', async () => {
    expect(
      await last(
        'const f = function () { return this }, g = () => 1, C = class {}',
        '[f(), f``, g.name, f.name, C.name]',
      ),
    ).toEqual([undefined, undefined, 'g', 'f', 'C'])
  })
  test('names of Object.prototype are ordinary names', async () => {
    expect(await last('var toString; const constructor = 1', '[toString, constructor]')).toEqual([undefined, 1])
  })
})

describe('TypeScript', () => {
  test('classes with parameter properties, statics, accessors and inheritance', async () => {
    const cell = `interface I { a: number }
      enum E { A = 1, B }
      class C<T> implements I {
        static one = new C(1)
        constructor(public a: number) {}
        get b() { return this.a + E.B }
        static make() { return new C(1) }
      }`
    const use = 'const c: I = C.make(); class D extends C<number> {}; [new D(3).b, E[2], c instanceof C, C.one.a]'
    expect(await last(cell, use)).toEqual([5, 'B', true, 1])
  })
  test('an enum declared anew drops the old members; two parts in one cell merge', async () => {
    expect(await last('enum E { A, B }', 'enum E { C = 7 }', 'Object.keys(E)')).toEqual(['7', 'C'])
    expect(await last('enum E { A } enum E { B = 1 } Object.keys(E).sort()')).toEqual(['0', '1', 'A', 'B'])
  })
  test('namespaces and exports', async () => {
    expect(await last('namespace N { export const x = 3 }\nexport const y = 2; export { y as z }', 'N.x + y')).toBe(5)
    expect(await last('export default 5')).toBe(5)
    expect(await last('export default function () { return 1 }')).toBeTypeOf('function')
  })
})

describe('values', () => {
  test('the last expression statement is the value, an object literal too', async () => {
    expect(await last('1; ({ a: 1 })')).toEqual({ a: 1 })
    expect(await last('"use me"')).toBe('use me')
    expect(await last('const a = 1')).toBeUndefined()
  })
  test('a promise as a value is not awaited', async () => {
    const result = await new InProcess(folder).run('new Promise(() => {})')
    expect(result?.value).toBeInstanceOf(Promise)
  })
  test('top-level await and for await', async () => {
    const code = `async function* g() { yield 1; yield 2 }
      let sum = await Promise.resolve(40)
      for await (const x of g()) sum += x
      sum`
    expect(await last(code)).toBe(43)
  })
  test('values share the realm', async () => {
    expect(await last('new Float32Array(2)')).toBeInstanceOf(Float32Array)
  })
  test('labels, switch and typeof of a name that nobody declared', async () => {
    const code = `let out = ''
      outer: for (const a of [1, 2]) { switch (a) { case 1: { let n = 2; continue outer } default: out += a; break outer } }
      out + typeof (globalThis as any).nobody`
    expect(await last('let n = 1', code)).toBe('2undefined')
  })
  test('import.meta names the notebook folder', async () => {
    expect(await last('import.meta.dirname')).toBe(folder)
  })
})

describe('imports', () => {
  test('ECMAScript modules, as a namespace and by name, live in later cells', async () => {
    const cell = "import * as path from 'node:path'\nimport { join as j } from 'node:path'"
    expect(await last(cell, "j('a', 'b') === path.join('a', 'b')")).toBe(true)
  })
  test('CommonJS modules by name', async () => {
    expect(
      await last("import { inherits } from 'inherits'\nimport i from 'inherits'\n[typeof inherits, typeof i]"),
    ).toEqual(['undefined', 'function'])
    expect(await last("import { parse } from 'yaml'", "parse('a: 1').a")).toBe(1)
  })
  test('an import below other statements is bound first', async () => {
    expect(await last("const s = sep\nimport { sep } from 'node:path'\ns")).toBe('/')
  })
  test('an imported name can be declared anew', async () => {
    expect(await last("import { sep } from 'node:path'", 'const sep = 5; sep')).toBe(5)
  })
  test('with attributes, and dynamically', async () => {
    const code =
      "import pkg from 'yaml/package.json' with { type: 'json' }; [pkg.name, typeof (await import('yaml')).parse]"
    expect(await last(code)).toEqual(['yaml', 'function'])
  })
})

describe('a cell that fails', () => {
  test('keeps what it declared before, and tells which names those are', async () => {
    const notebook = new InProcess(folder)
    await notebook.run('const b = "old"')
    const cell = notebook.load('function f() {}\nconst a = 1\nconst b = null!.x, c = 2')
    await expect(cell.run()).rejects.toThrow(TypeError)
    expect(cell.defined().sort()).toEqual(['a', 'f'])
    expect((await notebook.run('b'))?.value).toBe('old')
  })
})

test('a value that knows its type tells it', async () => {
  const cell = new InProcess(folder).load("const x = { [Symbol.for('shardbook.type')]: () => 'Special' }, y = 1")
  await cell.run()
  expect(cell.types()).toEqual({ x: 'Special' })
})

test('arithmetic over names equals plain evaluation', async () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 4 },
      fc.integer({ min: 0, max: 9 }).map(String),
      name,
      fc
        .tuple(tie('expression'), fc.constantFrom('+', '-', '*'), tie('expression'))
        .map(([l, o, r]) => `(${l} ${o} ${r})`),
      fc.tuple(name, tie('expression')).map(([n, e]) => `((${n}: number) => ${e})(2)`),
      fc.tuple(name, tie('expression')).map(([n, e]) => `({ ${n}, v: ${e} }).v`),
      fc.tuple(name, tie('expression')).map(([n, e]) => `(() => { let { ${n} } = { ${n}: 3 }; return ${e} })()`),
    ),
  }))
  await fc.assert(
    fc.asyncProperty(expression, async (text) => {
      const plain = text.replaceAll(': number)', ')')
      const wanted: unknown = vm.runInNewContext(plain, { a: 5, b: 6, c: 7 })
      expect(await last('let a = 5, b = 6, c = 7', text)).toBe(wanted)
    }),
    { numRuns: 100 },
  )
})
