/** Recurrent layers: SimpleRNN, LSTM and GRU with Keras's weights, order of gates and defaults. */
import type { Tensor3D } from '@tensorflow/tfjs-core'
import { checkInteger, checkOneOf } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { elmanCell, gruCell, lstmCell } from './cells.js'
import type { Cell } from './cells.js'
import { layer, showShape } from './layer.js'
import type { Layer, LayerOptions, WeightSpec } from './layer.js'
import { recur } from './recurrence.js'

export interface RecurrentOptions extends LayerOptions {
  readonly units: number
  /** Whether to give the output of every step, not only the last. Default false. */
  readonly returnSequences?: boolean
}

export interface SimpleRnnOptions extends RecurrentOptions {
  /** Default `'tanh'`. */
  readonly activation?: 'tanh' | 'relu'
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
export function simpleRnn(options: SimpleRnnOptions): Layer {
  const { activation = 'tanh' } = options
  checkOneOf('nn.simpleRnn', 'activation', activation, ['tanh', 'relu'])
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
export function gru(options: RecurrentOptions): Layer {
  return recurrent('gru', options, gruCell, [0, 0, 0])
}

function recurrent(kind: string, options: RecurrentOptions, cell: Cell, bias: readonly number[]): Layer {
  const { units, returnSequences = false } = options
  checkInteger(`nn.${kind}`, 'units', units, 1)
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
      const [steps, width] = input as [number, number]
      const weights: WeightSpec[] = [
        { name: 'kernel', shape: [width, columns], initial: { kind: 'glorotUniform', fanIn: width, fanOut: columns } },
        { name: 'recurrentKernel', shape: [units, columns], initial: { kind: 'orthogonal' } },
        { name: 'bias', shape: [columns], initial: { kind: 'blocks', values: bias } },
      ]
      if (cell.stateBias) weights.push({ name: 'recurrentBias', shape: [columns], initial: { kind: 'zeros' } })
      return { output: returnSequences ? [steps, units] : [units], weights }
    },
    apply: ({ tf }, x, [kernel, recurrentKernel, ownBias, stateBias]) =>
      recur(
        tf,
        cell,
        x as Tensor3D,
        { kernel: kernel!, recurrent: recurrentKernel!, bias: ownBias!, stateBias },
        returnSequences,
      ),
  })
}
