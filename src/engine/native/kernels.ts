/**
 * Kernels of the native engine beside tfjs-node's: those that all engines share, faster ones for biases, a `GatherV2` that
 * reads no values, and those that it lacks or that refuse some inputs.
 */
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core'
import { crossEntropyKernel } from '../cross-entropy.js'
import { adam, adamKernel } from '../adam.js'
import { gradientKernels } from '../gradients.js'
import { type Refusal, registerHostKernel } from '../host-kernels.js'
import { isPadded, registerPadding } from '../padding.js'
import { poolingGradients } from '../pooling.js'
import { tfCore } from '../tf.js'
import { type OpAttribute, attributeTypes } from './attributes.js'
import { type NativeBackend, nativeBackend } from './backend.js'
import { biasKernels } from './bias.js'
import { dataTypes } from './c-api.js'
import { registerPaddedKernels } from './padding.js'

/** Kernels that tfjs-node lacks. */
const lacking = [
  'BitwiseAnd',
  'DenseBincount',
  'MaxPoolWithArgmax',
  'RaggedGather',
  'RaggedRange',
  'RaggedTensorToTensor',
  'SearchSorted',
  'SparseFillEmptyRows',
  'SparseReshape',
  'SparseSegmentMean',
  'SparseSegmentSum',
  'StaticRegexReplace',
  'StringNGrams',
  'StringSplit',
  'StringToHashBucketFast',
  'Transform',
]

const ofStrings: Refusal = (inputs) => inputs.some(({ dtype }) => dtype === 'string')
const ofIntegers: Refusal = (inputs) => inputs.some(({ dtype }) => dtype === 'int32' || dtype === 'bool')
const ofPadding: Refusal = (_, { pad }) => isPadded(pad)
const ofChannelsFirst: Refusal = (_, { dataFormat }) => dataFormat === 'NCHW'

/** What TensorFlow has no kernel for. */
const refusals: Readonly<Record<string, Refusal>> = {
  AvgPool: ofPadding,
  AvgPool3D: ofPadding,
  Conv2DBackpropFilter: ofChannelsFirst,
  Conv2DBackpropInput: ofChannelsFirst,
  Diag: ofIntegers,
  FusedConv2D: ofChannelsFirst,
  Greater: ofStrings,
  GreaterEqual: ofStrings,
  LeakyRelu: ofIntegers,
  Less: ofStrings,
  LessEqual: ofStrings,
  MaxPool: ofPadding,
  MaxPool3D: ofPadding,
  Round: ofIntegers,
  // tfjs-core takes a list of indices of the first axis for a column of them.
  ScatterNd: ([indices]) => indices!.shape.length < 2,
  Step: ofIntegers,
}

/** Registers the kernels, in place of tfjs-node's where it has one. */
export function registerNativeKernels(): void {
  const tf = tfCore()
  const einsum = tf.getKernel('Einsum', nativeBackend).kernelFunc
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
    // TensorFlow broadcasts along a label that only the result has.
    Einsum: (given) => {
      tf.backend_util.decodeEinsumEquation(given.attrs!['equation'] as string, Object.keys(given.inputs).length)
      return einsum(given)
    },
    [gradientKernels.Relu]: gradient('ReluGrad', 'dy', 'y'),
    [gradientKernels.Sigmoid]: gradient('SigmoidGrad', 'y', 'dy'),
    [gradientKernels.Tanh]: gradient('TanhGrad', 'y', 'dy'),
    ResizeBilinearGrad: resizingGradient('ResizeBilinearGrad'),
    ResizeNearestNeighborGrad: resizingGradient('ResizeNearestNeighborGrad'),
  }
  Object.assign(kernels, biasKernels())
  for (const [kernelName, kernelFunc] of Object.entries(kernels)) {
    if (tf.getKernel(kernelName, nativeBackend) !== undefined) tf.unregisterKernel(kernelName, nativeBackend)
    tf.registerKernel({ kernelName, backendName: nativeBackend, kernelFunc })
  }
  registerPaddedKernels()
  for (const kernelName of lacking) registerHostKernel(kernelName, nativeBackend)
  for (const [kernelName, refuses] of Object.entries(refusals)) registerHostKernel(kernelName, nativeBackend, refuses)
  for (const [kernelName, kernelFunc] of Object.entries(poolingGradients)) {
    registerHostKernel(kernelName, nativeBackend, ofPadding, kernelFunc)
  }
  registerPadding(nativeBackend)
}

function gradient(operation: string, first: 'dy' | 'y', second: 'dy' | 'y'): KernelFunc {
  return ({ inputs, backend }) => {
    const named = inputs as { dy: TensorInfo; y: TensorInfo }
    const attributes = [typeAttribute('T', named.dy.dtype)]
    return (backend as NativeBackend).executeSingleOutput(operation, attributes, [named[first], named[second]])
  }
}

/** tfjs-node's leaves out where the centres of pixels are. */
function resizingGradient(operation: 'ResizeBilinearGrad' | 'ResizeNearestNeighborGrad'): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const { images, dy } = inputs as { images: TensorInfo; dy: TensorInfo }
    const flag = (name: string, attribute: string): OpAttribute => {
      return { name, type: attributeTypes.TF_ATTR_BOOL, value: attrs![attribute] === true }
    }
    const attributes = [
      typeAttribute('T', images.dtype),
      flag('align_corners', 'alignCorners'),
      flag('half_pixel_centers', 'halfPixelCenters'),
    ]
    const native = backend as NativeBackend
    if (operation === 'ResizeBilinearGrad') return native.executeSingleOutput(operation, attributes, [dy, images])
    const size = tfCore().tensor1d(images.shape.slice(1, 3), 'int32')
    const result = native.executeSingleOutput(operation, attributes, [dy, size])
    size.dispose()
    return result
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
