/** Fully connected layers. */
import type { Tensor3D } from '@tensorflow/tfjs-core'
import { checkInteger, checkOneOf } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { activate, activationNames } from './activation.js'
import type { ActivationName } from './activation.js'
import { initializerNames } from './initializer.js'
import type { InitializerName } from './initializer.js'
import { layer, showShape } from './layer.js'
import type { LayerOf } from './literal-shapes.js'
import { checkSparse, sparseProduct } from './sparse.js'
import type { Layer, LayerOptions } from './layer.js'

export interface DenseOptions extends LayerOptions {
  readonly units: number
  readonly activation?: ActivationName
  readonly useBias?: boolean
  readonly kernelInitializer?: InitializerName
  /** Samples are sparse vectors of so many components, as the feed gives them, `[2, entries]`: the product takes those alone. */
  readonly sparseSize?: number
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
export function dense<const Units extends number>(
  options: DenseOptions & { readonly units: Units; readonly sparseSize?: undefined },
): LayerOf<'dense', readonly ['in'], readonly [Units]>
export function dense(options: DenseOptions): Layer
export function dense(options: DenseOptions): Layer {
  const { units, activation = 'linear', useBias = true, kernelInitializer = 'glorotUniform', sparseSize } = options
  checkInteger('nn.dense', 'units', units, 1)
  if (sparseSize !== undefined) checkInteger('nn.dense', 'sparseSize', sparseSize, 1)
  checkOneOf('nn.dense', 'activation', activation, activationNames)
  checkOneOf('nn.dense', 'kernelInitializer', kernelInitializer, initializerNames)
  return layer('dense', options, {
    infer: (input) => {
      if (sparseSize !== undefined) checkSparse('dense', input)
      else if (input.length !== 1) {
        throw new ShardbookError('argument', `nn.dense: expected samples of shape [in], got ${showShape(input)}.`, {
          hint: 'Put nn.flatten() before it.',
        })
      }
      const width = sparseSize ?? input[0]!
      const fans = { fanIn: width, fanOut: units }
      return {
        output: [units],
        weights: [
          { name: 'kernel', shape: [width, units], initial: { kind: kernelInitializer, ...fans } },
          ...(useBias ? [{ name: 'bias', shape: [units], initial: { kind: 'zeros' } } as const] : []),
        ],
      }
    },
    apply: ({ tf }, x, [kernel, bias]) => {
      // (batch, units)
      const product = sparseSize === undefined ? tf.matMul(x, kernel!) : sparseProduct(tf, x as Tensor3D, kernel!)
      return activate(tf, activation, bias === undefined ? product : tf.add(product, bias))
    },
  })
}
