/** Argument checks whose errors read `caller: expected X, got Y. Hint.` */
import { ShardbookError } from './errors.js'

/** A short, safe rendering of any value for an error message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`
  if (value === null || typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return value.length > 6 ? `array of ${value.length}` : `[${value.map(show).join(', ')}]`
  return value.constructor?.name === 'Object'
    ? `{ ${Object.keys(value).slice(0, 6).join(', ')} }`
    : (value.constructor?.name ?? 'object')
}

/** Raises unless `value` is an integer in `[min, max]`. */
export function checkInteger(
  caller: string,
  name: string,
  value: unknown,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return
  const range = max === Number.MAX_SAFE_INTEGER ? `an integer >= ${min}` : `an integer in [${min}, ${max}]`
  throw new ShardbookError('argument', `${caller}: expected ${name} to be ${range}, got ${show(value)}.`)
}

/** Raises unless `value` is a finite number in `[min, max]`. */
export function checkNumber(
  caller: string,
  name: string,
  value: unknown,
  min = -Infinity,
  max = Infinity,
): asserts value is number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max) return
  throw new ShardbookError(
    'argument',
    `${caller}: expected ${name} to be a finite number in [${min}, ${max}], got ${show(value)}.`,
  )
}

/** Raises unless `value` is one of `choices`. */
export function checkOneOf<T extends string>(
  caller: string,
  name: string,
  value: unknown,
  choices: readonly T[],
): asserts value is T {
  if (choices.includes(value as T)) return
  const near = typeof value === 'string' ? nearest(value, choices) : undefined
  throw new ShardbookError(
    'argument',
    `${caller}: expected ${name} to be one of ${choices.map(show).join(', ')}, got ${show(value)}.`,
    near === undefined ? {} : { hint: `Did you mean ${show(near)}?` },
  )
}

/** The candidate that is closest to `word` by edit distance, if any is close enough to be meant. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.ceil(word.length / 3)) + 0.5
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(substitution, previous[j]! + 1, row[j - 1]! + 1))
    }
    previous = row
  }
  return previous[b.length]!
}
