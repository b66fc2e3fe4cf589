/**
 * Padding of convolutions and pooling by one width becomes a list of widths a side. TensorFlow.js takes the filter's height
 * for its width where it works out the result of the former, so that engines gave wrong shapes, or wrote beyond them.
 */
import type { KernelFunc } from '@tensorflow/tfjs-core'
import { tfCore } from './tf.js'

/** The widths before and behind each axis. */
export type Widths = [[number, number], [number, number], [number, number], [number, number]]
export type Padding = 'same' | 'valid' | number | Widths

const kernels = [
  'AvgPool',
  'AvgPoolGrad',
  'Conv2D',
  'Conv2DBackpropFilter',
  'Conv2DBackpropInput',
  'DepthwiseConv2dNative',
  'DepthwiseConv2dNativeBackpropFilter',
  'DepthwiseConv2dNativeBackpropInput',
  'FusedConv2D',
  'FusedDepthwiseConv2D',
  'MaxPool',
  'MaxPoolGrad',
]

/** Lets these kernels of a backend see widths a side only. */
export function registerPadding(backendName: string): void {
  const tf = tfCore()
  for (const kernelName of kernels) {
    const own = tf.getKernel(kernelName, backendName)
    const kernelFunc: KernelFunc = (given) => {
      const { pad, dataFormat } = given.attrs as unknown as { pad: Padding; dataFormat?: string }
      if (typeof pad !== 'number') return own.kernelFunc(given)
      return own.kernelFunc({ ...given, attrs: { ...given.attrs, pad: sides(pad, dataFormat) } })
    }
    tf.unregisterKernel(kernelName, backendName)
    tf.registerKernel({ ...own, kernelFunc })
  }
}

function sides(pad: number, dataFormat: string | undefined): Widths {
  const [none, both] = [[0, 0] as [number, number], [pad, pad] as [number, number]]
  return dataFormat === 'NCHW' ? [none, none, both, both] : [none, both, both, none]
}

/** Whether the padding is by given widths, and not all of them 0. */
export function isPadded(pad: unknown): boolean {
  return typeof pad !== 'string' && [pad].flat(2).some((width) => width !== 0)
}
