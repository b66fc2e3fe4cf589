/** Recurrent layers: SimpleRNN, LSTM and GRU with Keras's weights, order of gates and defaults. */
import type { Tensor3D } from '@tensorflow/tfjs-core'
import { checkInteger, checkOneOf } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { elmanCell, gruCell, lstmCell } from './cells.js'
import type { Cell } from './cells.js'
import { layer, showShape } from './layer.js'
import type { Layer, LayerOptions, WeightSpec } from './layer.js'
import type { LayerOf, Steps } from './literal-shapes.js'
import { recur } from './recurrence.js'
import { checkSparse, sparseProduct } from './sparse.js'

export interface RecurrentOptions extends LayerOptions {
  readonly units: number
  /** Whether to give the output of every step, not only the last. Default false. */
  readonly returnSequences?: boolean
  /**
   * Samples are sparse vectors of so many components, as the feed gives them, `[2, entries]`: a sequence of one step, whose
   * product takes the entries alone.
   */
  readonly sparseSize?: number
}

const elmanActivations = ['tanh', 'relu', 'sigmoid'] as const

export interface SimpleRnnOptions extends RecurrentOptions {
  /** Default `'tanh'`. */
  readonly activation?: (typeof elmanActivations)[number]
}

/** Its shapes in types, of samples that are no sparse vectors. */
type RecurrentOf<Name extends string, Units extends number, Every extends boolean> = LayerOf<
  Name,
  Steps,
  Every extends true ? readonly ['first', Units] : readonly [Units]
>
type Literal<O extends RecurrentOptions, Units extends number, Every extends boolean> = O & {
  readonly units: Units
  readonly returnSequences?: Every
  readonly sparseSize?: undefined
}

/**
 * A plain recurrent network (Elman, 1990), `h <- tanh(x W + h U + b)`: `x: [batch, steps, in] -> [batch, units]`, or
 * `[batch, steps, units]` with `returnSequences`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not sequences of vectors.
 * @example
 * ```ts
 * nn.simpleRnn({ units: 64 })
 * ```
 */
export function simpleRnn<const Units extends number, const Every extends boolean = false>(
  options: Literal<SimpleRnnOptions, Units, Every>,
): RecurrentOf<'simpleRnn', Units, Every>
export function simpleRnn(options: SimpleRnnOptions): Layer
export function simpleRnn(options: SimpleRnnOptions): Layer {
  const { activation = 'tanh' } = options
  checkOneOf('nn.simpleRnn', 'activation', activation, elmanActivations)
  return recurrent('simpleRnn', options, elmanCell(activation), [0])
}

/**
 * Long short-term memory; the forget gate's bias starts at one: `x: [batch, steps, in] -> [batch, units]`, or
 * `[batch, steps, units]` with `returnSequences`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not sequences of vectors.
 * @example
 * ```ts
 * nn.lstm({ units: 128, returnSequences: true })
 * ```
 */
export function lstm<const Units extends number, const Every extends boolean = false>(
  options: Literal<RecurrentOptions, Units, Every>,
): RecurrentOf<'lstm', Units, Every>
export function lstm(options: RecurrentOptions): Layer
export function lstm(options: RecurrentOptions): Layer {
  return recurrent('lstm', options, lstmCell, [0, 1, 0, 0])
}

/**
 * Gated recurrent unit, the reset applied after the product: `x: [batch, steps, in] -> [batch, units]`, or
 * `[batch, steps, units]` with `returnSequences`.
 *
 * Keras's bias of shape [2, 3 * units] is here two weights, `bias` and `recurrentBias`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not sequences of vectors.
 * @example
 * ```ts
 * nn.gru({ units: 128 })
 * ```
 */
export function gru<const Units extends number, const Every extends boolean = false>(
  options: Literal<RecurrentOptions, Units, Every>,
): RecurrentOf<'gru', Units, Every>
export function gru(options: RecurrentOptions): Layer
export function gru(options: RecurrentOptions): Layer {
  return recurrent('gru', options, gruCell, [0, 0, 0])
}

function recurrent(kind: string, options: RecurrentOptions, cell: Cell, bias: readonly number[]): Layer {
  const { units, returnSequences = false, sparseSize } = options
  checkInteger(`nn.${kind}`, 'units', units, 1)
  if (sparseSize !== undefined) checkInteger(`nn.${kind}`, 'sparseSize', sparseSize, 1)
  const columns = cell.gates * units
  return layer(kind, options, {
    infer: (input) => {
      if (input.length !== 2) {
        throw new ShardbookError(
          'argument',
          `nn.${kind}: expected samples of shape [steps, in], got ${showShape(input)}.`,
          {
            hint: 'Put nn.reshape({ shape: [steps, in] }) before it, or returnSequences: true into the recurrent layer before.',
          },
        )
      }
      if (sparseSize !== undefined) checkSparse(kind, input)
      const [steps, width] = sparseSize === undefined ? (input as [number, number]) : [1, sparseSize]
      const weights: WeightSpec[] = [
        { name: 'kernel', shape: [width, columns], initial: { kind: 'glorotUniform', fanIn: width, fanOut: columns } },
        { name: 'recurrentKernel', shape: [units, columns], initial: { kind: 'orthogonal' } },
        { name: 'bias', shape: [columns], initial: { kind: 'blocks', values: bias } },
      ]
      if (cell.stateBias) weights.push({ name: 'recurrentBias', shape: [columns], initial: { kind: 'zeros' } })
      return { output: returnSequences ? [steps, units] : [units], weights }
    },
    apply: (context, x, [kernel, recurrentKernel, ownBias, stateBias]) => {
      const weights = { kernel: kernel!, recurrent: recurrentKernel!, bias: ownBias!, stateBias }
      if (sparseSize === undefined) return recur(context, cell, x as Tensor3D, weights, returnSequences)
      const { tf } = context
      const { fill } = tf
      const start = Array.from({ length: cell.states }, () => fill([x.shape[0], units], 0))
      const share = tf.add(sparseProduct(tf, x as Tensor3D, kernel!), ownBias!)
      // Nothing of a state of zeros: but the weight is then in the program, with its gradient of zeros.
      const product = tf.matMul(start[0]!, recurrentKernel!)
      const recurrentShare = stateBias === undefined ? product : tf.add(product, stateBias)
      const output = cell.forward(tf, share, recurrentShare, start).state[0]!
      return returnSequences ? tf.reshape(output, [x.shape[0], 1, units]) : output
    },
  })
}
