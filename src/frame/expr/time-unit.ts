/** Units of time. */
import { ShardbookError } from '../../core/errors.js'

const millis = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
} as const

/** Units that are always equally long. */
export type FixedUnit = keyof typeof millis
export type TimeUnit = FixedUnit | 'month' | 'quarter' | 'year'

export const fixedUnits = Object.keys(millis) as readonly FixedUnit[]
export const timeUnits: readonly TimeUnit[] = [...fixedUnits, 'month', 'quarter', 'year']

/** Milliseconds of a unit. @throws `argument` for one whose length changes */
export function unitMillis(unit: TimeUnit): number {
  const found = fixedUnits.find((each) => each === unit)
  if (found !== undefined) return millis[found]
  throw new ShardbookError('argument', `since: expected one of ${fixedUnits.join(', ')}, got '${unit}'.`)
}
