/** Schedules: from the number of steps to the learning rate of each. Plain numbers, so that a job stays plain data. */
import { checkNumber } from '../core/check.js'

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
export function cosine(rate: number, { warmUp = 0, floor = 0 }: CosineOptions = {}): Schedule {
  checkNumber('nn.cosine', 'rate', rate, 0)
  checkNumber('nn.cosine', 'warmUp', warmUp, 0, 1)
  checkNumber('nn.cosine', 'floor', floor, 0, 1)
  return (steps) => {
    const rising = Math.round(warmUp * steps)
    return Array.from({ length: steps }, (_, step) => {
      if (step < rising) return (rate * (step + 1)) / rising
      const share = (step - rising) / Math.max(1, steps - rising)
      return rate * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * share)))
    })
  }
}
