/**
 * JSON that keeps the numbers which JSON lacks: NaN and the infinities travel as `{ "number": "NaN" }`.
 *
 * Both are for `JSON`: `JSON.parse(JSON.stringify(value, keepNumber), reviveNumber)` gives a plain value back.
 */

/** A replacer for `JSON.stringify`. */
export function keepNumber(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? { number: String(value) } : value
}

/** A reviver for `JSON.parse`. */
export function reviveNumber(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return value
  const text = (value as { number?: unknown }).number
  return text === 'NaN' || text === 'Infinity' || text === '-Infinity' ? Number(text) : value
}
