/**
 * The steps of a recurrent layer, there and back: each with its own calls (`unrolled`), or some of them as the body of a loop
 * (`looped`), so that a program does not grow with the length of its sequences.
 *
 * Tensors over several steps have the steps' rows one below the other: `[steps * rows, ...]`.
 */
import type { Rank, Tensor, Tensor2D } from '@tensorflow/tfjs-core'
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

/** The gradients of both shares over some steps, and the outputs that these steps began with. */
interface Part {
  readonly input: Tensor2D
  readonly recurrent: Tensor2D
  readonly before: Tensor2D
}

interface Passes {
  /** `shares: [steps * rows, gates * units]` of the input -> the outputs, and what `backward` needs. */
  forward(extent: Extent, shares: Tensor, weights: StateWeights): { readonly value: Tensor; readonly saved: Tensor[] }
  /** From the gradient of `value` those of the shares, in parts from the first step to the last. */
  backward(extent: Extent, dy: Tensor, saved: readonly Tensor[], transposed: Tensor): Part[]
}

export const unrolled: Passes = {
  forward(extent, shares, weights) {
    const { tf, steps, sequences } = extent
    const passed = forward(extent, tf.split(shares, steps), weights, zeros(extent))
    const value = sequences ? tf.stack(passed.outputs, 1) : passed.outputs.at(-1)!
    return { value, saved: [...passed.saved.flat(), ...passed.before] }
  },
  backward(extent, dy, kept, transposed) {
    const { tf, steps, sequences } = extent
    const { saved, before } = perStep(kept, steps)
    const dOutputs = sequences ? tf.unstack(dy, 1) : []
    const gradients = backward(extent, saved, transposed, dOutputs, lastGradient(extent, dy))
    return Array.from({ length: Math.ceil(steps / stepsPerProduct) }, (_, i) => {
      const [from, to] = [i * stepsPerProduct, (i + 1) * stepsPerProduct]
      return {
        ...joined(tf, gradients.input.slice(from, to), gradients.recurrent.slice(from, to)),
        before: tf.concat<Tensor2D>(before.slice(from, to) as Tensor2D[]),
      }
    })
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
  backward(extent, dy, kept, transposed) {
    const { tf, rows, steps, units, sequences } = extent
    const bodySteps = stepsPerBody(steps)
    const before = kept.at(-1)!
    const dOutputs = sequences
      ? [tf.reshape(tf.transpose(dy, [1, 0, 2]), [steps / bodySteps, bodySteps * rows, units])]
      : []
    const { stacked } = scan(
      {
        carried: lastGradient(extent, dy),
        scanned: [...kept.slice(0, -1), ...dOutputs],
        shared: [transposed],
        reverse: true,
      },
      (gradient, scanned, [u]) => {
        const ofSteps = scanned.map((tensor) => tf.split(tensor, bodySteps))
        const own = sequences ? ofSteps.pop()! : []
        const saved = Array.from({ length: bodySteps }, (_, t) => ofSteps.map((tensors) => tensors[t]!))
        const gradients = backward(extent, saved, u!, own, gradient)
        const { input, recurrent } = joined(tf, gradients.input, gradients.recurrent)
        return { carried: [...gradients.gradient], stacked: input === recurrent ? [input] : [input, recurrent] }
      },
    )
    const flat = (tensor: Tensor) => tf.reshape<Rank.R2>(tensor, [steps * rows, tensor.shape.at(-1)!])
    const [input, recurrent] = stacked.map(flat)
    return [{ input: input!, recurrent: recurrent ?? input!, before: flat(before) }]
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

/** One tensor of several steps; the same one twice where the cell's two shares have one gradient. */
function joined(tf: Tf, input: readonly Tensor[], recurrent: readonly Tensor[]): Omit<Part, 'before'> {
  const all = tf.concat<Tensor2D>(input as Tensor2D[])
  return { input: all, recurrent: input[0] === recurrent[0] ? all : tf.concat<Tensor2D>(recurrent as Tensor2D[]) }
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

/** About five steps a body: enough that a loop's own work does not count. */
function stepsPerBody(steps: number): number {
  return [5, 6, 4, 7, 3, 8, 2].find((count) => steps % count === 0) ?? 1
}
