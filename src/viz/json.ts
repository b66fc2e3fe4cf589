/**
 * Plain data: what a chart is made of.
 *
 * A specification is JSON and nothing else, frozen, so that charts can be shared, compared and stored; whatever the user
 * passes in is copied, never frozen or changed.
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

/** A Vega-Lite specification. */
export type Spec = JsonObject

/** The number with `digits` significant digits: more only makes a specification longer. */
export function round(value: number, digits = 5): number {
  return Number(value.toPrecision(digits))
}

/** Any value as JSON: dates as milliseconds, bigints as numbers, typed arrays as arrays, what is not finite as null. */
export function toJson(value: unknown): Json {
  if (value === null || value === undefined || typeof value === 'function' || typeof value === 'symbol') return null
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (value instanceof Date) return toJson(value.getTime())
  if (Array.isArray(value)) return value.map(toJson)
  if (ArrayBuffer.isView(value)) return value instanceof DataView ? null : Array.from(value as Uint8Array, toJson)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, content]) => content !== undefined)
      .map(([key, content]) => [key, toJson(content)]),
  )
}

/** Freezes a tree of plain data, which must be the caller's own. */
export function freeze<T extends Json>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const content of Object.values(value)) freeze(content)
  return Object.freeze(value)
}
