/** A loss that is not finite where products are in bfloat16, as XLA computes them on accelerators: the layer is told. */
import { describe, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import { missing } from '../../needs.js'
import { fitBars } from './fixture.js'

describe.skipIf(missing('pjrt') !== undefined)('a loss that is not finite, in bfloat16', () => {
  test('names the layer that was the first, and leaves the weights as they were', async () => {
    const engine = await openEngine('pjrt', { precision: 'bfloat16' })
    expect(engine.description).toContain('bfloat16')
    const burst: nn.Layer = {
      kind: 'burst',
      name: 'burst',
      options: {},
      infer: (input) => ({ output: input, weights: [] }),
      // Beyond the greatest number of bfloat16, as of single precision.
      apply: ({ tf }, x) => tf.mul(tf.mul(x, 1e30), 1e30),
    }
    const layers = [nn.flatten(), nn.dense({ units: 8, name: 'before' }), burst, nn.dense({ units: 3, name: 'after' })]
    const training = fitBars({}, { layers })
    await expect(training).rejects.toThrow(
      /expected a finite loss, got (NaN|Infinity) at step 1: the output of the layer "burst" is not finite, in row \d+/,
    )
  })
})
