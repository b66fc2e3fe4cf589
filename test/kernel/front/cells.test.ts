/** Cells as modules: what they import, export and leave alone. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CellName } from '../../../kernel/front/language/cells.js'
import { cellModule } from '../../../kernel/front/language/cells.js'
import { offsetAt, positionAt, toCodePoints, toUtf16 } from '../../../kernel/front/language/position.js'

const names = new Map<string, CellName>([
  ['a', { kind: 'value', module: './__cell_0' }],
  ['v', { kind: 'let', module: './__cell_1' }],
  ['T', { kind: 'type', module: './__cell_1' }],
  ['df', { kind: 'value', module: './__cell_1', selfType: 'Frame<{\n x: number }>' }],
  ['mut', { kind: 'let', module: './__cell_1', selfType: 'Frame<{}>' }],
])

function lines(code: string): string[] {
  return cellModule(code, names).text.split('\n')
}

describe('the module of a cell', () => {
  test('keeps the text, shifted by one line', () => {
    fc.assert(
      fc.property(fc.string(), (code) => {
        const { text } = cellModule(code, names)
        const start = offsetAt(text, { line: 1, character: 0 })
        expect(text.slice(start, start + code.length)).toBe(code)
      }),
    )
  })
  test('imports values and types that the text names', () => {
    expect(lines('a; let x: T')[0]).toBe('import { a } from "./__cell_0"; import { T } from "./__cell_1"; ')
  })
  test('knows which imports are types: they stay without a value', () => {
    const code = 'import { type P, viz } from "x"\nimport type { Q } from "x"\nimport type * as all from "x"'
    expect([...cellModule(code, names).declared]).toEqual([
      ['P', 'type'],
      ['viz', 'value'],
      ['Q', 'type'],
      ['all', 'type'],
    ])
  })
  test('declares variables, so that they can be assigned', () => {
    expect(lines('v = 2')[0]).toBe('declare let v: typeof import("./__cell_1").v; ')
  })
  test('gives a variable the type that its value told, unless the cell assigns it', () => {
    expect(lines('df')[0]).toBe('declare const df: Frame<{ x: number }>; ')
    expect(lines('mut')[0]).toBe('declare let mut: Frame<{}>; ')
    expect(lines('mut = 1')[0]).toBe('declare let mut: typeof import("./__cell_1").mut; ')
  })
  test('imports nothing that it declares itself', () => {
    expect(lines('const a = v')[0]).toBe('declare let v: typeof import("./__cell_1").v; ')
  })
  test('exports what it declares, once', () => {
    const code = `import * as n from 'x'; import d, { e as f } from 'y'
      const { g, h: [i] } = 1; let j; var k
      function l() {} class M {} enum N { A } namespace O {} interface P {} type Q = 1
      if (true) { var r = 1; let inner } export const s = 1; declare const t: number; declare global {}`
    const { text, declared } = cellModule(code, new Map())
    const exported = ['n', 'd', 'f', 'g', 'i', 'j', 'k', 'l', 'M', 'N', 'O', 'P', 'Q', 'r', 't']
    expect(text.split('\n').at(-1)).toBe(`export { ${exported.join(', ')} }`)
    expect([...declared.keys()].sort()).toEqual([...exported, 's'].sort())
    expect([declared.get('j'), declared.get('g'), declared.get('P')]).toEqual(['let', 'value', 'type'])
  })
  test('of a text that cannot be parsed declares nothing', () => {
    expect(lines('const = 3')).toEqual(['', 'const = 3', 'export {  }'])
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
