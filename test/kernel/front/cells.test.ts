/** Cells as modules: what they import, export and leave alone. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cellModule } from '../../../kernel/front/language/cells.js'
import { allNames, cellsPerModule, Names } from '../../../kernel/front/language/names.js'
import { offsetAt, positionAt, toCodePoints, toUtf16 } from '../../../kernel/front/language/position.js'

const names = new Names()
const declaredBefore = 'const a = 1; const df = 2; type T = 1; let v = 1; let mut = 1'
names.accept(cellModule(declaredBefore, names, names.take()), new Set(['a', 'df', 'v', 'mut']), {
  df: 'Frame<{\n x: number }>',
  mut: 'Frame<{}>',
})

function lines(code: string): string[] {
  return cellModule(code, names, 1).text.split('\n')
}

describe('the names that cells leave', () => {
  test('carry the number of their cell, so that a new declaration leaves the old one in place', () => {
    const left = new Names()
    left.accept(cellModule('const a = 1; type T = 2; let never = 3', left, left.take()), new Set(['a']), {})
    left.accept(cellModule('const a = "x"', left, left.take()), new Set(['a']), { a: "'x'\n | 'y'" })
    expect(left.text(0, 3).split('\n')).toEqual([
      "export { a as a_0, T as T_0 } from './__cell_0';",
      "export { a as a_1 } from './__cell_1';",
      "export {  } from './__cell_2';",
      "export declare const a_told_1: 'x' | 'y';",
    ])
    expect(cellModule('a as T', left, left.take()).text.split('\n')[0]).toBe(
      "import { a_told_1 as a, T_0 as T } from './__cell_names'; ",
    )
  })
  test('fill one module after the other', () => {
    const left = new Names()
    for (let cell = 0; cell <= cellsPerModule; cell++)
      left.accept(cellModule(`const x${cell} = 1`, left, left.take()), new Set([`x${cell}`]), {})
    expect(allNames(cellsPerModule)).toBe("export * from './__cell_names_0'")
    expect(allNames(cellsPerModule + 1).split('\n')).toHaveLength(2)
    expect(left.text(1, 2 * cellsPerModule).split('\n')).toHaveLength(cellsPerModule)
    expect(cellModule(`x0 + x${cellsPerModule}`, left, left.take()).text.split('\n')[0]).toBe(
      `import { x0_0 as x0, x${cellsPerModule}_${cellsPerModule} as x${cellsPerModule} } from './__cell_names'; `,
    )
  })
})

describe('the number of a cell', () => {
  const numbers = (...cells: string[]): number[] => {
    const left = new Names()
    return cells.map((code) => {
      const module = cellModule(code, left, left.take())
      left.accept(module, new Set(module.declared.keys()), {})
      return module.cell
    })
  }
  test('goes to the next one when it leaves no names', () => {
    expect(numbers('1 + 1', 'const a = 1', 'a', 'a + 1', 'type T = 1', 'a')).toEqual([0, 0, 1, 1, 1, 2])
  })
  test('is kept by a cell that adds to global types', () => {
    expect(numbers('declare global { interface Window { mine: 1 } }', '1')).toEqual([0, 1])
  })
})

describe('the module of a cell', () => {
  test('keeps the text, shifted by one line', () => {
    fc.assert(
      fc.property(fc.string(), (code) => {
        const { text } = cellModule(code, names, 1)
        const start = offsetAt(text, { line: 1, character: 0 })
        expect(text.slice(start, start + code.length)).toBe(code)
      }),
    )
  })
  test('imports values and types that the text names', () => {
    expect(lines('a; let x: T')[0]).toBe("import { a_0 as a, T_0 as T } from './__cell_names'; ")
  })
  test('knows which imports are types: they stay without a value', () => {
    const code = 'import { type P, viz } from "x"\nimport type { Q } from "x"\nimport type * as all from "x"'
    expect([...cellModule(code, names, 1).declared]).toEqual([
      ['P', 'type'],
      ['viz', 'value'],
      ['Q', 'type'],
      ['all', 'type'],
    ])
  })
  test('declares variables, so that they can be assigned', () => {
    expect(lines('v = 2')[0]).toBe("import { v_0 } from './__cell_names'; declare let v: typeof v_0; ")
  })
  test('gives a variable the type that its value told, unless the cell assigns it', () => {
    expect(lines('df')[0]).toBe("import { df_told_0 as df } from './__cell_names'; ")
    expect(lines('mut')[0]).toBe("import { mut_told_0 } from './__cell_names'; declare let mut: typeof mut_told_0; ")
    expect(lines('mut = 1')[0]).toBe("import { mut_0 } from './__cell_names'; declare let mut: typeof mut_0; ")
  })
  test('imports nothing that it declares itself', () => {
    expect(lines('const a = v')[0]).toBe("import { v_0 } from './__cell_names'; declare let v: typeof v_0; ")
  })
  test('exports what it declares, once', () => {
    const code = `import * as n from 'x'; import d, { e as f } from 'y'
      const { g, h: [i] } = 1; let j; var k
      function l() {} class M {} enum N { A } namespace O {} interface P {} type Q = 1
      if (true) { var r = 1; let inner } export const s = 1; declare const t: number; declare global {}`
    const { text, declared } = cellModule(code, new Names(), 0)
    const exported = ['n', 'd', 'f', 'g', 'i', 'j', 'k', 'l', 'M', 'N', 'O', 'P', 'Q', 'r', 't']
    expect(text.split('\n').at(-1)).toBe(`export { ${exported.join(', ')} }`)
    expect([...declared.keys()].sort()).toEqual([...exported, 's'].sort())
    expect([declared.get('j'), declared.get('g'), declared.get('P')]).toEqual(['let', 'value', 'type'])
  })
  test('of a text that cannot be parsed declares nothing', () => {
    expect(lines('const = 3').slice(1)).toEqual(['const = 3', 'export {  }'])
  })
})

describe('positions', () => {
  const text = fc.string({ unit: 'binary' })
  test('code points and back', () => {
    fc.assert(
      fc.property(text, fc.nat(), (one, n) => {
        const count = Array.from(one).length
        const at = n % (count + 1)
        expect(toCodePoints(one, toUtf16(one, at))).toBe(at)
        expect(toUtf16(one, count)).toBe(one.length)
        expect(Array.from(one.slice(0, toUtf16(one, at))).length).toBe(at)
      }),
    )
  })
  test('lines and back', () => {
    fc.assert(
      fc.property(text, fc.nat(), (one, n) => {
        const at = n % (one.length + 1)
        expect(offsetAt(one, positionAt(one, at))).toBe(at)
      }),
    )
  })
})
