import { expect, test } from 'vitest'
import { bundleOf } from '../../src/core/display.js'
import { loadTf, openEngine } from '../../src/engine/index.js'

test('a tensor shows its dtype, shape and values; a disposed one says so', async () => {
  await openEngine('wasm')
  const tf = await loadTf()
  const tensor = tf.tensor2d([1, 2, 3, 4], [2, 2])
  expect(await bundleOf(tensor)).toEqual({ 'text/plain': 'float32 [2, 2]\n[[1, 2],\n [3, 4]]' })
  tensor.dispose()
  expect(await bundleOf(tensor)).toEqual({ 'text/plain': 'float32 [2, 2]\ndisposed' })
  expect(await bundleOf(tf.scalar(7, 'int32'))).toEqual({ 'text/plain': 'int32 []\n7' })
})
