/**
 * Augmentation: what happens to the samples of a batch before the network, while training only. It is part of the compiled
 * gradient step, on the device; evaluation and the fitted model know nothing of it.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import type { Tf } from '../../engine/tf.js'
import { inferChain } from '../layers/chain.js'
import type { Layer, Shape } from '../layers/layer.js'
import { categoricalCrossEntropy, softmaxCrossEntropy } from '../loss.js'
import type { Loss } from '../loss.js'
import type { Metric } from '../metric.js'
import type { Objective } from '../train/programs.js'
import type { Mix, MixContext } from './mixing.js'

/** A layer that leaves the shape of samples as it is, or a way to mix them in pairs. */
export type Augmentation = Layer | Mix

export interface AugmentedSamples {
  /** Which of the objective's columns holds the samples. */
  readonly column: number
  /** Bytes are taken as [0, 1]. */
  readonly isBytes: boolean
  /** Number of classes, where labels are class numbers in the next column. */
  readonly classes?: number
}

/**
 * An objective whose samples are augmented while training; with a mix its targets are then shares of classes `[rows, classes]`.
 *
 * @throws ShardbookError `argument` for what is no augmentation, a layer that changes shapes or has weights, and a mix without classes.
 */
export function augmented(
  caller: string,
  objective: Objective,
  augmentations: readonly Augmentation[],
  samples: AugmentedSamples,
): Objective {
  if (augmentations.length === 0) return objective
  const { column, isBytes, classes } = samples
  const given = objective.columns[column]!.shape
  // Images without channels are images of one channel.
  const shape = given.length === 2 ? [...given, 1] : given
  checkAugmentations(caller, augmentations, shape, classes)
  const mixes = augmentations.some(isMix)
  return {
    ...objective,
    ...(mixes ? { loss: mixedLoss(caller, objective.loss), metrics: objective.metrics.map(mixedMetric) } : {}),
    forward: (context, weights, columns) => {
      const { tf, random, training } = context
      if (random === undefined || training === undefined) return objective.forward(context, weights, columns)
      const whole = { tf, random, training }
      const raw = columns[column]!
      let x = tf.reshape(isBytes ? tf.div(raw, 255) : raw, [raw.shape[0], ...shape])
      let target = mixes ? tf.cast(tf.oneHot(columns[column + 1] as Tensor1D, classes!), 'float32') : undefined
      for (const augmentation of augmentations) {
        if (isMix(augmentation)) [x, target] = mixPairs(whole, augmentation, x, target!)
        else x = augmentation.apply(context, x, [])
      }
      const back = tf.reshape(isBytes ? tf.mul(x, 255) : x, raw.shape)
      const result = objective.forward(context, weights, columns.with(column, back))
      return target === undefined ? result : { output: result.output, target }
    },
  }
}

function isMix(augmentation: Augmentation): augmentation is Mix {
  return typeof augmentation === 'object' && augmentation !== null && 'mix' in augmentation
}

/** Samples and targets mixed with those of their partners. */
function mixPairs(context: MixContext, mix: Mix, x: Tensor, target: Tensor): [Tensor, Tensor] {
  const { tf, training } = context
  const mixed = mix.mix(context, x, tf.reverse(x, 0))
  // Without a partner a sample stays as it is.
  const paired = tf.reverse(training.mask, 0)
  const whole = tf.reshape(paired, [x.shape[0], ...x.shape.slice(1).map(() => 1)])
  const own = tf.expandDims(tf.sub(1, tf.mul(paired, tf.sub(1, mixed.own))), 1)
  return [
    tf.add(tf.mul(mixed.x, whole), tf.mul(x, tf.sub(1, whole))),
    tf.add(tf.mul(target, own), tf.mul(tf.reverse(target, 0), tf.sub(1, own))),
  ]
}

/** The loss of class numbers, or of shares of classes where samples were mixed. */
function mixedLoss(caller: string, loss: Loss): Loss {
  if (loss !== softmaxCrossEntropy) {
    throw new ShardbookError('argument', `${caller}: expected labels as they are to mix, got smoothed ones.`)
  }
  return {
    ...loss,
    rows: (tf, output, target) => (target.rank === 2 ? categoricalCrossEntropy : loss).rows(tf, output, target),
  }
}

/** A metric of class numbers; of mixed samples the larger share counts. */
function mixedMetric(metric: Metric): Metric {
  const classOf = (tf: Tf, target: Tensor): Tensor =>
    target.rank === 2 ? tf.cast(tf.argMax(target, 1), 'int32') : target
  return 'rows' in metric
    ? { ...metric, rows: (tf, output, target) => metric.rows(tf, output, classOf(tf, target)) }
    : { ...metric, sums: (tf, output, target, weight) => metric.sums(tf, output, classOf(tf, target), weight) }
}

export function checkAugmentations(
  caller: string,
  augmentations: readonly Augmentation[],
  shape: Shape,
  classes: number | undefined,
): void {
  for (const augmentation of augmentations) {
    if (!isMix(augmentation)) continue
    if (classes === undefined) {
      throw new ShardbookError(
        'argument',
        `${caller}: expected augmentations of samples without labels, got ${augmentation.kind}.`,
      )
    }
    if (augmentation.kind === 'cutMix' && shape.length !== 3) {
      throw new ShardbookError('argument', `${caller}: expected images for cutMix, got samples [${shape.join(', ')}].`)
    }
  }
  const layers = augmentations.filter((augmentation): augmentation is Layer => !isMix(augmentation))
  const wrong = layers.find((layer) => typeof layer?.infer !== 'function')
  if (wrong !== undefined) {
    throw new ShardbookError('argument', `${caller}: expected augment to hold layers and mixes, got ${show(wrong)}.`, {
      hint: 'For example [nn.randomRotation({ degrees: 10 }), nn.mixUp()].',
    })
  }
  for (const { name, output, weights } of inferChain(caller, layers, shape)) {
    if (weights.length === 0 && String(output) === String(shape)) continue
    throw new ShardbookError(
      'argument',
      `${caller}: expected augmentations that leave [${shape.join(', ')}] as it is and have no weights, got "${name}".`,
      { hint: "Layers that belong to the network go into 'layers'." },
    )
  }
}
