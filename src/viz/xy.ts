/** Points in a plane as a specification: what lines, point clouds and latent codes share. */
import type { ChartSource } from './chart.js'
import { type Json, type JsonObject, round } from './json.js'
import { type Kind, inOrder } from './table.js'

export interface Point {
  readonly x: number | string
  readonly y: number
  readonly color: string | number
  /** A picture shown at the pointer. */
  readonly image?: string
}

export interface Axes {
  readonly x: { readonly name: string; readonly kind: Kind }
  readonly y: string
  readonly color?: { readonly name: string; readonly kind: Kind }
}

export function xySource(
  points: readonly Point[],
  { mark, x, y, color, title, text }: Axes & { mark: JsonObject; title: JsonObject; text: string },
): ChartSource {
  const values = points.map((point): JsonObject => ({
    x: typeof point.x === 'number' && x.kind === 'quantitative' ? round(point.x, 6) : point.x,
    y: round(point.y),
    ...(color === undefined ? {} : { c: point.color }),
    ...(point.image === undefined ? {} : { image: point.image }),
  }))
  const tooltip: Json[] = [
    { field: 'x', type: x.kind, title: x.name },
    { field: 'y', type: 'quantitative', title: y },
    ...(color === undefined ? [] : [{ field: 'c', type: color.kind, title: color.name || 'series' }]),
    // Viewers show the picture that a field of this name holds.
    ...(points.some((point) => point.image !== undefined) ? [{ field: 'image', type: 'nominal' }] : []),
  ]
  // Vega finds an empty column's extent infinite.
  const scale = (empty: boolean): JsonObject => (empty ? { domain: [0, 1] } : { zero: false, nice: true })
  const flat = points.length === 0
  const names = [...new Set(points.map((point) => String(point.color)))]
  const tones = color?.kind === 'nominal' ? { scale: { domain: names.toSorted(inOrder) } } : {}
  return {
    text,
    spec: {
      title,
      width: color === undefined ? 620 : 540,
      height: 280,
      data: { values },
      mark: { ...mark },
      encoding: {
        x: {
          field: 'x',
          type: x.kind,
          title: x.name,
          ...(x.kind === 'quantitative' ? { scale: scale(flat) } : {}),
          ...(x.kind === 'temporal' && flat ? { scale: { domain: [0, 86_400_000] } } : {}),
          ...(x.kind === 'nominal' ? { sort: null } : {}),
        },
        y: { field: 'y', type: 'quantitative', title: y, scale: scale(flat) },
        ...(color === undefined
          ? {}
          : { color: { field: 'c', type: color.kind, title: color.name || null, ...tones } }),
        tooltip,
      },
    },
  }
}

export function pointCount(n: number): string {
  return n === 0 ? 'no data' : `${count(n)} ${n === 1 ? 'point' : 'points'}`
}

export function count(n: number): string {
  return n.toLocaleString('en')
}
