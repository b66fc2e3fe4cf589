/**
 * Kernels of the native engine beside tfjs-node's: those that all engines share, faster ones for biases, and a
 * `GatherV2` that reads no values.
 */
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core'
import { crossEntropyKernel } from '../cross-entropy.js'
import { adam, adamKernel } from '../adam.js'
import { gradientKernels } from '../gradients.js'
import { tfCore } from '../tf.js'
import { type OpAttribute, attributeTypes } from './attributes.js'
import { type NativeBackend, nativeBackend } from './backend.js'
import { biasKernels } from './bias.js'
import { dataTypes } from './c-api.js'

/** Registers the kernels, in place of tfjs-node's where it has one. */
export function registerNativeKernels(): void {
  const tf = tfCore()
  const kernels: Record<string, KernelFunc> = {
    // tfjs-node's reads all indices back to check them, eagerly slow and impossible in a graph; TensorFlow checks them too.
    GatherV2: ({ inputs, attrs, backend }) => {
      const { x, indices } = inputs as { x: TensorInfo; indices: TensorInfo }
      const { axis, batchDims } = attrs as unknown as { axis: number; batchDims: number }
      tf.backend_util.segment_util.collectGatherOpShapeInfo(x, indices, axis, batchDims)
      const native = backend as NativeBackend
      const axisTensor = tf.scalar(axis, 'int32')
      const attributes = [
        { name: 'batch_dims', type: attributeTypes.TF_ATTR_INT, value: batchDims },
        typeAttribute('Tparams', x.dtype),
        typeAttribute('Tindices', indices.dtype),
        typeAttribute('Taxis', 'int32'),
      ]
      const result = native.executeSingleOutput('GatherV2', attributes, [x, indices, axisTensor])
      axisTensor.dispose()
      return result
    },
    [crossEntropyKernel]: ({ inputs, backend }) => {
      const { logits, labels } = inputs as { logits: TensorInfo; labels: TensorInfo }
      const attributes = [typeAttribute('T', logits.dtype), typeAttribute('Tlabels', labels.dtype)]
      const operation = 'SparseSoftmaxCrossEntropyWithLogits'
      return (backend as NativeBackend).executeMultipleOutputs(operation, attributes, [logits, labels], 2)
    },
    [adamKernel]: adam,
    [gradientKernels.Relu]: gradient('ReluGrad', 'dy', 'y'),
    [gradientKernels.Sigmoid]: gradient('SigmoidGrad', 'y', 'dy'),
    [gradientKernels.Tanh]: gradient('TanhGrad', 'y', 'dy'),
  }
  Object.assign(kernels, biasKernels())
  for (const [kernelName, kernelFunc] of Object.entries(kernels)) {
    if (tf.getKernel(kernelName, nativeBackend) !== undefined) tf.unregisterKernel(kernelName, nativeBackend)
    tf.registerKernel({ kernelName, backendName: nativeBackend, kernelFunc })
  }
}

function gradient(operation: string, first: 'dy' | 'y', second: 'dy' | 'y'): KernelFunc {
  return ({ inputs, backend }) => {
    const named = inputs as { dy: TensorInfo; y: TensorInfo }
    const attributes = [typeAttribute('T', named.dy.dtype)]
    return (backend as NativeBackend).executeSingleOutput(operation, attributes, [named[first], named[second]])
  }
}

/** TensorFlow's number for a TensorFlow.js dtype. */
export const dataTypeOf: Readonly<Record<string, number>> = {
  float32: dataTypes.TF_FLOAT,
  int32: dataTypes.TF_INT32,
  bool: dataTypes.TF_BOOL,
  complex64: dataTypes.TF_COMPLEX64,
  string: dataTypes.TF_STRING,
}

export function typeAttribute(name: string, dtype: string): OpAttribute {
  return { name, type: attributeTypes.TF_ATTR_TYPE, value: dataTypeOf[dtype] }
}
