/**
 * Rules: what a training decides at the end of an epoch, as plain data. The loop itself decides, from losses and metrics that all
 * workers have alike, so that a rule acts at the same step in this process, in a pool, and after a resume.
 */
import { checkInteger, checkNumber, checkOneOf, nearest, show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import type { EpochResult, RuleState } from './job.js'

interface Watched {
  /** `loss`, a metric, or one of both on the validation rows: `validationLoss`, `validationAccuracy`. Absent: see `watch`. */
  readonly monitor?: string
  /** Whether less or more is better. Default: less of a loss, more of a metric. */
  readonly mode?: 'min' | 'max'
  /** What counts as better: by more than this. Default 0. */
  readonly minDelta?: number
}

export interface EarlyStoppingOptions extends Watched {
  /** Epochs without improvement after which the training ends. Default 3. */
  readonly patience?: number
  /** Whether the model gets the weights of the best epoch, however the training ends. Default false. */
  readonly restoreBest?: boolean
}

export interface ReduceOnPlateauOptions extends Watched {
  /** What the learning rate is multiplied by. Default 0.1. */
  readonly factor?: number
  /** Epochs without improvement after which it is. Default 5. */
  readonly patience?: number
  /** Epochs after that which do not count. Default 0. */
  readonly cooldown?: number
  /** Below which share of the schedule's rate it never goes. Default 0. */
  readonly floor?: number
}

export type Rule =
  | (EarlyStoppingOptions & { readonly kind: 'earlyStopping'; readonly patience: number })
  | (ReduceOnPlateauOptions & { readonly kind: 'reduceOnPlateau'; readonly patience: number; readonly factor: number })

/**
 * Ends a training once a number has not become better for some epochs; goes into `callbacks`. The loop decides, also in a pool.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * nn.earlyStopping({ monitor: 'validationLoss', patience: 5, restoreBest: true })
 * ```
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Rule {
  const { patience = 3 } = options
  checkWatched('nn.earlyStopping', options)
  checkInteger('nn.earlyStopping', 'patience', patience, 1)
  return Object.freeze({ ...options, kind: 'earlyStopping', patience })
}

/**
 * Lowers the learning rate once a number has not become better for some epochs; goes into `callbacks`. It multiplies what the
 * schedule gives. The loop decides, also in a pool.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * nn.reduceOnPlateau({ monitor: 'validationLoss', factor: 0.5, patience: 2 })
 * ```
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions = {}): Rule {
  const caller = 'nn.reduceOnPlateau'
  const { patience = 5, factor = 0.1, cooldown = 0, floor = 0 } = options
  checkWatched(caller, options)
  checkInteger(caller, 'patience', patience, 1)
  checkInteger(caller, 'cooldown', cooldown, 0)
  checkNumber(caller, 'factor', factor, 0, 1)
  checkNumber(caller, 'floor', floor, 0, 1)
  return Object.freeze({ ...options, kind: 'reduceOnPlateau', patience, factor })
}

/** What a rule remembers before the first epoch. */
export const initialRule: RuleState = Object.freeze({ bestEpoch: 0, waited: 0, cooldown: 0 })

/** What a rule makes of an epoch. */
export interface Decision {
  readonly state: RuleState
  /** Whether the epoch is the best so far. */
  readonly better: boolean
  /** What the learning rate is multiplied by from now on, before `floor`. */
  readonly factor?: number
  /** Why the training ends. */
  readonly stop?: string
}

/** Applies a rule to the epoch that has ended. */
export function decide(rule: Rule, state: RuleState, epoch: EpochResult): Decision {
  const { monitor, mode } = watch(rule, epoch.validation !== undefined)
  const value = epochRow(epoch)[monitor] ?? Number.NaN
  const gain = state.best === undefined ? Infinity : mode === 'min' ? state.best - value : value - state.best
  const better = Number.isFinite(value) && gain > (rule.minDelta ?? 0)
  const cooling = Math.max(0, state.cooldown - 1)
  if (better) return { better, state: { best: value, bestEpoch: epoch.epoch, waited: 0, cooldown: cooling } }
  const waited = state.cooldown > 0 ? 0 : state.waited + 1
  const waiting = { ...state, waited, cooldown: cooling }
  if (waited < rule.patience) return { better, state: waiting }
  if (rule.kind === 'earlyStopping') {
    const best =
      state.best === undefined ? '' : `, the best was ${state.best.toPrecision(4)} in epoch ${state.bestEpoch}`
    const epochs = waited === 1 ? '1 epoch' : `${waited} epochs`
    return { better, state: waiting, stop: `No better ${monitor} for ${epochs}${best}.` }
  }
  return { better, state: { ...waiting, waited: 0, cooldown: rule.cooldown ?? 0 }, factor: rule.factor }
}

/** What a rule looks at, unless told: the loss, on the validation rows where there are some. */
function watch({ monitor, mode }: Rule, validated: boolean): { monitor: string; mode: 'min' | 'max' } {
  const name = monitor ?? (validated ? 'validationLoss' : 'loss')
  return { monitor: name, mode: mode ?? (/loss|error/i.test(name) ? 'min' : 'max') }
}

/** @throws ShardbookError `argument` when a rule watches what this training does not tell. */
export function checkRules(
  caller: string,
  rules: readonly Rule[],
  metrics: readonly string[],
  validated: boolean,
): void {
  const own = ['loss', ...metrics]
  const names = [...own, ...(validated ? own.map(validationName) : [])]
  for (const rule of rules) {
    const { monitor } = watch(rule, validated)
    if (names.includes(monitor)) continue
    const near = nearest(monitor, names)
    throw new ShardbookError(
      'argument',
      `${caller}: expected ${rule.kind} to monitor one of ${names.join(', ')}, got ${show(monitor)}.`,
      {
        hint:
          near !== undefined
            ? `Did you mean ${show(near)}?`
            : monitor.startsWith('validation') && !validated
              ? 'Give fit validation rows.'
              : 'Add the metric to metrics.',
      },
    )
  }
}

/** An epoch as one row of numbers: `loss`, metrics, and the same on validation rows under `validation…`. */
export function epochRow({ epoch, step, loss, metrics, validation = {} }: EpochResult): {
  readonly [name: string]: number
} {
  const named = Object.entries(validation).map(([name, value]) => [validationName(name), value])
  return { epoch, step, loss, ...metrics, ...Object.fromEntries(named) }
}

/** `accuracy` -> `validationAccuracy` */
function validationName(name: string): string {
  return `validation${name[0]!.toUpperCase()}${name.slice(1)}`
}

function checkWatched(caller: string, { monitor, mode, minDelta = 0 }: Watched): void {
  checkNumber(caller, 'minDelta', minDelta, 0)
  if (mode !== undefined) checkOneOf(caller, 'mode', mode, ['min', 'max'])
  if (monitor === undefined || typeof monitor === 'string') return
  throw new ShardbookError('argument', `${caller}: expected monitor to name a loss or metric, got ${show(monitor)}.`)
}
