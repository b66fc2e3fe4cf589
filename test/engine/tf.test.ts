import { expect, test } from 'vitest'
import { engine } from '../../src/index.js'

test('engine.tf without an engine says how to open one, and works then', async () => {
  expect(() => engine.tf).toThrow(
    "engine.tf: expected an open engine, got none. Open one first: await engine.use('auto').",
  )
  await engine.use('wasm')
  expect(await engine.tf.tensor1d([1, 2]).sum().array()).toBe(3)
})
