/**
 * The one door to `@tensorflow/tfjs-core`: loaded at first use, always the CommonJS build that `tfjs-layers` and the
 * wasm backend use too, so that all of them share one engine and one kernel registry.
 *
 * tfjs-core registers no gradients by itself; `tfjs-layers` brings them.
 */
import { createRequire } from 'node:module'
import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core'
import { displaySymbol } from '../core/display.js'
import type { MimeBundle } from '../core/display.js'
import type { DType, TensorData } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'
import { chainOperations } from './chained-operations.js'
import { guardKernels } from './guard-kernels.js'

/** The methods' types come with a module that has nothing else: naming it is what counts. */
type Chained = typeof import('@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js')
export type Tf = typeof import('@tensorflow/tfjs-core') & Pick<Chained, never>

let loaded: Tf | undefined

/** The TensorFlow.js core, loaded now if it is not yet. */
export function tfCore(): Tf {
  if (loaded === undefined) {
    const require = createRequire(import.meta.url)
    const tf = require('@tensorflow/tfjs-core') as Tf
    const layers: unknown = tf.getGradient('Relu') ?? require('@tensorflow/tfjs-layers')
    if (layers === undefined) throw new ShardbookError('internal', 'tfCore: expected gradients, got none.')
    Object.defineProperty(tf.Tensor.prototype, displaySymbol, { value: displayTensor, configurable: true })
    chainOperations(tf)
    guardKernels(tf)
    loaded = tf
  }
  return loaded
}

/** A tensor in a notebook shows its dtype, shape and values, the middle of long axes left out. */
function displayTensor(this: Tensor): MimeBundle {
  const { dtype, shape } = this
  const values = this.isDisposed
    ? 'disposed'
    : this.toString()
        .replace(/^ {4}/gm, '')
        .replace(/^Tensor\s*/, '')
  return { 'text/plain': `${dtype} [${shape.join(', ')}]\n${values}` }
}

/**
 * The TensorFlow.js core that every engine of this process shares.
 *
 * @example
 * ```ts
 * const tf = await loadTf()
 * ```
 */
export async function loadTf(): Promise<Tf> {
  return tfCore()
}

/** A tensor with the values of `data`, on the current engine. The values are copied. */
export function tensorOf(data: TensorData): Tensor {
  return tfCore().tensor(data.values.slice(), [...data.shape], data.dtype)
}

/** The values of a tensor as plain data of its own (no view into an engine's memory). */
export function dataOf(tensor: TensorInfo & Pick<Tensor, 'dataSync'>): TensorData {
  const { dtype } = tensor
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
    throw new ShardbookError('engine', `dataOf: expected a float32, int32 or bool tensor, got ${dtype}.`)
  }
  return { shape: [...tensor.shape], dtype, values: tensor.dataSync<DType>().slice() }
}
