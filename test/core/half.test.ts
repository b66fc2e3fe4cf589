/** Numbers of 16 bits, all of them there and back. */
import { expect, test } from 'vitest'
import { fromHalfBits, halfBits } from '../../src/core/half.js'

test('every float16 comes back from its number', () => {
  const halves = Array.from({ length: 0x10000 }, (_, half) => half)
  const numbers = halves.filter((half) => !Number.isNaN(fromHalfBits(half)))
  expect(numbers).toHaveLength(0x10000 - 2 * 1023)
  expect(numbers.map((half) => halfBits(fromHalfBits(half)))).toEqual(numbers)
  expect(fromHalfBits(halfBits(NaN))).toBeNaN()
})

test('a number becomes the nearest float16, the even one of two, as IEEE 754 says', () => {
  const known = [
    [1, 0x3c00],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [65504, 0x7bff],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [-0.1, 0xae66],
    [2 ** -24, 1],
    [2 ** -25, 0],
    [1.5 * 2 ** -25, 1],
    [2 ** -14, 0x0400],
    [-Infinity, 0xfc00],
  ] as const
  for (const [value, half] of known) expect(halfBits(value)).toBe(half)
})
