/** Layers of the user's own, and the output form of Elman's network. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkInteger, show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { sizeOf } from '../../core/dtype.js'
import type { ActivationName } from './activation.js'
import { activation as activationLayer } from './activation.js'
import { applyAsOne, inferAsOne } from './chain.js'
import { timeDistributed } from './composite.js'
import { dense } from './dense.js'
import { layer as makeLayer, showShape } from './layer.js'
import type { Layer, LayerContext, LayerOptions, Shape } from './layer.js'
import { simpleRnn } from './recurrent.js'
import type { SimpleRnnOptions } from './recurrent.js'
import { traceLayer } from './traced.js'

/** What a layer makes of samples of a shape. */
export interface Built<W extends string = string> {
  /** The shape of a result; default: as the sample's. */
  readonly output?: Shape
  /** Trained weights by name, with their shapes; they start as Glorot's uniform numbers, those of one axis at zero. */
  readonly weights?: Readonly<Record<W, Shape>>
}

export interface OwnLayerOptions<W extends string = string> extends LayerOptions {
  /** Told the shape of a sample, without the batch axis. Default: no weights, and the shape stays. */
  build?(input: Shape): Built<W>
  /** `x: [batch, ...sample] -> [batch, ...output]`, in terms of TensorFlow.js (`context.tf`); reads no values. */
  call(context: LayerContext, x: Tensor, weights: Readonly<Record<W, Tensor>>): Tensor
}

/**
 * A layer of your own. While a step is recorded it is called once; what it does with tensors travels to workers as part of the
 * recording, the function itself stays here. A saved model has the recording too, so that what is loaded predicts but is not
 * trained further.
 *
 * @throws ShardbookError `argument` without a function to call.
 * @example
 * ```ts
 * const scale = nn.layer({
 *   name: 'scale',
 *   build: ([features]) => ({ weights: { factor: [features] } }),
 *   call: ({ tf }, x, { factor }) => tf.mul(x, tf.exp(factor)),
 * })
 * ```
 */
export function layer<W extends string = never>(options: OwnLayerOptions<W>): Layer {
  const given: { readonly call?: unknown } = options
  if (typeof given.call !== 'function') {
    throw new ShardbookError('argument', `nn.layer: expected call to be a function, got ${show(given.call)}.`)
  }
  const build = (input: Shape): Built<W> => options.build?.(input) ?? {}
  const seen = new Map<string, Shape>()
  return makeLayer('own', options, {
    infer(input) {
      seen.set(showShape(input), input)
      const { output = input, weights = {} as Readonly<Record<W, Shape>> } = build(input)
      return {
        output,
        weights: Object.entries<Shape>(weights).map(([name, shape]) => {
          const [fanIn, fanOut] = [sizeOf(shape.slice(0, -1)), shape.at(-1) ?? 1]
          const initial =
            shape.length < 2 ? ({ kind: 'zeros' } as const) : ({ kind: 'glorotUniform', fanIn, fanOut } as const)
          return { name, shape, initial }
        }),
      }
    },
    apply(context, x, weights) {
      const { output = x.shape.slice(1), weights: shapes = {} } = build(x.shape.slice(1))
      const named = Object.fromEntries(Object.keys(shapes).map((name, i) => [name, weights[i]!]))
      const y = options.call(context, x, named as Readonly<Record<W, Tensor>>)
      if (y.shape.slice(1).join() === output.join() && y.shape[0] === x.shape[0]) return y
      throw new ShardbookError(
        'argument',
        `nn.layer: expected call to give [${[x.shape[0], ...output].join(', ')}], as build says, got [${y.shape.join(', ')}].`,
      )
    },
    asData() {
      return traceLayer(options.name, seen.values(), this)
    },
  })
}

export interface ElmanOptions extends SimpleRnnOptions {
  /** Numbers that a step puts out. */
  readonly outputUnits: number
  /** Of what is put out. Default `'linear'`. */
  readonly outputActivation?: ActivationName
}

/**
 * Elman's network (1990) with its output: `h <- f(x W + h U + b)`, `y = g(h V + c)`: `x: [batch, steps, in] -> [batch, outputUnits]`,
 * or `[batch, steps, outputUnits]` with `returnSequences`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not sequences of vectors.
 * @example
 * ```ts
 * nn.elman({ units: 32, outputUnits: 4, outputActivation: 'softmax' })
 * ```
 */
export function elman(options: ElmanOptions): Layer {
  const { outputUnits, outputActivation = 'linear', name: _, ...recurrent } = options
  checkInteger('nn.elman', 'outputUnits', outputUnits, 1)
  const out = dense({ units: outputUnits, name: 'output' })
  const layers = [
    simpleRnn({ ...recurrent, name: 'hidden' }),
    options.returnSequences ? timeDistributed({ layer: out, name: 'output' }) : out,
    activationLayer({ activation: outputActivation }),
  ]
  return makeLayer('elman', options, {
    infer: (input) => inferAsOne('nn.elman', layers, input),
    apply: (context, x, weights) => applyAsOne(context, layers, x, weights),
  })
}
