/**
 * Kernel attributes as JSON. Numbers that JSON lacks (infinities, not-a-number, -0) travel as `{ "number": "Infinity" }`;
 * no kernel has an attribute of that form.
 */
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'

/** Attributes of a kernel call as JSON values; undefined ones are left out. */
export function encodeAttributes(kernel: string, attrs: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attrs).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, encode(value, `${kernel}.${name}`)]],
    ),
  )
}

/** What `encodeAttributes` was given. */
export function decodeAttributes(attrs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, decode(value)]))
}

/** Whether a value is one that `encodeAttributes` makes. */
export function isAttribute(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (Array.isArray(value)) return value.every(isAttribute)
  return typeof value === 'object' && isSpecialNumber(value)
}

const specialNumbers = ['Infinity', '-Infinity', 'NaN', '-0']

function isSpecialNumber(value: object): value is { number: string } {
  return Object.keys(value).length === 1 && specialNumbers.includes((value as { number?: string }).number ?? '')
}

function encode(value: unknown, path: string): unknown {
  if (Object.is(value, -0)) return { number: '-0' }
  if (typeof value === 'number' && !Number.isFinite(value)) return { number: String(value) }
  if (Array.isArray(value)) return value.map((item) => encode(item, path))
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array, (item) => encode(item, path))
  if (isAttribute(value)) return value
  throw new ShardbookError('engine', `record: expected attribute ${path} to be plain data, got ${show(value)}.`)
}

function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode)
  if (typeof value === 'object' && value !== null && isSpecialNumber(value)) return Number(value.number)
  return value
}
