/** The engine's kernels: lowered ones run on the device, all others on the host. */
import type { KernelFunc } from '@tensorflow/tfjs-core'
import { allReduceKernel, registerAllReduce } from '../all-reduce.js'
import { registerHostKernel } from '../host-kernels.js'
import { registerPadding } from '../padding.js'
import { tfCore } from '../tf.js'
import type { Trace } from '../trace.js'
import { type PjrtBackend, pjrtBackend } from './backend.js'
import { loweredKernels } from './lower/index.js'

/**
 * Kernels without a lowering: their results have no static shape, hold text or complex numbers, or training seldom needs them.
 *
 * @public The table of kernels is made of it.
 */
export const hostKernels: readonly string[] = [
  'BroadcastArgs',
  'Complex',
  'ComplexAbs',
  'CropAndResize',
  'DenseBincount',
  'Dilation2D',
  'Dilation2DBackpropFilter',
  'Dilation2DBackpropInput',
  'FFT',
  'IFFT',
  'Imag',
  'LRN',
  'LRNGrad',
  'MaxPoolWithArgmax',
  'Multinomial',
  'NonMaxSuppressionV3',
  'NonMaxSuppressionV4',
  'NonMaxSuppressionV5',
  'RaggedGather',
  'RaggedRange',
  'RaggedTensorToTensor',
  'Real',
  'RotateWithOffset',
  'SparseFillEmptyRows',
  'SparseReshape',
  'SparseSegmentMean',
  'SparseSegmentSum',
  'StaticRegexReplace',
  'StringNGrams',
  'StringSplit',
  'StringToHashBucketFast',
  'Transform',
  'Unique',
]

/** Lowered kernels that the reference backend lacks; of all others it takes text and complex numbers. */
const ours = new Set([
  'Adam',
  'RandomUniform',
  'ReluGrad',
  'Scan',
  'SigmoidGrad',
  'SparseSoftmaxCrossEntropy',
  'TanhGrad',
])

/** Kernels that give a list, of one too. */
const lists = new Set(['Scan', 'SplitV', 'Unpack'])

/** Registers the kernels; once a process. */
export function registerPjrtKernels(): void {
  const tf = tfCore()
  for (const kernelName of loweredKernels) {
    if (kernelName === allReduceKernel) continue // as on every engine
    const kernelFunc = kernelName === 'Identity' ? identity : lowered(kernelName)
    tf.registerKernel({ kernelName, backendName: pjrtBackend, kernelFunc })
    if (ours.has(kernelName)) continue
    registerHostKernel(kernelName, pjrtBackend, (inputs, attrs) =>
      [...inputs, attrs as { dtype?: string }].some(({ dtype }) => dtype === 'string' || dtype === 'complex64'),
    )
  }
  for (const kernelName of hostKernels) registerHostKernel(kernelName, pjrtBackend)
  registerAllReduce(pjrtBackend)
  registerPadding(pjrtBackend)
}

function lowered(kernel: string): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const { body, ...plain } = (attrs ?? {}) as { readonly body?: Trace }
    const named = Array.isArray(inputs) ? { inputs } : inputs
    const given = { kernel, attrs: plain, ...(body !== undefined && { body }) }
    const results = (backend as PjrtBackend).run(given, named)
    return lists.has(kernel) ? results : results.length === 1 ? results[0]! : results
  }
}

/** Shares the values. */
const identity: KernelFunc = ({ inputs, backend }) => {
  const { dataId, shape, dtype } = inputs['x']!
  ;(backend as PjrtBackend).incRef(dataId)
  return { dataId, shape, dtype }
}
