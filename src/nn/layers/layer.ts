/**
 * What a layer is: frozen options and two pure functions over them.
 *
 * `infer` says, for the shape of one sample, the shape of the result and the weights that it takes; `apply` computes on a
 * batch. No layer holds weights or an engine: weights come in as tensors, so a step that is recorded depends on its inputs
 * only and the same layer serves training, inference and every engine. That is why the layers stand on tfjs-core's
 * functions and not on tfjs-layers, whose layers own variables on the engine that was current when they were built.
 */
import type { Scalar, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../../core/errors.js'
import type { Random } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import type { HalfPrecision } from './half-precision.js'
import type { MergeRule } from './merge.js'

/** The shape of one sample, without the batch axis. */
export type Shape = readonly number[]

/**
 * How a weight starts. Fans are the numbers of inputs and outputs that one unit sees. `blocks` cuts the last axis into equal
 * parts, each of one value; `uniform` is within a limit; `orthogonal` is a matrix whose rows or columns, whichever are fewer, are orthonormal.
 */
export type Initial =
  | { readonly kind: 'zeros' | 'orthogonal' }
  | { readonly kind: 'blocks'; readonly values: readonly number[] }
  | { readonly kind: 'uniform'; readonly limit: number }
  | { readonly kind: 'glorotUniform' | 'heUniform'; readonly fanIn: number; readonly fanOut: number }

export interface WeightSpec {
  /** Within the layer: `kernel`, `bias`. */
  readonly name: string
  readonly shape: Shape
  readonly initial: Initial
  /** A running average of what batches show: not trained. It keeps this share of itself a step; see `TrainingRows`. */
  readonly momentum?: number
  /** How often a sample's pass uses it: places of an image, steps of a sequence. Default 1. */
  readonly uses?: number
  /** Whose weight it is: a layer that stands in several places has its weights once. */
  readonly owner?: { readonly layer: object; readonly weight: string }
}

/** What a layer may use besides its input and weights. */
export interface LayerContext {
  readonly tf: Tf
  /** While training: random numbers of the step, by sample. */
  readonly random?: Random
  /** While training: which rows count. */
  readonly training?: TrainingRows
  /** [batch, steps] 1, or 0 where a sequence has ended and steps only fill it up; absent: all count. */
  readonly mask?: Tensor2D
  /** In which layers multiply, where it is not single precision; see `half-precision.ts`. */
  readonly precision?: HalfPrecision
}

/**
 * The rows of a slice while training. The gradient of a weight with `momentum` is by agreement `share * (weight - observed)`:
 * added up over slices and workers it moves the average towards what the whole batch shows.
 */
export interface TrainingRows {
  /** [rows] 1, or 0 for a row that only fills up the slice. */
  readonly mask: Tensor1D
  /** [] This slice's part of the global batch. */
  readonly share: Scalar
}

export interface Inferred {
  readonly output: Shape
  readonly weights: readonly WeightSpec[]
}

/** A layer: data, and what it does. Made by `nn.conv2d(...)`, `nn.dense(...)`, ...; usable in any number of models. */
export interface Layer {
  readonly kind: string
  /** As given; a model names the others. */
  readonly name: string | undefined
  /** Plain data: `kind` and `options` make the layer again. */
  readonly options: object
  /** The line that made it, where one can be told: errors name it. */
  readonly madeAt?: string
  /** @throws ShardbookError `argument` when the layer cannot take such samples. */
  infer(input: Shape): Inferred
  apply(context: LayerContext, x: Tensor, weights: readonly Tensor[]): Tensor
  /** Present where the layer knows which steps of its output count. Later layers keep that as long as they keep the steps. */
  masks?(context: LayerContext, x: Tensor): Tensor2D
  /** Present where it joins several tensors, in a graph. */
  readonly joins?: MergeRule
  /** Present where options are no plain data: kind and options of a layer that predicts as this one does. */
  asData?(): { readonly kind: string; readonly options: object }
  /**
   * Present where the layer is a linear part followed by bias and an activation that never decreases: a maximum over places
   * commutes with the second half, so a model may pool between them, on fewer numbers and with the same result.
   */
  readonly halves?: {
    linear(context: LayerContext, x: Tensor, weights: readonly Tensor[]): Tensor
    finish(context: LayerContext, x: Tensor, weights: readonly Tensor[]): Tensor
  }
  /** Present where each place of the output image is made of a window of the input image, without padding: height, width. */
  readonly window?: { readonly size: readonly [number, number]; readonly strides: readonly [number, number] }
}

/** Options that every layer has. */
export interface LayerOptions {
  /** Under which the model's summary, errors and `activations` know it. */
  readonly name?: string
}

/** Freezes a layer. */
export function layer(
  kind: string,
  options: LayerOptions,
  rule: Pick<Layer, 'infer' | 'apply' | 'halves' | 'joins' | 'masks' | 'window' | 'asData'>,
): Layer {
  const madeAt = callerOf(new Error('made').stack ?? '')
  const made: Layer = {
    kind,
    name: options.name,
    options: Object.freeze({ ...options }),
    ...rule,
    infer: (input: Shape) => {
      const { output, weights } = rule.infer(input)
      return { output, weights: weights.map((spec) => ({ owner: { layer: made, weight: spec.name }, ...spec })) }
    },
  }
  return placed(made, madeAt)
}

/** The same layer, with the same weights, under a name. */
export function renamed(given: Layer, name: string): Layer {
  return placed({ ...given, name }, given.madeAt)
}

/** Where a layer was made is no part of what it is: nobody who lists or saves it meets that. */
function placed(made: Layer, madeAt: string | undefined): Layer {
  return Object.freeze(madeAt === undefined ? made : Object.defineProperty(made, 'madeAt', { value: madeAt }))
}

/** The first place of a stack that is not in this part of the library. */
function callerOf(stack: string): string | undefined {
  const lines = stack.split('\n').slice(1)
  const at = lines.find((line) => !/[\\/]src[\\/]nn[\\/]/.test(line) && !line.includes('node:'))
  return at === undefined
    ? undefined
    : (/\(([^()]+:\d+:\d+)\)\s*$/.exec(at) ?? /at (?:async )?(\S+:\d+:\d+)\s*$/.exec(at))?.[1]
}

/** `[28, 28, 1]` */
export function showShape(shape: Shape): string {
  return `[${shape.join(', ')}]`
}

/** Raises unless samples are images. */
export function checkImage(kind: string, input: Shape): asserts input is readonly [number, number, number] {
  if (input.length === 3) return
  throw new ShardbookError(
    'argument',
    `nn.${kind}: expected samples of shape [height, width, channels], got ${showShape(input)}.`,
    {
      hint:
        input.length === 2 ? 'Put nn.reshape({ shape: [height, width, 1] }) before it.' : 'Put nn.reshape before it.',
    },
  )
}

/** Raises unless samples are sequences of vectors. */
export function checkSequence(kind: string, input: Shape): asserts input is readonly [number, number] {
  if (input.length === 2) return
  throw new ShardbookError(
    'argument',
    `nn.${kind}: expected samples of shape [steps, channels], got ${showShape(input)}.`,
    { hint: 'Put nn.reshape({ shape: [steps, channels] }) before it.' },
  )
}

/** One number for both axes, or one each. */
export type Pair = number | readonly [number, number]

/** Both axes of a pair of positive integers. */
export function pairOf(kind: string, name: string, value: Pair): readonly [number, number] {
  const pair = typeof value === 'number' ? ([value, value] as const) : value
  if (Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isInteger(n) && n >= 1)) return pair
  throw new ShardbookError(
    'argument',
    `nn.${kind}: expected ${name} to be a positive integer or a pair of them, got ${JSON.stringify(value)}.`,
  )
}

/** Size of an axis after a window has moved over it. */
export function windowed(size: number, window: number, stride: number, padding: Padding): number {
  return padding === 'same' ? Math.ceil(size / stride) : Math.ceil((size - window + 1) / stride)
}

export const paddings = ['valid', 'same'] as const
export type Padding = (typeof paddings)[number]
