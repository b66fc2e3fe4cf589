/** Plain values as tables and trees. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { valueHtml } from '../../src/core/value-html.js'

test('records are a table of all their columns', () => {
  const html = valueHtml([
    { name: 'a<b', n: 1 },
    { name: 'c', other: null },
  ])!
  expect([...html.matchAll(/<th [^>]*>(.*?)<\/th>/g)].map(([, text]) => text)).toEqual(['name', 'n', 'other'])
  expect([...html.matchAll(/<td [^>]*>(.*?)<\/td>/g)].map(([, text]) => text)).toEqual([
    'a&lt;b',
    '1',
    '',
    'c',
    '',
    'null',
  ])
})

test('a long table says what it leaves out', () => {
  const html = valueHtml(Array.from({ length: 70 }, (_, i) => ({ i })))!
  expect(html.match(/<tr>/g)).toHaveLength(51)
  expect(html).toContain('20 more rows')
})

test('nested values are a tree whose first level is open', () => {
  const html = valueHtml({ a: { b: [1, 2] }, c: new Map([['k', new Set([1])]]) })!
  expect(html.match(/<details/g)).toHaveLength(5)
  expect(html.match(/<details open/g)).toHaveLength(1)
  expect(html).toContain('Map(1)')
})

test('what is well shown as text has no HTML', () => {
  class Own {
    readonly nested = { a: { b: 1 } }
  }
  for (const value of [
    1,
    'x',
    null,
    undefined,
    [1, 2, 3],
    { a: 1 },
    new Own(),
    new Float32Array(3),
    () => 1,
    new Error('x'),
  ])
    expect(valueHtml(value)).toBeUndefined()
})

test('a getter is not called', () => {
  const value = {
    nested: { a: [1] },
    get trap(): number {
      throw new Error('called')
    },
  }
  expect(valueHtml(value)).toContain('[getter]')
})

test('circles and endless depth end', () => {
  const circle: Record<string, unknown> = { a: [1] }
  circle['self'] = circle
  expect(valueHtml(circle)!.length).toBeLessThan(20_000)
})

test('any JSON value becomes balanced HTML of bounded size, without a tag of its own', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const html = valueHtml({ value, nested: { value: [value, '<script>'] } }) ?? ''
      expect(html.length).toBeLessThan(2_000_000)
      expect(html).not.toContain('<script')
      for (const tag of ['div', 'details', 'table', 'span'])
        expect(html.split(`<${tag}`).length).toBe(html.split(`</${tag}>`).length)
    }),
  )
})
