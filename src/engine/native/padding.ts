/**
 * Gradients of convolutions padded by given widths, which tfjs-node's kernels refuse: those of a 'valid' convolution of the
 * padded image.
 */
import type { KernelFunc, NamedTensorMap, Tensor4D, TensorInfo } from '@tensorflow/tfjs-core'
import { type Padding, type Widths, isPadded } from '../padding.js'
import { tfCore } from '../tf.js'
import { nativeBackend } from './backend.js'

type Shape4 = [number, number, number, number]

interface Attributes {
  readonly pad: Padding
  readonly inputShape: Shape4
}

/** A kernel, given how the image is padded and the kernel that knows no such padding. */
type Padded = (
  widths: Widths,
  inputs: NamedTensorMap,
  run: (inputs: NamedTensorMap, attrs: Partial<Attributes>) => TensorInfo,
  attrs: Attributes,
) => TensorInfo

const byFilter: Padded = (widths, { x, dy }, run) => {
  const padded = tfCore().pad(x!, widths)
  const result = run({ x: padded, dy: dy! }, { pad: 'valid' })
  padded.dispose()
  return result
}

const byInput: Padded = (widths, inputs, run, { inputShape }) => {
  const tf = tfCore()
  const padded = inputShape.map((size, axis) => size + widths[axis]![0] + widths[axis]![1]) as Shape4
  const whole = run(inputs, { inputShape: padded, pad: 'valid' }) as Tensor4D
  const starts = widths.map(([before]) => before) as Shape4
  const result = tf.slice4d(whole, starts, inputShape)
  whole.dispose()
  return result
}

const kernels: Readonly<Record<string, Padded>> = {
  Conv2DBackpropFilter: byFilter,
  DepthwiseConv2dNativeBackpropFilter: byFilter,
  Conv2DBackpropInput: byInput,
  DepthwiseConv2dNativeBackpropInput: byInput,
}

/** Registers the kernels over tfjs-node's. */
export function registerPaddedKernels(): void {
  const tf = tfCore()
  for (const [kernelName, padded] of Object.entries(kernels)) {
    const own = tf.getKernel(kernelName, nativeBackend)
    const kernelFunc: KernelFunc = (given) => {
      const attributes = given.attrs as unknown as Attributes
      if (!isPadded(attributes.pad)) return own.kernelFunc(given)
      const run = (inputs: NamedTensorMap, attrs: Partial<Attributes>): TensorInfo =>
        own.kernelFunc({ inputs, attrs: { ...given.attrs, ...attrs }, backend: given.backend }) as TensorInfo
      return padded(attributes.pad as Widths, given.inputs as NamedTensorMap, run, attributes)
    }
    tf.unregisterKernel(kernelName, nativeBackend)
    tf.registerKernel({ ...own, kernelFunc })
  }
}
