/** Attention: every step of a sequence looks at the others. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkInteger, checkNumber, checkOneOf } from '../../core/check.js'
import { dropout as drop } from '../../engine/index.js'
import { activationNames } from './activation.js'
import type { ActivationName } from './activation.js'
import { applyAsOne, inferAsOne } from './chain.js'
import { residual, timeDistributed } from './composite.js'
import { dense } from './dense.js'
import { dropout as dropoutLayer } from './dropout.js'
import { checkSequence, layer } from './layer.js'
import type { Layer, LayerOptions, WeightSpec } from './layer.js'
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
export function multiHeadAttention(options: MultiHeadAttentionOptions): Layer {
  const { heads, keySize, causal = false, dropout = 0 } = options
  checkInteger('nn.multiHeadAttention', 'heads', heads, 1)
  checkInteger('nn.multiHeadAttention', 'keySize', keySize, 1)
  checkNumber('nn.multiHeadAttention', 'dropout', dropout, 0, 1 - 2 ** -20)
  const width = heads * keySize
  return layer('multiHeadAttention', options, {
    infer: (input) => {
      checkSequence('multiHeadAttention', input)
      const channels = input[1]
      const projection = (name: string): WeightSpec[] => [
        kernel(`${name}Kernel`, [channels, heads, keySize], channels, width),
        { name: `${name}Bias`, shape: [heads, keySize], initial: { kind: 'zeros' } },
      ]
      return {
        output: input,
        weights: [
          ...['query', 'key', 'value'].flatMap(projection),
          kernel('outputKernel', [heads, keySize, channels], width, channels),
          { name: 'outputBias', shape: [channels], initial: { kind: 'zeros' } },
        ],
      }
    },
    apply: ({ tf, random, mask }, x, weights) => {
      const [rows, steps, channels] = x.shape as [number, number, number]
      const flat = tf.reshape(x, [rows * steps, channels])
      const [query, key, value] = [0, 2, 4].map((at): Tensor => {
        const product = tf.matMul(flat, tf.reshape(weights[at]!, [channels, width]))
        const projected = tf.add(product, tf.reshape(weights[at + 1]!, [width]))
        return tf.transpose(tf.reshape(projected, [rows, steps, heads, keySize]), [0, 2, 1, 3])
      }) as [Tensor, Tensor, Tensor]
      const compared = tf.matMul(tf.mul(query, 1 / Math.sqrt(keySize)), key, false, true) // (rows, heads, steps, steps)
      const ahead = causal ? tf.add(compared, future(steps)) : compared
      const attention = tf.softmax(mask === undefined ? ahead : tf.add(ahead, ended(mask)))
      const kept = random === undefined || dropout === 0 ? attention : drop(tf, random, attention, dropout)
      const seen = tf.reshape(tf.transpose(tf.matMul(kept, value), [0, 2, 1, 3]), [rows * steps, width])
      const output = tf.add(tf.matMul(seen, tf.reshape(weights[6]!, [width, channels])), weights[7]!)
      return tf.reshape(output, [rows, steps, channels])

      /** [rows, 1, 1, steps] so far below zero that nobody looks at steps that only fill up. */
      function ended(counted: Tensor): Tensor {
        return tf.reshape(tf.mul(tf.sub(1, counted), -1e9), [rows, 1, 1, steps])
      }

      /** [steps, steps] so far below zero that softmax gives nothing, where the second step is later than the first. */
      function future(count: number): Tensor {
        const late = Array.from({ length: count * count }, (_, i) => (i % count > Math.floor(i / count) ? -1e9 : 0))
        return tf.tensor2d(late, [count, count])
      }
    },
  })
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
export function transformerBlock(options: TransformerBlockOptions): Layer {
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
