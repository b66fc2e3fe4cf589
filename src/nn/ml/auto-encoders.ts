/** `AutoEncoders`: networks that learn a short code of images or vectors: dense, convolutional, denoising, sparse. */
import { checkNumber, checkOneOf } from '../../core/check.js'
import { rescale } from '../layers/activation.js'
import { gaussianNoise } from '../layers/dropout.js'
import { halfSquaredError } from '../loss.js'
import { applyModel, model } from '../model.js'
import { AutoEncodersModel } from './auto-encoders-model.js'
import { CoderEstimator } from './coder.js'
import type { Coder, CoderEstimatorOptions } from './coder.js'
import { decoderLayers, encoderLayers } from './coder-layers.js'
import type { TensorColumn } from './columns.js'
import { partMetrics, partsOf, rowSums, sumOfParts } from './parts.js'

/** Options of `AutoEncoders`. Defaults: `maxIter` 10, `stepSize` 0.005. */
export interface AutoEncodersOptions<
  Input extends string = string,
  Output extends string = string,
> extends CoderEstimatorOptions<Input, Output> {
  /** Of the decoder's last layer. Default: sigmoid for bytes, linear else. */
  readonly outputActivation?: 'sigmoid' | 'linear'
  /**
   * Standard deviation of the normal noise that is added to what goes in while training, on the scale that the network sees:
   * the decoder learns to give back what was there before (Vincent and others, 2008). Default 0.
   */
  readonly noise?: number
  /** Factor of the sum of a code's absolute values that is added to the loss: codes become sparse. Default 0. */
  readonly activityPenalty?: number
}

/**
 * Learns a code: an encoder and a decoder that minimise `1/2N sum |y - x|^2` over the N rows with Adam; with an activity penalty
 * `1/2N sum |y - x|^2 + penalty / N sum |code|`, whose parts are told as metrics.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.AutoEncoders({ inputCol: 'image', outputCol: 'encoded', layers: [128, 32] }).fit(train)
 * const encoded = model.transform(test)
 * const decoded = model.transform(encoded)
 * ```
 */
export class AutoEncoders<Input extends string = string, Output extends string = 'encoded'> extends CoderEstimator<
  AutoEncodersOptions<Input, Output>,
  Input,
  Output,
  AutoEncodersModel<Input, Output>
> {
  protected readonly model = AutoEncodersModel<Input, Output>

  declare readonly kind: 'AutoEncoders'

  constructor(options: AutoEncodersOptions<Input, Output>) {
    super('AutoEncoders', options, { maxIter: 10, stepSize: 0.005 })
    const { noise = 0, activityPenalty = 0, outputActivation = 'linear' } = options
    checkNumber('AutoEncoders', 'noise', noise, 0)
    checkNumber('AutoEncoders', 'activityPenalty', activityPenalty, 0)
    checkOneOf('AutoEncoders', 'outputActivation', outputActivation, ['sigmoid', 'linear'])
  }

  protected coder({ shape, isBytes }: TensorColumn): Coder {
    const { options } = this
    const { outputActivation = isBytes ? 'sigmoid' : 'linear', noise = 0, activityPenalty = 0 } = options
    const head = isBytes ? [rescale({ scale: 1 / 255, name: 'rescale' })] : []
    const encoder = [
      ...(noise === 0 ? [] : [gaussianNoise({ deviation: noise, name: 'noise' })]),
      ...encoderLayers(shape, options, 1),
    ]
    const network = model([...head, ...encoder, ...decoderLayers(shape, options, outputActivation)], {
      inputShape: shape,
    })
    const [samplesAt, codeAt] = [head.length, head.length + encoder.length]
    const isPenalised = activityPenalty > 0
    return {
      network,
      params: { samplesAt, codeAt },
      objective: {
        loss: isPenalised ? sumOfParts : halfSquaredError,
        metrics: isPenalised ? partMetrics(['reconstruction', 'activity']) : [],
        forward: (context, weights, [x]) => {
          const { tf } = context
          const target = applyModel(network, context, weights, x!, { to: samplesAt })
          const code = applyModel(network, context, weights, target, { from: samplesAt, to: codeAt })
          const output = applyModel(network, context, weights, code, { from: codeAt })
          if (!isPenalised) return { output, target }
          const activity = tf.mul(activityPenalty, rowSums(tf, tf.abs(code)))
          return partsOf(tf, [halfSquaredError.rows(tf, output, target), activity])
        },
      },
    }
  }
}
