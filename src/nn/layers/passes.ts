/**
 * The steps of a recurrent layer, there and back: each with its own calls (`unrolled`), or some of them as the body of a loop
 * (`looped`), so that a program does not grow with the length of its sequences.
 *
 * Tensors over several steps have the steps' rows one below the other: `[steps * rows, ...]`.
 */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core'
import { scan } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import type { Cell } from './cells.js'

/** Steps whose gradients of the weights are one product: it runs while earlier steps are still going back. */
const stepsPerProduct = 10

/** What is run, and over what. */
export interface Extent {
  readonly tf: Tf
  readonly cell: Cell
  readonly rows: number
  readonly steps: number
  readonly units: number
  /** Whether every step's output is wanted, or the last one's only. */
  readonly sequences: boolean
}

interface StateWeights {
  readonly recurrent: Tensor
  readonly stateBias: Tensor | undefined
}

interface BackwardInputs {
  /** [steps * rows, in] */
  readonly x: Tensor2D
  readonly kernel: Tensor2D
  /** The recurrent weight, transposed. */
  readonly transposed: Tensor
}

interface Passes {
  /** `shares: [steps * rows, gates * units]` of the input -> the outputs, and what `backward` needs. */
  forward(extent: Extent, shares: Tensor, weights: StateWeights): { readonly value: Tensor; readonly saved: Tensor[] }
  /** From the gradient of `value` those of x [steps * rows, in], both kernels, the bias and, in a cell that has one, the state's bias. */
  backward(extent: Extent, dy: Tensor, saved: readonly Tensor[], inputs: BackwardInputs): Tensor[]
}

export const unrolled: Passes = {
  forward(extent, shares, weights) {
    const { tf, steps, sequences } = extent
    const passed = forward(extent, tf.split(shares, steps), weights, zeros(extent))
    const value = sequences ? tf.stack(passed.outputs, 1) : passed.outputs.at(-1)!
    return { value, saved: [...passed.saved.flat(), ...passed.before] }
  },
  backward(extent, dy, kept, { x, kernel, transposed }) {
    const { tf, rows, steps, sequences } = extent
    const { saved, before } = perStep(kept, steps)
    const dOutputs = sequences ? tf.unstack(dy, 1) : []
    const gradients = backward(extent, saved, transposed, dOutputs, lastGradient(extent, dy))
    const starts = Array.from({ length: Math.ceil(steps / stepsPerProduct) }, (_, i) => i * stepsPerProduct)
    const xs = tf.split<Tensor2D>(
      x,
      starts.map((from) => Math.min(stepsPerProduct, steps - from) * rows),
    )
    const parts = starts.map((from, i) => {
      const some = <T>(list: readonly T[]): T[] => list.slice(from, from + stepsPerProduct)
      const shares = { input: some(gradients.input), recurrent: some(gradients.recurrent) }
      return products(extent, shares, some(before), xs[i]!, kernel)
    })
    const [dx, ...sums] = parts[0]!.map((_, k) => parts.map((part) => part[k]!))
    return [tf.concat(dx!), ...sums.map((terms) => tf.addN(terms))]
  },
}

export const looped: Passes = {
  forward(extent, shares, { recurrent, stateBias }) {
    const { tf, rows, steps, units, sequences } = extent
    const bodySteps = stepsPerBody(steps)
    const inBodies = tf.reshape(shares, [steps / bodySteps, bodySteps * rows, shares.shape[1]!])
    const shared = stateBias === undefined ? [recurrent] : [recurrent, stateBias]
    const { carried, stacked } = scan(
      { carried: zeros(extent), scanned: [inBodies], shared },
      (state, [share], [u, bias]) => {
        const passed = forward(extent, tf.split(share!, bodySteps), { recurrent: u!, stateBias: bias }, state)
        const saved = passed.saved[0]!.map((_, k) => tf.concat(passed.saved.map((tensors) => tensors[k]!)))
        return {
          carried: [...passed.state],
          stacked: [...(sequences ? [tf.concat(passed.outputs)] : []), ...saved, tf.concat(passed.before)],
        }
      },
    )
    if (!sequences) return { value: carried[0]!, saved: stacked }
    const [outputs, ...saved] = stacked
    return { value: tf.transpose(tf.reshape(outputs!, [steps, rows, units]), [1, 0, 2]), saved }
  },
  backward(extent, dy, kept, { x, kernel, transposed }) {
    const { tf, cell, rows, steps, units, sequences } = extent
    const bodySteps = stepsPerBody(steps)
    const bodies = [steps / bodySteps, bodySteps * rows]
    const width = x.shape[1]
    const dOutputs = sequences ? [tf.reshape(tf.transpose(dy, [1, 0, 2]), [...bodies, units])] : []
    const columns = cell.gates * units
    const { fill } = tf
    const sums = [[width, columns], [units, columns], [columns], ...(cell.stateBias ? [[columns]] : [])]
    const { carried, stacked } = scan(
      {
        carried: [...lastGradient(extent, dy), ...sums.map((shape) => fill(shape, 0))],
        scanned: [tf.reshape(x, [...bodies, width]), ...kept, ...dOutputs],
        shared: [kernel, transposed],
        reverse: true,
      },
      (state, [ownX, ...scanned], [w, u]) => {
        const ofSteps = scanned.map((tensor) => tf.split(tensor, bodySteps))
        const own = sequences ? ofSteps.pop()! : []
        const before = ofSteps.pop()!
        const saved = before.map((_, t) => ofSteps.map((tensors) => tensors[t]!))
        const gradients = backward(extent, saved, u!, own, state.slice(0, cell.states))
        const [dx, ...terms] = products(extent, gradients, before, ownX as Tensor2D, w as Tensor2D)
        const added = terms.map((term, i) => tf.add(state[cell.states + i]!, term))
        return { carried: [...gradients.gradient, ...added], stacked: [dx!] }
      },
    )
    return [tf.reshape(stacked[0]!, [steps * rows, width]), ...carried.slice(cell.states)]
  },
}

/** Some steps forward: the outputs and what each began with, what each saved, and the state at the end. */
function forward(
  { tf, cell }: Extent,
  shares: readonly Tensor[],
  { recurrent, stateBias }: StateWeights,
  start: readonly Tensor[],
) {
  const outputs: Tensor[] = []
  const before: Tensor[] = []
  const saved: Tensor[][] = []
  let state = start
  for (const share of shares) {
    before.push(state[0]!)
    const product = tf.matMul(state[0]!, recurrent)
    const step = cell.forward(tf, share, stateBias === undefined ? product : tf.add(product, stateBias), state)
    saved.push(step.saved)
    outputs.push(step.state[0]!)
    state = step.state
  }
  return { outputs, before, saved, state }
}

/** The same steps backward; `dOutputs` has a gradient for every output, or none. */
function backward(
  { tf, cell }: Extent,
  saved: readonly Tensor[][],
  transposed: Tensor,
  dOutputs: readonly Tensor[],
  end: readonly Tensor[],
) {
  const input: Tensor[] = []
  const recurrent: Tensor[] = []
  let gradient = end
  for (let t = saved.length - 1; t >= 0; t--) {
    const own = dOutputs[t]
    const [dh, ...others] = gradient as [Tensor, ...Tensor[]]
    const step = cell.backward(tf, saved[t]!, [own === undefined ? dh : tf.add(dh, own), ...others])
    input.unshift(step.input)
    recurrent.unshift(step.recurrent)
    const through = tf.matMul(step.recurrent, transposed)
    const [direct, ...rest] = step.state
    gradient = [direct === undefined ? through : tf.add(direct, through), ...(rest as Tensor[])]
  }
  return { input, recurrent, gradient }
}

/** What `unrolled.forward` saved, by step. */
function perStep(kept: readonly Tensor[], steps: number): { saved: Tensor[][]; before: readonly Tensor[] } {
  const count = kept.length / steps - 1
  const saved = Array.from({ length: steps }, (_, t) => kept.slice(t * count, (t + 1) * count))
  return { saved, before: kept.slice(steps * count) }
}

/** What some steps add to the gradients of x, the kernels and the biases. */
function products(
  { tf, cell }: Extent,
  shares: { readonly input: readonly Tensor[]; readonly recurrent: readonly Tensor[] },
  before: readonly Tensor[],
  x: Tensor2D,
  kernel: Tensor2D,
): Tensor[] {
  const joined = (tensors: readonly Tensor[]) => tf.concat<Tensor2D>(tensors as Tensor2D[])
  const input = joined(shares.input)
  const recurrent = shares.input[0] === shares.recurrent[0] ? input : joined(shares.recurrent)
  return [
    tf.matMul(input, kernel, false, true),
    tf.matMul(x, input, true),
    tf.matMul(joined(before), recurrent, true),
    tf.sum(input, 0),
    ...(cell.stateBias ? [tf.sum(recurrent, 0)] : []),
  ]
}

/** The gradient of the state after the last step. */
function lastGradient(extent: Extent, dy: Tensor): Tensor[] {
  const [first, ...others] = zeros(extent)
  return [extent.sequences ? first! : dy, ...others]
}

/** A state of zeros, made by a kernel: a recorded step holds no large constants. */
function zeros({ tf, cell, rows, units }: Extent): Tensor[] {
  const { fill } = tf
  return Array.from({ length: cell.states }, () => fill([rows, units], 0))
}

/** About ten steps a body: a loop's own work counts little, and the products are as large as in `unrolled`. */
function stepsPerBody(steps: number): number {
  return [10, 9, 8, 7, 6, 5, 4, 3, 2].find((count) => steps % count === 0) ?? 1
}
