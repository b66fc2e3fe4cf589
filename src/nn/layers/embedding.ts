/** Vectors for tokens and for places in a sequence. */
import type { Tensor2D } from '@tensorflow/tfjs-core'
import { checkInteger } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { checkSequence, layer, showShape } from './layer.js'
import type { LayerOptions } from './layer.js'
import type { LayerOf, Steps } from './literal-shapes.js'

export interface EmbeddingOptions extends LayerOptions {
  /** Tokens are `0 .. inputDim - 1`. */
  readonly inputDim: number
  /** Numbers in a token's vector. */
  readonly outputDim: number
  /** Whether token 0 only fills sequences up: recurrent layers, attention and global pooling pass over it. Default false. */
  readonly maskZero?: boolean
  /** Whether tokens from `inputDim - 1` on are one, the unknown. Default false: they are an error. */
  readonly clip?: boolean
}

/**
 * A trained vector for each token: `x: [batch, steps] -> [batch, steps, outputDim]`.
 *
 * @throws ShardbookError `argument` for sizes below one, and when samples are not sequences of tokens.
 * @example
 * ```ts
 * nn.embedding({ inputDim: 10_000, outputDim: 32 })
 * ```
 */
export function embedding<const Width extends number>(
  options: EmbeddingOptions & { readonly outputDim: Width },
): LayerOf<'embedding', readonly ['steps'], readonly ['last', Width]> {
  const { inputDim, outputDim, maskZero = false, clip = false } = options
  checkInteger('nn.embedding', 'inputDim', inputDim, 1)
  checkInteger('nn.embedding', 'outputDim', outputDim, 1)
  return layer('embedding', options, {
    infer: (input) => {
      if (input.length !== 1) {
        throw new ShardbookError(
          'argument',
          `nn.embedding: expected samples of shape [steps], got ${showShape(input)}.`,
          { hint: 'Put nn.flatten() before it.' },
        )
      }
      const initial = { kind: 'uniform', limit: 0.05 } as const
      return {
        output: [input[0]!, outputDim],
        weights: [{ name: 'embeddings', shape: [inputDim, outputDim], initial }],
      }
    },
    apply: ({ tf }, x, [embeddings]) => {
      const tokens = clip ? tf.minimum(x, inputDim - 1) : x
      return tf.gather(embeddings!, tf.cast(tokens as Tensor2D, 'int32'))
    },
    ...(maskZero ? { masks: ({ tf }, x) => tf.cast<Tensor2D>(tf.notEqual(x, 0), 'float32') } : {}),
  })
}

/**
 * Adds a trained vector for each place: `x: [batch, steps, channels] -> [batch, steps, channels]`.
 *
 * @throws ShardbookError `argument` when samples are not sequences of vectors.
 * @example
 * ```ts
 * nn.positionEmbedding()
 * ```
 */
export function positionEmbedding(options: LayerOptions = {}): LayerOf<'positionEmbedding', Steps, 'same'> {
  return layer('positionEmbedding', options, {
    infer: (input) => {
      checkSequence('positionEmbedding', input)
      return {
        output: input,
        weights: [{ name: 'embeddings', shape: input, initial: { kind: 'uniform', limit: 0.05 } }],
      }
    },
    apply: ({ tf }, x, [embeddings]) => tf.add(x, embeddings!),
  })
}
