/**
 * Kernels that training needs and that `tfjs-backend-wasm` 4.22 lacks (the gradient of convolutions by their filter, of
 * depthwise convolutions, of `gather`, the shared gradient kernels of `../gradients.ts`), has wrong (those of pooling and
 * resizing) or has slow (the gradient of convolutions by their input, products of transposed matrices).
 */
import type { KernelFunc, NamedTensorMap, Tensor, Tensor1D, Tensor2D, TensorInfo } from '@tensorflow/tfjs-core'
import { composedCrossEntropy, crossEntropyKernel } from '../cross-entropy.js'
import { adam, adamKernel } from '../adam.js'
import { gradientKernels } from '../gradients.js'
import { type Refusal, registerHostKernel } from '../host-kernels.js'
import { isPadded, registerPadding } from '../padding.js'
import { poolingGradients } from '../pooling.js'
import { randomUniformKernel } from '../random.js'
import { scanKernel } from '../scan.js'
import { tfCore } from '../tf.js'
import { convBackpropFilter, convBackpropInput } from './convolution.js'
import { depthwiseBackpropFilter, depthwiseBackpropInput } from './depthwise.js'
import { resizeBilinearGrad, resizeNearestGrad } from './resizing.js'

/** Kernels that the backend lacks and that training seldom needs. */
const lacking = [
  'Complex',
  'ComplexAbs',
  'Einsum',
  'FFT',
  'IFFT',
  'Imag',
  'RaggedGather',
  'RaggedRange',
  'RaggedTensorToTensor',
  'Real',
  'StaticRegexReplace',
]

const ofChannelsFirst: Refusal = (_, { dataFormat }) => dataFormat === 'NCHW'
/** A bias that is not one number a channel. */
const ofBias: Refusal = (inputs, attrs) =>
  ofChannelsFirst(inputs, attrs) || (inputs.length > 2 && inputs[2]!.shape.length !== 1)
/** Windows that lie in the padding. */
const ofPadding: Refusal = (_, { pad, filterSize }) =>
  isPadded(pad) && Math.max(...([pad].flat(2) as number[])) >= Math.min(...([filterSize].flat() as number[]))

/** What the backend's own kernels refuse or get wrong. */
const refusals: Readonly<Record<string, Refusal>> = {
  AvgPool: ofPadding,
  BatchMatMul: (inputs) => inputs.some(({ dtype }) => dtype !== 'float32'),
  Bincount: ([x]) => x!.shape.length > 1,
  Conv2D: ofChannelsFirst,
  Conv2DBackpropFilter: ofChannelsFirst,
  Conv2DBackpropInput: ofChannelsFirst,
  // Wrong, and they write beyond their tensors.
  Conv3DBackpropFilterV2: () => true,
  Conv3DBackpropInputV2: () => true,
  FusedConv2D: ofBias,
  FusedDepthwiseConv2D: ofBias,
  MaxPool: ofPadding,
  // Takes the smallest positive number for the maximum of negative ones.
  MaxPool3D: () => true,
  _FusedMatMul: ofBias,
}

/** Kernels that only hand on their input's buffer. */
const sharing = ['Identity', 'Reshape', 'ExpandDims']

const ofDtype: Refusal = (inputs, attrs) =>
  [...inputs, attrs as { dtype?: string }].some(({ dtype }) => dtype === 'string' || dtype === 'complex64')

/** Registers the kernels, in place of the backend's where it has one; once a process. */
export function registerWasmKernels(): void {
  const tf = tfCore()
  const kernels: Record<string, KernelFunc> = {
    Conv2DBackpropFilter: convBackpropFilter,
    Conv2DBackpropInput: convBackpropInput,
    DepthwiseConv2dNativeBackpropFilter: depthwiseBackpropFilter,
    DepthwiseConv2dNativeBackpropInput: depthwiseBackpropInput,
    UnsortedSegmentSum: unsortedSegmentSum,
    Scan: scanKernel,
    RandomUniform: randomUniformKernel,
    ...poolingGradients,
    Slice: checkedSlice(tf.getKernel('Slice', 'wasm').kernelFunc),
    Cast: castToBool(tf.getKernel('Cast', 'wasm').kernelFunc),
    Identity: identity,
    ResizeNearestNeighborGrad: resizeNearestGrad,
    ResizeBilinearGrad: resizeBilinearGrad,
    [crossEntropyKernel]: ({ inputs }) =>
      tfCore().tidy(() => {
        const { logits, labels } = inputs as NamedTensorMap & { logits: Tensor2D; labels: Tensor1D }
        return composedCrossEntropy(logits, labels)
      }),
    [adamKernel]: adam,
    [gradientKernels.Relu]: composed(({ dy, y }) => tf.mul(dy!, tf.cast(tf.step(y!), 'float32'))),
    [gradientKernels.Sigmoid]: composed(({ dy, y }) => tf.mul(dy!, tf.mul(y!, tf.sub(1, y!)))),
    [gradientKernels.Tanh]: composed(({ dy, y }) => tf.mul(dy!, tf.sub(1, tf.square(y!)))),
  }
  for (const kernelName of Object.keys(kernels)) {
    if (tf.getKernel(kernelName, 'wasm') !== undefined) tf.unregisterKernel(kernelName, 'wasm')
  }
  for (const [kernelName, kernelFunc] of Object.entries(kernels)) {
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc })
  }
  const multiply = tf.getKernel('BatchMatMul', 'wasm')
  tf.unregisterKernel('BatchMatMul', 'wasm')
  tf.registerKernel({ ...multiply, kernelFunc: batchMatMul(multiply.kernelFunc) })
  for (const kernelName of lacking) registerHostKernel(kernelName, 'wasm')
  for (const { kernelName } of tf.getKernelsForBackend('wasm')) {
    if (sharing.includes(kernelName) || lacking.includes(kernelName)) continue
    const refuses = refusals[kernelName]
    const either: Refusal = (inputs, attrs) => ofDtype(inputs, attrs) || refuses!(inputs, attrs)
    registerHostKernel(kernelName, 'wasm', refuses === undefined ? ofDtype : either)
  }
  registerPadding('wasm')
}

/** Shares the buffer, which the backend's own kernel copies. */
const identity: KernelFunc = ({ inputs, backend }) => {
  const { dataId, shape, dtype } = inputs['x']!
  ;(backend as unknown as { incRef(id: object): void }).incRef(dataId)
  return { dataId, shape, dtype }
}

/** The backend reads beyond the tensor. */
function checkedSlice(original: KernelFunc): KernelFunc {
  return (given) => {
    const { begin, size } = given.attrs as unknown as { begin: number[]; size: number[] }
    const { parseSliceParams, assertParamsValid } = tfCore().slice_util
    const x = given.inputs['x']!
    const [starts, sizes] = parseSliceParams(x, begin, size)
    assertParamsValid(x, starts!, sizes!)
    return original(given)
  }
}

/** The backend truncates to a byte: 256 would become false. */
function castToBool(original: KernelFunc): KernelFunc {
  return (given) => {
    const x = given.inputs['x'] as Tensor
    if (given.attrs?.['dtype'] !== 'bool' || x.dtype === 'bool') return original(given)
    return tfCore().tidy(() => tfCore().notEqual(x, tfCore().scalar(0, x.dtype as 'int32')))
  }
}

/** A kernel made of TensorFlow.js operations. */
function composed(compute: (inputs: Record<string, Tensor>) => Tensor): KernelFunc {
  return ({ inputs }) => tfCore().tidy(() => compute(inputs as NamedTensorMap))
}

/** The backend multiplies fast only what is not transposed, so transpose first. */
function batchMatMul(original: KernelFunc): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const tf = tfCore()
    const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean }
    const { a, b } = inputs as NamedTensorMap & { a: Tensor; b: Tensor }
    if (!transposeA && !transposeB) return original({ inputs, attrs: attrs!, backend })
    const turned = (tensor: Tensor): Tensor => {
      const axes = tensor.shape.map((_, axis) => axis)
      return tf.transpose(tensor, [...axes.slice(0, -2), axes.length - 1, axes.length - 2])
    }
    return tf.tidy(() => {
      const plain = { a: transposeA ? turned(a) : a, b: transposeB ? turned(b) : b }
      const product = original({ inputs: plain, attrs: { transposeA: false, transposeB: false }, backend })
      return tf.engine().makeTensorFromTensorInfo(product as TensorInfo)
    })
  }
}

/** Sums rows by segment; rows with a negative segment are dropped. */
const unsortedSegmentSum: KernelFunc = ({ inputs, attrs, backend }) => {
  const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo }
  const { numSegments } = attrs as unknown as { numSegments: number }
  const read = backend as unknown as { readSync(id: object): Float32Array | Int32Array }
  const values = read.readSync(x.dataId)
  const ids = read.readSync(segmentIds.dataId)
  const shape = [numSegments, ...x.shape.slice(segmentIds.shape.length)]
  const width = shape.slice(1).reduce((n, d) => n * d, 1)
  const sums = x.dtype === 'int32' ? new Int32Array(numSegments * width) : new Float32Array(numSegments * width)
  for (let row = 0; row < ids.length; row++) {
    const segment = ids[row]!
    if (segment < 0 || segment >= numSegments) continue
    for (let k = 0; k < width; k++) sums[segment * width + k]! += values[row * width + k]!
  }
  return tfCore().tensor(sums, shape, x.dtype)
}
