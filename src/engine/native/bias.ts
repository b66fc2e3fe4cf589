/**
 * Adding a vector along the last axis as `BiasAdd`, and summing over all axes but the last as its gradient `BiasAddGrad`: several
 * times faster than a broadcast and a general reduction, but for a vector of one. Everything else goes to tfjs-node's kernels.
 */
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/dtype.js'
import { sameShape } from '../errors.js'
import { tfCore } from '../tf.js'
import { attributeTypes } from './attributes.js'
import { type NativeBackend, nativeBackend } from './backend.js'
import { dataTypes } from './c-api.js'

const attributes = [{ name: 'T', type: attributeTypes.TF_ATTR_TYPE, value: dataTypes.TF_FLOAT }]

/** The kernels `Add` and `Sum`, in front of those registered now. */
export function biasKernels(): Record<'Add' | 'Sum', KernelFunc> {
  const { kernelFunc: add } = tfCore().getKernel('Add', nativeBackend)
  const { kernelFunc: sum } = tfCore().getKernel('Sum', nativeBackend)
  return {
    Add: (params) => {
      const { a, b } = params.inputs as { a: TensorInfo; b: TensorInfo }
      const [value, bias] = a.shape.length >= b.shape.length ? [a, b] : [b, a]
      if (!hasBiases(value) || bias.dtype !== 'float32' || !sameShape(bias.shape, value.shape.slice(-1))) {
        return add(params)
      }
      return (params.backend as NativeBackend).executeSingleOutput('BiasAdd', attributes, [value, bias])
    },
    Sum: (params) => {
      const { x } = params.inputs as { x: TensorInfo }
      const { axis, keepDims } = params.attrs as unknown as { axis?: number | number[] | null; keepDims?: boolean }
      const axes = new Set([axis ?? x.shape.map((_, i) => i)].flat().map((i) => (i < 0 ? i + x.shape.length : i)))
      const last = x.shape.length - 1
      if (!hasBiases(x) || keepDims === true || axes.has(last) || axes.size !== last) return sum(params)
      return (params.backend as NativeBackend).executeSingleOutput('BiasAddGrad', attributes, [x])
    },
  }
}

function hasBiases({ shape, dtype }: TensorInfo): boolean {
  return dtype === 'float32' && shape.length >= 2 && shape.at(-1)! > 1 && sizeOf(shape) > 0
}
