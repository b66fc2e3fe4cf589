/**
 * The learning-rate finder (Smith, 2017): a short training whose rate rises from step to step, until the loss bursts. A good rate
 * lies where the loss falls, well before it rises.
 */
import { checkInteger, checkNumber } from '../core/check.js'
import { displaySymbol } from '../core/display.js'
import type { Displayable, MimeBundle } from '../core/display.js'
import { ShardbookError } from '../core/errors.js'
import { vegaLite } from '../viz/index.js'
import type { Chart } from '../viz/index.js'
import type { Strategy } from './strategy.js'
import { isDivergence } from './train/divergence.js'
import type { FitOptions } from './train/options.js'

/** Anything with the `fit` of a neural estimator. */
interface Fits<F> {
  fit(frame: F, options: FitOptions): PromiseLike<unknown>
}

export interface FindLearningRateOptions {
  /** First and last rate. Default 1e-6 and 1. */
  readonly from?: number
  readonly to?: number
  /** Default 100. */
  readonly steps?: number
  /** Where it runs: a pool, or this process. */
  readonly on?: Strategy
}

/** The loss over the rate; it renders as a chart. */
export interface RateCurve extends Displayable {
  readonly rates: readonly number[]
  /** Loss of the step at each rate, smoothed over the steps before. */
  readonly losses: readonly number[]
  /** A rate on the way down. */
  readonly suggestion: number
  chart(): Chart
}

/**
 * Trains for some steps at rising rates and suggests one; the estimator stays as it is.
 *
 * @throws ShardbookError `argument` for rates or steps out of range, `data` when the loss is not finite from the start.
 * @example
 * ```ts
 * const curve = await nn.findLearningRate(cnn, train)
 * console.log(curve.suggestion)
 * ```
 */
export async function findLearningRate<F>(
  estimator: Fits<NoInfer<F>>,
  frame: F,
  { from = 1e-6, to = 1, steps = 100, on }: FindLearningRateOptions = {},
): Promise<RateCurve> {
  const caller = 'nn.findLearningRate'
  checkNumber(caller, 'from', from, Number.MIN_VALUE)
  checkNumber(caller, 'to', to, from * 10)
  checkInteger(caller, 'steps', steps, 10)
  const rates = Array.from({ length: steps }, (_, step) => from * (to / from) ** (step / (steps - 1)))
  const losses: number[] = []
  let mean = 0
  try {
    await estimator.fit(frame, {
      rates,
      ...(on === undefined ? {} : { on }),
      callbacks: [
        (event) => {
          if (event.kind !== 'step') return undefined
          mean = mean * smoothing + event.loss * (1 - smoothing)
          losses.push(mean / (1 - smoothing ** (losses.length + 1)))
          return losses.at(-1)! > burst * Math.min(...losses) ? 'stop' : undefined
        },
      ],
    })
  } catch (error) {
    // The end of the curve, where there is one.
    if (!isDivergence(error) || losses.length < 5) throw error
  }
  return curve(rates.slice(0, losses.length), losses)
}

/** Share of the smoothed loss that stays, and how far above the least it may rise. */
const smoothing = 0.9
const burst = 4

function curve(rates: readonly number[], losses: readonly number[]): RateCurve {
  const suggestion = rates[valley(losses)]
  if (suggestion === undefined) {
    throw new ShardbookError('data', 'nn.findLearningRate: expected steps to look at, got none.')
  }
  const chart = (): Chart => chartOf(rates, losses, suggestion)
  return Object.freeze({
    rates,
    losses,
    suggestion,
    chart,
    [displaySymbol]: async (): Promise<MimeBundle> => chart()[displaySymbol](),
  })
}

/**
 * A place on the way down: the middle of the longest run of steps whose losses fall, not counting steps in between that do not. It
 * is steadier than the steepest slope, which noise makes (as fastai's "valley").
 */
function valley(losses: readonly number[]): number {
  const lengths = losses.map(() => 1)
  for (const [i, loss] of losses.entries()) {
    for (let j = 0; j < i; j++) if (loss < losses[j]!) lengths[i] = Math.max(lengths[i]!, lengths[j]! + 1)
  }
  const longest = Math.max(...lengths)
  const end = lengths.indexOf(longest)
  return Math.max(0, end - Math.floor(longest / 2))
}

function chartOf(rates: readonly number[], losses: readonly number[], suggestion: number): Chart {
  const x = {
    field: 'rate',
    type: 'quantitative',
    scale: { type: 'log' },
    title: 'learning rate',
    axis: { format: '~e' },
  }
  const y = { field: 'loss', type: 'quantitative', scale: { zero: false }, title: 'loss, smoothed' }
  const best = { rate: suggestion, loss: losses[rates.indexOf(suggestion)]!, label: suggestion.toExponential(1) }
  return vegaLite({
    title: `Learning rate: the loss falls at ${best.label}`,
    width: 560,
    height: 260,
    layer: [
      {
        data: { values: rates.map((rate, i) => ({ rate, loss: losses[i]! })) },
        mark: { type: 'line' },
        encoding: { x, y },
      },
      { data: { values: [best] }, mark: { type: 'rule', strokeDash: [4, 4] }, encoding: { x } },
      { data: { values: [best] }, mark: { type: 'point', filled: true, size: 90 }, encoding: { x, y } },
    ],
  })
}
