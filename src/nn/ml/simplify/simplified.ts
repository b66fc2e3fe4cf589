/** What a simpler model costs: its size and its score beside those of the model that it came from. */
import { displaySymbol } from '../../../core/display.js'
import type { Displayable, MimeBundle } from '../../../core/display.js'
import { sizeOf } from '../../../core/dtype.js'
import { ShardbookError } from '../../../core/errors.js'
import { show } from '../../../core/check.js'
import type { AnyFrame } from '../../../frame/index.js'
import { NetworkModel } from '../network-model.js'
import type { Transformer } from '../stage.js'
import { metricOf } from '../tuning/scorer.js'
import type { Scorer } from '../tuning/scorer.js'
import type { SmallWeight } from './small-weights.js'

/** Rows and how to score them: held out from training and from every choice. */
export interface ScoredOn {
  readonly frame: AnyFrame
  readonly evaluator: Scorer
}

export interface Change {
  readonly before: number
  readonly after: number
}

/** A simpler model with what it costs. */
export class Simplified<M extends Transformer> implements Displayable {
  readonly model: M
  /** What was done: `int8`, `sparsity 0.8`. */
  readonly how: string
  /** Bytes of the weights as they are saved; of pruned ones, of those that are left. */
  readonly sizeBytes: Change
  readonly metric: string | undefined
  readonly score: Change | undefined

  constructor(model: M, how: string, sizeBytes: Change, measured?: { metric: string; score: Change }) {
    this.model = model
    this.how = how
    this.sizeBytes = sizeBytes
    this.metric = measured?.metric
    this.score = measured?.score
  }

  /** What the score fell by, in its own unit; negative where it rose. Undefined unless it was measured. */
  get loss(): number | undefined {
    return this.score === undefined ? undefined : this.score.before - this.score.after
  }

  toString(): string {
    const { before, after } = this.sizeBytes
    const size = `${kilobytes(before)} to ${kilobytes(after)}, a factor of ${(before / after).toFixed(1)}`
    const { score, metric } = this
    return score === undefined
      ? `${this.how}: ${size}`
      : `${this.how}: ${size} · ${metric} ${score.before.toFixed(4)} to ${score.after.toFixed(4)}`
  }

  [displaySymbol](): MimeBundle {
    return { 'text/plain': this.toString() }
  }
}

/** A model with other weights, scored beside the one that it came from. */
export async function simplified<M extends NetworkModel & Transformer>(
  model: M,
  how: string,
  weights: readonly SmallWeight[],
  sizeBytes: Change,
  on: ScoredOn | undefined,
): Promise<Simplified<M>> {
  const made = await model.withWeights(weights)
  if (on === undefined) return new Simplified(made, how, sizeBytes)
  const { frame, evaluator } = on
  const before = await evaluator.evaluate(model.transform(frame))
  const after = await evaluator.evaluate(made.transform(frame))
  return new Simplified(made, how, sizeBytes, { metric: metricOf(evaluator), score: { before, after } })
}

/** @throws ShardbookError `argument` unless it is a fitted network */
export function checkNetwork(caller: string, model: unknown): asserts model is NetworkModel {
  if (model instanceof NetworkModel) return
  throw new ShardbookError('argument', `${caller}: expected a fitted network, got ${show(model)}.`, {
    hint: 'For example what CNNClassifier fits.',
  })
}

/** Bytes that weights take as they are saved. */
export function bytesOf(weights: readonly SmallWeight[]): number {
  const bytes = { float16: 2, int8: 1 } as const
  return weights.reduce((sum, { shape, stored }) => {
    const scales = stored === 'int8' ? 4 * shape.at(-1)! : 0
    return sum + sizeOf(shape) * (stored === undefined ? 4 : bytes[stored]) + scales
  }, 0)
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} kB`
}
