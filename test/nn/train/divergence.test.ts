import { beforeAll, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import { onEngines } from '../on-engines.js'
import { fitBars } from './fixture.js'

/** Not finite for images that are bright enough. */
const bursting: nn.Layer = {
  kind: 'bursting',
  name: 'bursting',
  options: {},
  infer: (input) => ({ output: input, weights: [] }),
  apply: ({ tf }, x) => tf.div(x, tf.cast(tf.less(tf.max(x, [1, 2, 3], true), 0.93), 'float32')),
}

/** As it is, with a gradient that is not finite. */
const tearing: nn.Layer = {
  kind: 'tearing',
  name: 'tearing',
  options: {},
  infer: (input) => ({ output: input, weights: [] }),
  apply: ({ tf }, x) => tf.add(x, tf.sqrt(tf.mul(tf.square(x), 0))),
}

onEngines('a loss that is not finite', (name) => {
  beforeAll(async () => void (await openEngine(name)))

  test('names the layer whose output was the first, and the row', async () => {
    const layers = [bursting, nn.conv2d({ filters: 2, kernelSize: 3 }), nn.flatten(), nn.dense({ units: 3 })]
    const training = fitBars({}, { layers })
    await expect(training).rejects.toThrow(
      /expected a finite loss, got (NaN|Infinity) at step 1: the output of the layer "bursting" is not finite, in row \d+ \(learning rate/,
    )
    expect(training.view.message).toContain('the layer "bursting"')
  })

  test('names the last layer whose gradient was not, where weights are spoilt', async () => {
    const layers = [
      nn.flatten(),
      nn.dense({ units: 4, name: 'before' }),
      { ...tearing },
      nn.dense({ units: 3, name: 'after' }),
    ]
    await expect(fitBars({}, { layers })).rejects.toThrow(
      /at step 2: the gradient of the layer "before" was not finite at the step before/,
    )
  })

  test('a rate that is too high shows in a layer', async () => {
    await expect(fitBars({ optimiser: nn.sgd(), schedule: nn.constant(1e38) })).rejects.toThrow(
      /the (output|gradient) of the layer "(conv|pool|dense|flatten)1" (is|was) not finite/,
    )
  })
})
