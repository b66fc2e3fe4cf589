/** From a place in what runs back to the place in what the user wrote. */
import type { SourceMapPayload, SourceMapping } from 'node:module'
import { SourceMap } from 'node:module'
import type { Place } from './code-frame.js'

/** Follows `maps`, the outermost first; the function's result is absent where a place has no origin in the user's text. */
export function originalPlaces(maps: readonly SourceMapPayload[]): (place: Place) => Place | undefined {
  const parsed = maps.map((payload) => new SourceMap(payload))
  return (place) => {
    let at = place
    for (const map of parsed) {
      const entry = map.findEntry(at.line - 1, at.column - 1) as Partial<SourceMapping>
      if (entry.originalLine === undefined || entry.originalColumn === undefined) return undefined
      at = { line: entry.originalLine + 1, column: entry.originalColumn + 1 }
    }
    return at
  }
}
