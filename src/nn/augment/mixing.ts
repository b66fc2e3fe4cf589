/**
 * MixUp and CutMix: samples of a slice mixed in pairs while training, their labels in the same proportion.
 *
 * They change labels too, so they are no layers; `augment.ts` puts them before a network. A sample's partner stands at its place
 * counted from the other end of the slice; rows that only fill a slice up are nobody's partner.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import { checkNumber } from '../../core/check.js'
import type { LayerContext } from '../layers/layer.js'
import { rectangle } from './photometric.js'

export interface MixOptions {
  /** Both parameters of the beta distribution of proportions: small for pairs of which one outweighs. */
  readonly alpha?: number
}

/** What a layer has while training. */
export type MixContext = LayerContext & Required<Pick<LayerContext, 'random' | 'training'>>

/** Mixes samples in pairs. */
export interface Mix {
  readonly kind: 'mixUp' | 'cutMix'
  readonly options: MixOptions
  /** What becomes of samples `[batch, ...]` with their partners, and the sample's own share in each: `[batch]`. */
  mix(context: MixContext, x: Tensor, partner: Tensor): { readonly x: Tensor; readonly own: Tensor1D }
}

/**
 * Mixes pairs of samples by a weighted mean (Zhang and others, 2018).
 *
 * @throws ShardbookError `argument` unless alpha lies in [0.01, 100].
 * @example
 * ```ts
 * new ml.CNNClassifier({ inputCol: 'image', augment: [nn.mixUp({ alpha: 0.2 })] })
 * ```
 */
export function mixUp(options: MixOptions = {}): Mix {
  const quantiles = betaQuantiles('nn.mixUp', options.alpha ?? 0.2)
  return Object.freeze({
    kind: 'mixUp',
    options: Object.freeze({ ...options }),
    mix: (context: MixContext, x: Tensor, partner: Tensor) => {
      const { tf } = context
      const own = drawBeta(context, quantiles, x.shape[0])
      const share = tf.reshape(own, [x.shape[0], ...x.shape.slice(1).map(() => 1)])
      return { x: tf.add(tf.mul(x, share), tf.mul(partner, tf.sub(1, share))), own }
    },
  })
}

/**
 * Puts a rectangle of one sample into another (Yun and others, 2019), for images.
 *
 * @throws ShardbookError `argument` unless alpha lies in [0.01, 100].
 * @example
 * ```ts
 * new ml.CNNClassifier({ inputCol: 'image', augment: [nn.cutMix()] })
 * ```
 */
export function cutMix(options: MixOptions = {}): Mix {
  const quantiles = betaQuantiles('nn.cutMix', options.alpha ?? 1)
  return Object.freeze({
    kind: 'cutMix',
    options: Object.freeze({ ...options }),
    mix: (context: MixContext, x: Tensor, partner: Tensor) => {
      const { tf, random } = context
      const rows = x.shape[0]
      const side = tf.reshape(tf.sqrt(tf.sub(1, drawBeta(context, quantiles, rows))), [rows, 1, 1])
      const draw = (): Tensor => random.uniform([rows, 1, 1])
      const cut = tf.cast(rectangle(tf, x, { height: side, width: side }, draw(), draw()), 'float32')
      const mask = tf.expandDims(cut, 3)
      return {
        x: tf.add(tf.mul(x, tf.sub(1, mask)), tf.mul(partner, mask)),
        own: tf.sub<Tensor1D>(1, tf.mean(cut, [1, 2])),
      }
    },
  })
}

const quantileCount = 1024

/** A draw of the beta distribution for each row, in [0, 1]. */
function drawBeta({ tf, random }: MixContext, quantiles: Float32Array, rows: number): Tensor1D {
  const place = tf.cast(tf.floor(tf.mul(random.uniform([rows]), quantileCount)), 'int32')
  return tf.gather(tf.tensor1d(quantiles), place)
}

/**
 * Quantiles of the beta distribution with both parameters `alpha`, at the middles of as many equal parts. A draw of one of them
 * needs a single uniform number, where the usual ways draw until one fits.
 *
 * The density `t^(alpha-1) (1-t)^(alpha-1)` up to 1/2, the rest by symmetry; over `v = t^alpha` it has no pole.
 */
export function betaQuantiles(caller: string, alpha: number): Float32Array {
  checkNumber(caller, 'alpha', alpha, 0.01, 100)
  const cells = 1 << 14
  const step = 0.5 ** alpha / cells
  const density = (i: number): number => (1 - (i * step) ** (1 / alpha)) ** (alpha - 1)
  const mass = new Float64Array(cells + 1)
  for (let i = 1; i <= cells; i++) mass[i] = mass[i - 1]! + (density(i - 1) + density(i)) / 2
  const half = mass[cells]!
  const values = new Float32Array(quantileCount)
  let cell = 0
  for (let k = 0; k < quantileCount / 2; k++) {
    const wanted = ((2 * k + 1) / quantileCount) * half
    while (mass[cell + 1]! < wanted) cell++
    const within = (wanted - mass[cell]!) / (mass[cell + 1]! - mass[cell]!)
    values[k] = ((cell + within) * step) ** (1 / alpha)
    values[quantileCount - 1 - k] = 1 - values[k]!
  }
  return values
}
