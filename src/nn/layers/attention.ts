/** Attention: every step of a sequence looks at the others, or at those of another sequence. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkInteger, checkNumber, checkOneOf } from '../../core/check.js'
import { dropout as drop } from '../../engine/index.js'
import { activationNames } from './activation.js'
import type { ActivationName } from './activation.js'
import type { Tf } from '../../engine/tf.js'
import { applyAsOne, inferAsOne, runAsOne } from './chain.js'
import { checkLayers, residual, timeDistributed } from './composite.js'
import { dense } from './dense.js'
import { dropout as dropoutLayer } from './dropout.js'
import { checkSequence, layer } from './layer.js'
import type { Layer, LayerContext, LayerOptions, Shape, WeightSpec } from './layer.js'
import type { LayerOf, Steps } from './literal-shapes.js'
import { layerNormalization } from './normalization.js'

export interface MultiHeadAttentionOptions extends LayerOptions {
  readonly heads: number
  /** Numbers that a head compares steps by, and gives for each. */
  readonly keySize: number
  /** Whether a step sees only itself and those before it. Default false. */
  readonly causal?: boolean
  /** Share of the attention that is dropped while training. Default 0. */
  readonly dropout?: number
}

/**
 * Self-attention with several heads (Vaswani and others, 2017), `softmax(Q K^T / sqrt(keySize)) V` each:
 * `x: [batch, steps, channels] -> [batch, steps, channels]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not sequences of vectors.
 * @example
 * ```ts
 * nn.multiHeadAttention({ heads: 4, keySize: 16 })
 * ```
 */
export function multiHeadAttention(options: MultiHeadAttentionOptions): LayerOf<'multiHeadAttention', Steps, 'same'> {
  const { causal = false } = options
  const rule = attentionOf('multiHeadAttention', options)
  return layer('multiHeadAttention', options, {
    infer: (input) => {
      checkSequence('multiHeadAttention', input)
      return { output: input, weights: rule.weights(input[1], input[1]) }
    },
    apply: (context, x, weights) =>
      rule.attend(context, { queries: x, memory: x, mask: context.mask, causal }, weights),
  })
}

export interface CrossAttentionOptions extends Omit<MultiHeadAttentionOptions, 'causal'> {
  /** The layers from the input to the steps that look. */
  readonly queries: readonly Layer[]
  /** The layers from the same input to the steps that are looked at. */
  readonly memory: readonly Layer[]
}

/**
 * Attention of one sequence over another one (Vaswani and others, 2017): `queries: [batch, steps, channels]` and
 * `memory: [batch, others, width]` -> `[batch, steps, channels]`. Both are branches that take the whole input: of a network with
 * several inputs they begin with `nn.inputs`. Steps of the memory that only fill up (`maskZero`) are not looked at.
 *
 * @throws ShardbookError `argument` for options out of range, and when a branch does not give a sequence of vectors.
 * @example
 * ```ts
 * const { question, text } = nn.inputs({ question: [8, 16], text: [100, 16] })
 * nn.crossAttention({ heads: 4, keySize: 16, queries: [question], memory: [text] })
 * ```
 */
export function crossAttention(options: CrossAttentionOptions): Layer {
  const queries = checkLayers('crossAttention', 'queries', options.queries, 0)
  const memory = checkLayers('crossAttention', 'memory', options.memory, 0)
  const rule = attentionOf('crossAttention', options)
  const branch = (name: string, layers: readonly Layer[], input: Shape) => {
    const { output, weights } = inferAsOne(`nn.crossAttention, ${name}`, layers, input)
    checkSequence(`crossAttention, ${name}`, output)
    return { output, weights: weights.map((spec) => ({ ...spec, name: `${name}/${spec.name}` })) }
  }
  const branches = (input: Shape) => [branch('queries', queries, input), branch('memory', memory, input)] as const
  return layer('crossAttention', options, {
    infer: (input) => {
      const [looking, seen] = branches(input)
      return {
        output: looking.output,
        weights: [...looking.weights, ...seen.weights, ...rule.weights(looking.output[1], seen.output[1])],
      }
    },
    apply: (context, x, weights) => {
      const [looking, seen] = branches(x.shape.slice(1)).map((each) => each.weights.length) as [number, number]
      const steps = runAsOne(context, memory, x, weights.slice(looking, looking + seen))
      const given = { memory: steps.y, mask: steps.mask, causal: false }
      const y = applyAsOne(context, queries, x, weights.slice(0, looking))
      return rule.attend(context, { queries: y, ...given }, weights.slice(looking + seen))
    },
  })
}

interface Attended {
  readonly queries: Tensor
  readonly memory: Tensor
  /** [batch, steps of the memory] 1 where a step counts. */
  readonly mask: Tensor | undefined
  readonly causal: boolean
}

/** Weights and calls of an attention. */
function attentionOf(kind: string, { heads, keySize, dropout = 0 }: MultiHeadAttentionOptions) {
  checkInteger(`nn.${kind}`, 'heads', heads, 1)
  checkInteger(`nn.${kind}`, 'keySize', keySize, 1)
  checkNumber(`nn.${kind}`, 'dropout', dropout, 0, 1 - 2 ** -20)
  const width = heads * keySize
  const projection = (name: string, channels: number): WeightSpec[] => [
    kernel(`${name}Kernel`, [channels, heads, keySize], channels, width),
    { name: `${name}Bias`, shape: [heads, keySize], initial: { kind: 'zeros' } },
  ]
  return {
    weights: (channels: number, ofMemory: number): WeightSpec[] => [
      ...projection('query', channels),
      ...projection('key', ofMemory),
      ...projection('value', ofMemory),
      kernel('outputKernel', [heads, keySize, channels], width, channels),
      { name: 'outputBias', shape: [channels], initial: { kind: 'zeros' } },
    ],
    attend(
      { tf, random }: LayerContext,
      { queries, memory, mask, causal }: Attended,
      weights: readonly Tensor[],
    ): Tensor {
      const [rows, steps, channels] = queries.shape as [number, number, number]
      const flat = [queries, memory].map((x) => tf.reshape(x, [rows * x.shape[1]!, x.shape[2]!])) as [Tensor, Tensor]
      const projected = (x: Tensor, at: number): Tensor => {
        const product = tf.matMul(x, tf.reshape(weights[at]!, [x.shape[1]!, width]))
        const moved = tf.add(product, tf.reshape(weights[at + 1]!, [width]))
        return tf.transpose(tf.reshape(moved, [rows, x.shape[0] / rows, heads, keySize]), [0, 2, 1, 3])
      }
      const [query, key, value] = [projected(flat[0], 0), projected(flat[1], 2), projected(flat[1], 4)]
      const compared = tf.matMul(tf.mul(query, 1 / Math.sqrt(keySize)), key, false, true) // (rows, heads, steps, others)
      const ahead = causal ? tf.add(compared, future(tf, steps)) : compared
      const attention = tf.softmax(mask === undefined ? ahead : tf.add(ahead, ended(tf, mask)))
      const kept = random === undefined || dropout === 0 ? attention : drop(tf, random, attention, dropout)
      const seen = tf.reshape(tf.transpose(tf.matMul(kept, value), [0, 2, 1, 3]), [rows * steps, width])
      const output = tf.add(tf.matMul(seen, tf.reshape(weights[6]!, [width, channels])), weights[7]!)
      return tf.reshape(output, [rows, steps, channels])
    },
  }
}

/** [rows, 1, 1, steps] so far below zero that nobody looks at steps that only fill up. */
function ended(tf: Tf, counted: Tensor): Tensor {
  return tf.reshape(tf.mul(tf.sub(1, counted), -1e9), [counted.shape[0], 1, 1, counted.shape[1]!])
}

/** [steps, steps] so far below zero that softmax gives nothing, where the second step is later than the first. */
function future(tf: Tf, count: number): Tensor {
  const late = Array.from({ length: count * count }, (_, i) => (i % count > Math.floor(i / count) ? -1e9 : 0))
  return tf.tensor2d(late, [count, count])
}

export interface TransformerBlockOptions extends MultiHeadAttentionOptions {
  /** Units between the two dense layers. */
  readonly units: number
  /** After the first dense layer. Default `'relu'`. */
  readonly activation?: ActivationName
}

/**
 * Attention, then two dense layers a step, each normalised before and added to what came in (Xiong and others, 2020):
 * `x: [batch, steps, channels] -> [batch, steps, channels]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not sequences of vectors.
 * @example
 * ```ts
 * nn.transformerBlock({ heads: 4, keySize: 16, units: 128, dropout: 0.1 })
 * ```
 */
export function transformerBlock(options: TransformerBlockOptions): LayerOf<'transformerBlock', Steps, 'same'> {
  const { heads, keySize, units, activation = 'relu', dropout = 0, causal = false } = options
  checkInteger('nn.transformerBlock', 'units', units, 1)
  checkOneOf('nn.transformerBlock', 'activation', activation, activationNames)
  const attention = multiHeadAttention({ heads, keySize, causal, dropout, name: 'attention' })
  const normal = layerNormalization({ epsilon: 1e-6, name: 'normal' })
  const widen = timeDistributed({ layer: dense({ units, activation }), name: 'widen' })
  const dropped = dropoutLayer({ rate: dropout })
  const second = layerNormalization({ epsilon: 1e-6, name: 'normal' })
  // The last dense layer has as many units as samples have channels: known when they are.
  const byChannels = new Map<number, readonly Layer[]>()
  const parts = (channels: number): readonly Layer[] => {
    const known = byChannels.get(channels)
    if (known !== undefined) return known
    const narrow = timeDistributed({ layer: dense({ units: channels }), name: 'narrow' })
    const made = [
      residual({ layers: [normal, attention, dropped], name: 'look' }),
      residual({ layers: [second, widen, narrow, dropped], name: 'think' }),
    ]
    byChannels.set(channels, made)
    return made
  }
  return layer('transformerBlock', options, {
    infer: (input) => {
      checkSequence('transformerBlock', input)
      return inferAsOne('nn.transformerBlock', parts(input[1]), input)
    },
    apply: (context, x, weights) => applyAsOne(context, parts(x.shape[2]!), x, weights),
  })
}

function kernel(name: string, shape: readonly number[], fanIn: number, fanOut: number): WeightSpec {
  return { name, shape, initial: { kind: 'glorotUniform', fanIn, fanOut } }
}
