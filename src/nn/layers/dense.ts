/** Fully connected layers. */
import { checkInteger, checkOneOf } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { activate, activationNames } from './activation.js'
import type { ActivationName } from './activation.js'
import { initializerNames } from './initializer.js'
import type { InitializerName } from './initializer.js'
import { layer, showShape } from './layer.js'
import type { Layer, LayerOptions } from './layer.js'

export interface DenseOptions extends LayerOptions {
  readonly units: number
  readonly activation?: ActivationName
  readonly useBias?: boolean
  readonly kernelInitializer?: InitializerName
}

/**
 * `activation(x W + b)`: `x: [batch, in] -> [batch, units]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not vectors.
 * @example
 * ```ts
 * nn.dense({ units: 128, activation: 'relu' })
 * ```
 */
export function dense(options: DenseOptions): Layer {
  const { units, activation = 'linear', useBias = true, kernelInitializer = 'glorotUniform' } = options
  checkInteger('nn.dense', 'units', units, 1)
  checkOneOf('nn.dense', 'activation', activation, activationNames)
  checkOneOf('nn.dense', 'kernelInitializer', kernelInitializer, initializerNames)
  return layer('dense', options, {
    infer: (input) => {
      if (input.length !== 1) {
        throw new ShardbookError('argument', `nn.dense: expected samples of shape [in], got ${showShape(input)}.`, {
          hint: 'Put nn.flatten() before it.',
        })
      }
      const fans = { fanIn: input[0]!, fanOut: units }
      return {
        output: [units],
        weights: [
          { name: 'kernel', shape: [input[0]!, units], initial: { kind: kernelInitializer, ...fans } },
          ...(useBias ? [{ name: 'bias', shape: [units], initial: { kind: 'zeros' } } as const] : []),
        ],
      }
    },
    apply: ({ tf }, x, [kernel, bias]) => {
      const product = tf.matMul(x, kernel!) // (batch, units)
      return activate(tf, activation, bias === undefined ? product : tf.add(product, bias))
    },
  })
}
