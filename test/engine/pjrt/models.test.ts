/** Whole trainings: the same losses from XLA's program as from TensorFlow's, step by step. */
import { beforeAll, describe, expect, test } from 'vitest'
import { loadTf, openEngine } from '../../../src/engine/index.js'
import type { Tf } from '../../../src/engine/tf.js'
import { missing } from '../../needs.js'
import { greatestDifference } from '../../nn/train/networks.js'
import { losses, modelStep, tasks } from './models.js'

const steps = 50

describe.skipIf(missing('pjrt') !== undefined || missing('native') !== undefined)('training on pjrt', () => {
  let tf: Tf
  beforeAll(async () => {
    tf = await loadTf()
  })

  test.each(Object.keys(tasks))('%s: the losses of 50 steps are those of the native engine', async (name) => {
    const native = await openEngine('native', { threads: 2 })
    const model = modelStep(tf, name)
    const expected = await losses(native, model, steps)
    const got = await losses(await openEngine('pjrt'), model, steps)
    expect(got.length).toBe(steps)
    expect(greatestDifference(got, expected)).toBeLessThanOrEqual(1e-4)
    expect(got.at(-1)).not.toBe(got[0])
  })

  test('slices of a batch give the losses of the whole', async () => {
    const pjrt = await openEngine('pjrt')
    const whole = await losses(pjrt, modelStep(tf, 'residual CNN with batch normalisation'), 10)
    const sliced = await losses(pjrt, modelStep(tf, 'residual CNN with batch normalisation', 4), 10, 4)
    expect(greatestDifference(sliced, whole)).toBeLessThanOrEqual(1e-4)
  })
})
