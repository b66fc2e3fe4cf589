/**
 * TensorFlow.js's operations as methods of tensors: `x.add(y).relu()`. Its own registration comes with the package
 * `@tensorflow/tfjs` only; with `tfjs-core` alone a tensor has the methods' types and no methods.
 */
import type { Rank, Tensor } from '@tensorflow/tfjs-core'
import { sizeOf } from '../core/dtype.js'
import type { Tf } from './tf.js'

/** Methods that call the operation of the same name on the tensor. */
const plain = `
  abs acos acosh add all any argMax argMin asin asinh atan atan2 atanh avgPool batchNorm batchToSpaceND
  broadcastTo ceil clipByValue conv1d conv2d conv2dTranspose cos cosh cumprod cumsum depthToSpace depthwiseConv2d
  dilation2d div divNoNan dot elu equal erf euclideanNorm exp expandDims expm1 fft floor floorDiv gather greater
  greaterEqual ifft irfft isFinite isInf isNaN leakyRelu less lessEqual localResponseNormalization log log1p
  logSigmoid logSoftmax logSumExp logicalAnd logicalNot logicalOr logicalXor matMul max maxPool maximum mean min
  minimum mirrorPad mod mul neg norm notEqual oneHot onesLike pad pool pow prelu prod reciprocal relu relu6
  reshape reverse rfft round rsqrt selu separableConv2d sigmoid sign sin sinh slice softmax softplus
  spaceToBatchND split sqrt square squaredDifference squeeze step stridedSlice sub sum tan tanh tile topk
  transpose unique unsortedSegmentSum unstack zerosLike
`

/** Adds the methods that tensors lack. */
export function chainOperations(tf: Tf): void {
  const prototype = tf.Tensor.prototype as unknown as Record<string, unknown>
  const operations = tf as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>
  for (const name of plain.trim().split(/\s+/)) {
    prototype[name] ??= function chained(this: Tensor, ...args: unknown[]) {
      return operations[name]!(this, ...args)
    }
  }
  for (const [name, method] of Object.entries(special(tf))) prototype[name] ??= method
}

/** The others, as TensorFlow.js has them. */
function special(tf: Tf) {
  const list = (tensor: Tensor, others: Tensor | Tensor[]): Tensor[] => [tensor, others].flat()
  function reshaping(this: Tensor, ...shape: number[]) {
    return tf.reshape(this, shape)
  }
  type Resize = Parameters<Tf['image']['resizeBilinear']> extends [unknown, ...infer Rest] ? Rest : never
  return {
    as1D(this: Tensor) {
      return tf.reshape(this, [this.size])
    },
    as2D: reshaping,
    as3D: reshaping,
    as4D: reshaping,
    as5D: reshaping,
    asScalar: reshaping,
    asType(this: Tensor, dtype: Tensor['dtype']) {
      return tf.cast(this, dtype)
    },
    concat(this: Tensor, others: Tensor | Tensor[], axis?: number) {
      return tf.concat(list(this, others), axis)
    },
    flatten(this: Tensor) {
      return tf.reshape(this, [sizeOf(this.shape)])
    },
    reshapeAs(this: Tensor, other: Tensor) {
      return tf.reshape(this, other.shape)
    },
    resizeBilinear(this: Tensor<Rank.R4>, ...rest: Resize) {
      return tf.image.resizeBilinear(this, ...rest)
    },
    resizeNearestNeighbor(this: Tensor<Rank.R4>, ...rest: Resize) {
      return tf.image.resizeNearestNeighbor(this, ...rest)
    },
    stack(this: Tensor, others: Tensor | Tensor[], axis?: number) {
      return tf.stack(list(this, others), axis)
    },
    toBool(this: Tensor) {
      return tf.cast(this, 'bool')
    },
    toFloat(this: Tensor) {
      return tf.cast(this, 'float32')
    },
    toInt(this: Tensor) {
      return tf.cast(this, 'int32')
    },
    where(this: Tensor, condition: Tensor, other: Tensor) {
      return tf.where(condition, this, other)
    },
  }
}
