/** Products of two matrices as TensorFlow's `MatMul`: its `BatchMatMul`, which tfjs-node uses, takes a tenth longer on small ones. */
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core'
import { tfCore } from '../tf.js'
import { attributeTypes } from './attributes.js'
import { type NativeBackend, nativeBackend } from './backend.js'
import { typeAttribute } from './kernels.js'

/** Registers the kernel in front of tfjs-node's, which keeps the products of many matrices; once a process. */
export function registerMatMul(): void {
  const tf = tfCore()
  const batched = tf.getKernel('BatchMatMul', nativeBackend)
  const kernelFunc: KernelFunc = (params) => {
    const { a, b } = params.inputs as { a: TensorInfo; b: TensorInfo }
    if (a.shape.length !== 2 || b.shape.length !== 2) return batched.kernelFunc(params)
    const { transposeA, transposeB } = params.attrs as unknown as { transposeA: boolean; transposeB: boolean }
    const attributes = [
      { name: 'transpose_a', type: attributeTypes.TF_ATTR_BOOL, value: transposeA },
      { name: 'transpose_b', type: attributeTypes.TF_ATTR_BOOL, value: transposeB },
      typeAttribute('T', a.dtype),
    ]
    return (params.backend as NativeBackend).executeSingleOutput('MatMul', attributes, [a, b])
  }
  tf.unregisterKernel('BatchMatMul', nativeBackend)
  tf.registerKernel({ ...batched, kernelFunc })
}
