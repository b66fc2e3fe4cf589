/** Expressions in a specification name scales by their place in it: a chart that becomes a part of another is told its place. */
import type { Json, Spec } from './json.js'

/** The specification as the part `name` of a concatenation, its scales of colour renamed in expressions. */
export function withScaleNames(spec: Spec, name: string): Spec {
  const rename = (value: Json): Json => {
    if (typeof value === 'string') {
      return value.startsWith('contrast(') ? value.replaceAll(/'((?:layer_\d+_)?color)'/g, `'${name}_$1'`) : value
    }
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(rename)
    return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, key === 'values' ? own : rename(own)]))
  }
  return rename(spec) as Spec
}
