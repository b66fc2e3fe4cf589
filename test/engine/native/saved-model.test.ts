/** A SavedModel that TensorFlow wrote (`fixtures/saved-model.py`): y = x w * times, label = the index of the largest as text. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Engine, loadTf, openEngine } from '../../../src/engine/index.js'
import { missing } from '../../needs.js'

const folder = fileURLToPath(new URL('fixtures/saved-model', import.meta.url))

describe.skipIf(missing('native') !== undefined)('a SavedModel', () => {
  let engine: Engine
  let tf: Awaited<ReturnType<typeof loadTf>>
  beforeAll(async () => {
    engine = await openEngine('native', { threads: 2 })
    tf = await loadTf()
  })

  test('tells its inputs and outputs, and computes with batches of any size', async () => {
    const model = await engine.loadSavedModel!(folder)
    expect(model.inputs).toEqual({ x: { dtype: 'float32', shape: [null, 2] }, times: { dtype: 'int32', shape: [] } })
    expect(model.outputs).toMatchObject({ y: { dtype: 'float32' }, label: { dtype: 'string', shape: [null] } })
    for (const rows of [1, 3]) {
      const before = tf.memory().numTensors
      const given = { x: tf.ones([rows, 2]), times: tf.scalar(2, 'int32') }
      const results = await model.predict(given)
      expect(Array.from(await results['y']!.data())).toEqual(Array.from({ length: rows }, () => [10, 14, 18]).flat())
      expect(Array.from(await results['label']!.data<'string'>())).toEqual(Array.from({ length: rows }, () => '2'))
      tf.dispose([given, results])
      expect(tf.memory().numTensors).toBe(before)
    }
    model.dispose()
    await expect(model.predict({})).rejects.toMatchObject({ code: 'state' })
  })

  test('may be disposed while it computes', async () => {
    const model = await engine.loadSavedModel!(folder)
    const predicting = model.predict({ x: tf.ones([4, 2]), times: tf.scalar(1, 'int32') })
    model.dispose()
    expect((await predicting)['y']!.shape).toEqual([4, 3])
  })

  test('refuses inputs of other names, dtypes and shapes, each by name', async () => {
    const model = await engine.loadSavedModel!(folder)
    const [x, times] = [tf.ones([1, 2]), tf.scalar(1, 'int32')]
    await expect(model.predict({ x })).rejects.toThrow(/expected the inputs .*times.*, got x/)
    await expect(model.predict({ x: times, times })).rejects.toThrow(/"x" to be float32\[0, 2\], got int32\[\]/)
    await expect(model.predict({ x: tf.ones([1, 3]), times })).rejects.toThrow(/float32\[1, 2\], got float32\[1, 3\]/)
    model.dispose()
  })

  test('refuses a folder without one, a signature and tags that it lacks, and a damaged file', async () => {
    await expect(engine.loadSavedModel!(tmpdir())).rejects.toMatchObject({ code: 'io' })
    await expect(engine.loadSavedModel!(folder, { signature: 'serving_defalt' })).rejects.toThrow(/serving_default/)
    await expect(engine.loadSavedModel!(folder, { tags: ['train'] })).rejects.toThrow(/train/)
    const damaged = await mkdtemp(join(tmpdir(), 'shardbook-saved-model-'))
    await cp(folder, damaged, { recursive: true })
    await writeFile(join(damaged, 'saved_model.pb'), 'not a model')
    await expect(engine.loadSavedModel!(damaged)).rejects.toMatchObject({ code: 'engine' })
    await rm(damaged, { recursive: true })
  })
})
