/** Schedules: from the number of steps to the learning rate of each. Plain numbers, so that a job stays plain data. */
import { checkInteger, checkNumber } from '../core/check.js'

/** The learning rates of a training of `steps` steps; the last one holds for any later step. */
export type Schedule = (steps: number) => readonly number[]

/**
 * The same rate for every step.
 *
 * @example
 * ```ts
 * nn.constant(1e-3)
 * ```
 */
export function constant(rate: number): Schedule {
  checkNumber('nn.constant', 'rate', rate, 0)
  return () => [rate]
}

export interface CosineOptions {
  /** Share of the steps over which the rate rises from near zero. Default 0. */
  readonly warmUp?: number
  /** What is left of the rate at the end. Default 0. */
  readonly floor?: number
}

/**
 * A rise to `rate`, then half a cosine down to `floor * rate`.
 *
 * @throws ShardbookError `argument` for a negative rate and shares outside [0, 1].
 * @example
 * ```ts
 * nn.cosine(3e-3, { warmUp: 0.1 })
 * ```
 */
export function cosine(rate: number, { warmUp: rise = 0, floor = 0 }: CosineOptions = {}): Schedule {
  checkNumber('nn.cosine', 'rate', rate, 0)
  checkNumber('nn.cosine', 'warmUp', rise, 0, 1)
  checkNumber('nn.cosine', 'floor', floor, 0, 1)
  return (steps) => {
    const rising = Math.round(rise * steps)
    return Array.from({ length: steps }, (_, step) => {
      if (step < rising) return (rate * (step + 1)) / rising
      const share = (step - rising) / Math.max(1, steps - rising)
      return rate * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * share)))
    })
  }
}

export interface DecayOptions {
  /** What the rate is multiplied by over `every` steps. */
  readonly factor: number
  readonly every: number
}

/**
 * A smooth decay: `rate * factor^(step / every)`.
 *
 * @throws ShardbookError `argument` for numbers out of range.
 * @example
 * ```ts
 * nn.exponentialDecay(0.01, { factor: 0.5, every: 1000 })
 * ```
 */
export function exponentialDecay(rate: number, options: DecayOptions): Schedule {
  return decay('nn.exponentialDecay', rate, options, (steps) => steps)
}

/**
 * A decay by steps: `rate * factor^floor(step / every)`.
 *
 * @throws ShardbookError `argument` for numbers out of range.
 * @example
 * ```ts
 * nn.stepDecay(0.1, { factor: 0.1, every: 2000 })
 * ```
 */
export function stepDecay(rate: number, options: DecayOptions): Schedule {
  return decay('nn.stepDecay', rate, options, Math.floor)
}

function decay(caller: string, rate: number, { factor, every }: DecayOptions, whole: (x: number) => number): Schedule {
  checkNumber(caller, 'rate', rate, 0)
  checkNumber(caller, 'factor', factor, 0, 1)
  checkInteger(caller, 'every', every, 1)
  return (steps) => Array.from({ length: steps }, (_, step) => rate * factor ** whole(step / every))
}

export interface OneCycleOptions {
  /** Share of the steps over which the rate rises. Default 0.3. */
  readonly rise?: number
  /** The first rate is the highest divided by this. Default 25. */
  readonly from?: number
  /** The last rate is the first divided by this. Default 10,000. */
  readonly to?: number
}

/**
 * One cycle (Smith and Topin, 2017; as in PyTorch): half a cosine up to `rate`, another one down to almost nothing.
 *
 * @throws ShardbookError `argument` for numbers out of range.
 * @example
 * ```ts
 * nn.oneCycle(0.01)
 * ```
 */
export function oneCycle(rate: number, { rise = 0.3, from = 25, to = 10_000 }: OneCycleOptions = {}): Schedule {
  checkNumber('nn.oneCycle', 'rate', rate, 0)
  checkNumber('nn.oneCycle', 'rise', rise, 0, 1)
  checkNumber('nn.oneCycle', 'from', from, 1)
  checkNumber('nn.oneCycle', 'to', to, 1)
  const between = (a: number, b: number, share: number): number => b + ((a - b) / 2) * (Math.cos(Math.PI * share) + 1)
  return (steps) => {
    const top = Math.max(rise * steps - 1, 0)
    return Array.from({ length: steps }, (_, step) => {
      if (step < top) return between(rate / from, rate, step / top)
      return between(rate, rate / from / to, (step - top) / Math.max(steps - 1 - top, 1))
    })
  }
}

/**
 * Another schedule after a rise in a straight line to where that begins.
 *
 * @throws ShardbookError `argument` for less than one step.
 * @example
 * ```ts
 * nn.warmUp(nn.exponentialDecay(0.01, { factor: 0.5, every: 1000 }), { steps: 200 })
 * ```
 */
export function warmUp(schedule: Schedule, options: { readonly steps: number }): Schedule {
  checkInteger('nn.warmUp', 'steps', options.steps, 1)
  return (steps) => {
    const rising = Math.min(options.steps, steps)
    const rates = schedule(Math.max(steps - rising, 1))
    return [...Array.from({ length: rising }, (_, step) => (rates[0]! * step) / rising), ...rates]
  }
}
