import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frame } from '../../src/frame/index.js'
import { openTokenizer, type TokenOptions } from '../../src/frame/tokens.js'

/** Another way to the same tokens. */
const words = (text: string): string[] =>
  text.match(/[A-Za-z0-9\u0080-\u{10ffff}]+/gu)?.map((word) => word.replace(/[A-Z]/g, (c) => c.toLowerCase())) ?? []

/** Ids of texts that went through a frame. */
async function fed(texts: readonly string[], tokens: TokenOptions): Promise<number[][]> {
  const rows: number[][] = []
  for await (const { columns, rows: count } of frame({ text: texts }).batches({ rows: 64, tokens: { text: tokens } })) {
    const { values, shape, dtype } = columns['text']!
    expect([dtype, shape]).toEqual(['int32', [tokens.length]])
    for (let row = 0; row < count; row++) {
      rows.push([...values.subarray(row * tokens.length, (row + 1) * tokens.length)])
    }
  }
  return rows
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc
    .array(fc.constantFrom('The', 'cat', 'sat', 'ON', 'straße', '猫', "don't", 'a'), { maxLength: 12 })
    .map((all) => all.join(' ')),
)

describe('tokens', () => {
  test('are the vocabulary’s positions, whatever the texts', async () => {
    const vocabulary = ['the', 'cat', 'sat', 'straße', '猫']
    const ids = (line: string, length: number): number[] =>
      Array.from({ length }, (_, i) => {
        const word = words(line)[i]
        return word === undefined ? 0 : vocabulary.indexOf(word) + 2
      })
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          text.map((line) => line.replaceAll('\0', '')),
          { minLength: 1, maxLength: 100 },
        ),
        fc.integer({ min: 1, max: 9 }),
        async (lines, length) => {
          expect(await fed(lines, { length, vocabulary })).toEqual(lines.map((line) => ids(line, length)))
        },
      ),
      { numRuns: 25 },
    )
  })

  test('are hashed evenly into buckets, equal words alike', () => {
    const tokenizer = openTokenizer('test', { length: 1, buckets: 16 })
    const id = (word: string): number => {
      const out = new Int32Array(1)
      const bytes = new TextEncoder().encode(word)
      tokenizer.write(bytes, 0, bytes.length, out, 0)
      return out[0]!
    }
    expect(id('Cat')).toBe(id('cat'))
    const counts = new Map<number, number>()
    for (let i = 0; i < 16_000; i++) counts.set(id(`word${i}`), (counts.get(id(`word${i}`)) ?? 0) + 1)
    expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i + 1))
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(200)
  })

  test('reads texts of every length, inline and not', async () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `${'x'.repeat(i % 40)} w${i % 7}`)
    const rows = await fed(lines, { length: 2, vocabulary: ['w0', 'w1', 'w2', 'w3', 'w4', 'w5', 'w6'] })
    expect(rows).toEqual(lines.map((_, i) => (i % 40 === 0 ? [(i % 7) + 2, 0] : [1, (i % 7) + 2])))
  })

  test('refuses what cannot be', async () => {
    const open = (options: TokenOptions) => () => openTokenizer('batches', options)
    expect(open({ length: 0, buckets: 8 })).toThrow('length to be an integer >= 1')
    expect(open({ length: 4, buckets: 0 })).toThrow('buckets')
    expect(open({ length: 4, vocabulary: ['a', 'A'] })).toThrow("each token once, got 'A' twice")
    expect(open({ length: 4, vocabulary: ['a b'] })).toThrow("letters and digits, got 'a b'")
    const numbers = frame({ x: [1, 2] }).batches({ rows: 1, tokens: { x: { length: 1, buckets: 2 } } })
    await expect(numbers[Symbol.asyncIterator]().next()).rejects.toThrow(
      "expected text for tokens, got column 'x' of type number",
    )
  })
})
