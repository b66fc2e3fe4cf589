/** `VariationalAutoEncoder`: an autoencoder whose codes are distributions near the normal one, so that new samples can be drawn. */
import { checkNumber } from '../../core/check.js'
import { activation, rescale } from '../layers/activation.js'
import { gaussianSample } from '../layers/dropout.js'
import { binaryCrossEntropy, halfSquaredError } from '../loss.js'
import { applyModel, model } from '../model.js'
import { sizeOf } from '../../core/dtype.js'
import { CoderEstimator } from './coder.js'
import type { Coder, CoderEstimatorOptions } from './coder.js'
import { decoderLayers, encoderLayers } from './coder-layers.js'
import type { TensorColumn } from './columns.js'
import { partMetrics, partsOf, rowSums, sumOfParts } from './parts.js'
import { VariationalAutoEncoderModel } from './vae-model.js'

/** Options of `VariationalAutoEncoder`. Defaults: `maxIter` 20, `stepSize` 0.003. */
export interface VariationalAutoEncoderOptions<
  Input extends string = string,
  Output extends string = string,
> extends CoderEstimatorOptions<Input, Output> {
  /** Factor of the divergence in the loss: higher ones draw codes nearer to the normal distribution. Default 1. */
  readonly beta?: number
}

/**
 * Learns codes to draw from (Kingma and Welling, 2014): for each row `reconstruction + beta divergence`, where the divergence is
 * that of the code's normal distribution from the standard one, `1/2 sum (mean^2 + variance - log variance - 1)`, and the
 * reconstruction the cross entropy summed over bytes taken as probabilities, or `1/2 |y - x|^2` for other numbers. Both are told
 * as metrics.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.VariationalAutoEncoder({ inputCol: 'image', layers: [256, 16] }).fit(train)
 * viz.images(await model.sample(40, { seed: 1 }))
 * ```
 */
export class VariationalAutoEncoder<
  Input extends string = string,
  Output extends string = 'encoded',
> extends CoderEstimator<
  VariationalAutoEncoderOptions<Input, Output>,
  Input,
  Output,
  VariationalAutoEncoderModel<Input, Output>
> {
  protected readonly model = VariationalAutoEncoderModel<Input, Output>

  declare readonly kind: 'VariationalAutoEncoder'

  constructor(options: VariationalAutoEncoderOptions<Input, Output>) {
    super('VariationalAutoEncoder', options, { maxIter: 20, stepSize: 0.003 })
    checkNumber('VariationalAutoEncoder', 'beta', options.beta ?? 1, 0)
  }

  protected coder({ shape, isBytes }: TensorColumn): Coder {
    const { options } = this
    const { beta = 1 } = options
    const head = isBytes ? [rescale({ scale: 1 / 255, name: 'rescale' })] : []
    const encoder = encoderLayers(shape, options, 2)
    const decoder = decoderLayers(shape, options, 'linear')
    const tail = isBytes ? [activation({ activation: 'sigmoid', name: 'pixels' })] : []
    const network = model([...head, ...encoder, gaussianSample({ name: 'sample' }), ...decoder, ...tail], {
      inputShape: shape,
    })
    const samplesAt = head.length
    const spreadAt = samplesAt + encoder.length
    const codeAt = spreadAt + 1
    const numbersAt = codeAt + decoder.length
    return {
      network,
      params: { samplesAt, codeAt },
      objective: {
        loss: sumOfParts,
        metrics: partMetrics(['reconstruction', 'divergence']),
        forward: (context, weights, [x]) => {
          const { tf } = context
          const target = applyModel(network, context, weights, x!, { to: samplesAt })
          const spread = applyModel(network, context, weights, target, { from: samplesAt, to: spreadAt })
          const output = applyModel(network, context, weights, spread, { from: spreadAt, to: numbersAt })
          const [mean, logVariance] = tf.split(spread, 2, 1) as [typeof spread, typeof spread]
          const terms = tf.sub(tf.add(tf.square(mean), tf.exp(logVariance)), tf.add(logVariance, 1))
          const reconstruction = isBytes
            ? tf.mul(binaryCrossEntropy.rows(tf, output, target), sizeOf(shape))
            : halfSquaredError.rows(tf, output, target)
          return partsOf(tf, [reconstruction, tf.mul(beta / 2, rowSums(tf, terms))])
        },
      },
    }
  }
}
