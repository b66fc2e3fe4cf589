/** What a value shows of itself, as plain data. */
import { expect, test } from 'vitest'
import { bundleOf, displaySymbol } from '../../src/core/display.js'

const shows = (bundle: Record<string, unknown>): object => ({ [displaySymbol]: async () => bundle })

test('a value that renders itself: bytes as base64, JSON as it is, text added', async () => {
  const bundle = await bundleOf(shows({ 'image/png': new Uint8Array([1, 2, 3]), 'application/json': { a: [1] } }))
  expect(bundle).toMatchObject({ 'image/png': 'AQID', 'application/json': { a: [1] } })
  expect(bundle['text/plain']).toBeTypeOf('string')
  expect(await bundleOf(shows({ 'text/plain': 'x' }))).toEqual({ 'text/plain': 'x' })
})

test('an empty bundle stays empty', async () => {
  expect(await bundleOf(shows({}))).toEqual({})
})

test('anything else is its text', async () => {
  expect(await bundleOf(new Map([[1, 'a']]))).toEqual({ 'text/plain': "Map(1) { 1 => 'a' }" })
  expect(await bundleOf(null)).toEqual({ 'text/plain': 'null' })
})

test('a display method that fails, or gives what is no data, is told, and the text stands in', async () => {
  for (const value of [{ [displaySymbol]: () => Promise.reject(new Error('no')) }, shows({ 'application/json': 1n })]) {
    const errors: unknown[] = []
    const bundle = await bundleOf(value, (error) => errors.push(error))
    expect(Object.keys(bundle)).toEqual(['text/plain'])
    expect(errors).toHaveLength(1)
  }
})

test('a value whose inspection fails does not reject', async () => {
  const value = new Proxy(
    {},
    {
      get: () => {
        throw new Error('trap')
      },
    },
  )
  expect(await bundleOf(value, () => {})).toHaveProperty('text/plain')
})
