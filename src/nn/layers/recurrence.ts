/**
 * A cell run over time, with its backward pass.
 *
 * The input's share of all steps is one product before the first step. Backward, the gradients of the weights are products
 * over ten steps at a time: few enough that they run while earlier steps are still going back, long enough to be fast.
 */
import type { Rank, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import type { Tf } from '../../engine/tf.js'
import type { Cell } from './cells.js'

/** Steps whose gradients of the weights are one product. */
const stepsPerProduct = 10

/** Weights of a recurrent layer. */
export interface RecurrentWeights {
  /** [in, gates * units] */
  readonly kernel: Tensor
  /** [units, gates * units] */
  readonly recurrent: Tensor
  /** [gates * units] */
  readonly bias: Tensor
  /** [gates * units], where the cell has one. */
  readonly stateBias: Tensor | undefined
}

/** `x: [batch, steps, in] -> [batch, units]`, the last output, or all of them `[batch, steps, units]` with `sequences`. */
export function recur(tf: Tf, cell: Cell, x: Tensor3D, given: RecurrentWeights, sequences: boolean): Tensor {
  const [rows, steps, width] = x.shape
  const names = Object.keys(given).filter((name) => given[name as keyof RecurrentWeights] !== undefined)
  const run = tf.customGrad((...args) => {
    const save = args.pop() as unknown as (tensors: Tensor[]) => void
    const [input, ...weights] = args as Tensor[]
    const { kernel, recurrent, bias, stateBias } = Object.fromEntries(
      names.map((name, i) => [name, weights[i]]),
    ) as unknown as RecurrentWeights
    const units = recurrent.shape[0]
    const inTime = tf.reshape<Rank.R2>(tf.transpose(input!, [1, 0, 2]), [steps * rows, width])
    const shares = tf.split(tf.add(tf.matMul(inTime, kernel as Tensor2D), bias), steps)
    const passed = forward(tf, cell, shares, { recurrent, stateBias }, zeros(tf, cell, rows, units))
    save([inTime, kernel, recurrent, ...passed.saved.flat(), ...passed.before])

    const gradFunc = (dy: Tensor | Tensor[], kept: Tensor[]): Tensor[] => {
      const [steppedX, w, u, ...others] = kept as [Tensor2D, Tensor2D, Tensor2D, ...Tensor[]]
      const perStep = passed.saved[0]!.length
      const saved = Array.from({ length: steps }, (_, t) => others.slice(t * perStep, (t + 1) * perStep))
      const before = others.slice(steps * perStep)
      const dOutputs = sequences ? tf.unstack(dy as Tensor, 1) : [dy as Tensor]
      const gradients = backward(tf, cell, saved, tf.transpose(u), dOutputs, zeros(tf, cell, rows, units))
      const sizes = cut(steps).map(([from, to]) => (to - from) * rows)
      const parts = tf.split(steppedX, sizes)
      const products = cut(steps).map(([from, to], i) => {
        const dInput = tf.concat(gradients.input.slice(from, to)) as Tensor2D // (steps * batch, gates * units)
        const same = gradients.input[from] === gradients.recurrent[from]
        const dRecurrent = same ? dInput : (tf.concat(gradients.recurrent.slice(from, to)) as Tensor2D)
        return {
          x: tf.matMul(dInput, w, false, true),
          kernel: tf.matMul(parts[i]!, dInput, true),
          recurrent: tf.matMul(tf.concat(before.slice(from, to)) as Tensor2D, dRecurrent, true),
          bias: tf.sum(dInput, 0),
          stateBias: cell.stateBias ? tf.sum(dRecurrent, 0) : undefined,
        }
      })
      const dx = tf.transpose(tf.reshape(tf.concat(products.map((part) => part.x)), [steps, rows, width]), [1, 0, 2])
      const sums = names.map((name) => tf.addN(products.map((part) => part[name as keyof RecurrentWeights]!)))
      return [dx, ...sums]
    }
    const value = sequences ? tf.stack(passed.outputs, 1) : passed.outputs.at(-1)!
    return { value, gradFunc }
  })
  return run(x, ...names.map((name) => given[name as keyof RecurrentWeights]!))
}

/** Some steps forward: the outputs and the state that each began with, what each saved, and the state at the end. */
function forward(
  tf: Tf,
  cell: Cell,
  shares: readonly Tensor[],
  { recurrent, stateBias }: Pick<RecurrentWeights, 'recurrent' | 'stateBias'>,
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

/** The same steps backward; `dOutputs` has one gradient for each output, or that of the last one alone. */
function backward(
  tf: Tf,
  cell: Cell,
  saved: readonly Tensor[][],
  transposed: Tensor,
  dOutputs: readonly Tensor[],
  end: readonly Tensor[],
) {
  const input: Tensor[] = []
  const recurrent: Tensor[] = []
  const lacking = saved.length - dOutputs.length
  let gradient = end
  for (let t = saved.length - 1; t >= 0; t--) {
    const own = dOutputs[t - lacking]
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

/** A state of zeros, made by a kernel: a recorded step holds no large constants. */
function zeros(tf: Tf, { states }: Cell, rows: number, units: number): Tensor[] {
  const { fill } = tf
  return Array.from({ length: states }, () => fill([rows, units], 0))
}

function cut(steps: number): [number, number][] {
  return Array.from({ length: Math.ceil(steps / stepsPerProduct) }, (_, i) => [
    i * stepsPerProduct,
    Math.min(steps, (i + 1) * stepsPerProduct),
  ])
}
