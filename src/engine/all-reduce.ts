/**
 * `allReduce`: adds tensors up over the whole batch inside a step, which otherwise sees the rows of its slice only. What an
 * `AllReduce` means is rule 6 of `trace.ts`.
 *
 * Run at once, outside of any program, the batch is one slice and its sum is the tensor itself. A recording holds one call, and
 * every slice and every worker runs the same trace, so all of them make the same calls in the same order: none can wait for a sum
 * to which another does not add. Since every slice's result depends on the sums of all, the gradient is an `AllReduce` too.
 */
import type { KernelFunc, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../core/errors.js'
import { tfCore } from './tf.js'

export const allReduceKernel = 'AllReduce'

/**
 * The sums of tensors over all slices of the batch, in one go: float32, shapes as given.
 *
 * @throws ShardbookError `engine` when slices run one after the other as JavaScript, so that none could wait for the others.
 * @example
 * ```ts
 * const [total, count] = allReduce([tf.sum(x, 0), tf.scalar(x.shape[0])])
 * ```
 */
export function allReduce(tensors: readonly Tensor[]): Tensor[] {
  const inputs = [...tensors] as unknown as NamedTensorMap
  const sums = tfCore().engine().runKernel<Tensor | Tensor[]>(allReduceKernel, inputs)
  return [sums].flat()
}

let slicesApart = 0

/** Runs one of several slices, of which the others do not run meanwhile. */
export function runApart<T>(slices: number, run: () => T): T {
  if (slices === 1) return run()
  slicesApart++
  try {
    return run()
  } finally {
    slicesApart--
  }
}

/** The kernel where the batch is one slice: buffers of their own, by which a recording tells sums from what was added up. */
const kernelFunc: KernelFunc = ({ inputs }) => {
  if (slicesApart > 0) {
    throw new ShardbookError(
      'engine',
      'allReduce: expected a step that can be recorded, got one that reads values and runs slice by slice.',
      { hint: 'Read no values in it, or take statistics of a slice (nn.batchNormalization({ local: true })).' },
    )
  }
  const tf = tfCore()
  return (inputs as unknown as Tensor[]).map((tensor) => tf.mul(tensor, 1))
}

/** Registers the kernel for an engine, and its gradient. */
export function registerAllReduce(backendName: string): void {
  const tf = tfCore()
  tf.registerKernel({ kernelName: allReduceKernel, backendName, kernelFunc })
  if (tf.getGradient(allReduceKernel) !== undefined) return
  tf.registerGradient({
    kernelName: allReduceKernel,
    gradFunc: (dy) => Object.fromEntries(allReduce([dy].flat()).map((sum, i) => [i, () => sum])),
  })
}
