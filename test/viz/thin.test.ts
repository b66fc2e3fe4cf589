import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { thin } from '../../src/viz/thin.js'

interface Point {
  readonly x: number
  readonly y: number
}

const x = (point: Point): number => point.x
const y = (point: Point): number => point.y
const lines = fc
  .array(fc.record({ x: fc.integer({ min: 0, max: 10_000 }), y: fc.integer({ min: -1000, max: 1000 }) }), {
    maxLength: 300,
  })
  .map((points) => points.toSorted((a, b) => a.x - b.x))
const limits = fc.integer({ min: 3, max: 100 })

describe('thin', () => {
  it('keeps at most so many points, all of them points of the line, in order', () => {
    fc.assert(
      fc.property(lines, limits, (points, limit) => {
        const kept = thin(points, limit, x, y)
        expect(kept.length).toBeLessThanOrEqual(Math.max(limit, 0))
        const places = kept.map((point) => points.indexOf(point))
        expect(places).toEqual(places.toSorted((a, b) => a - b))
        expect(places).not.toContain(-1)
      }),
    )
  })

  it('keeps the ends', () => {
    fc.assert(
      fc.property(lines, limits, (points, limit) => {
        const kept = thin(points, limit, x, y)
        expect([kept[0], kept.at(-1)]).toEqual([points[0], points.at(-1)])
      }),
    )
  })

  it('leaves short lines as they are', () => {
    const points = [
      { x: 0, y: 1 },
      { x: 1, y: 2 },
    ]
    expect(thin(points, 3, x, y)).toBe(points)
  })

  it('keeps a lone peak', () => {
    const points = Array.from({ length: 1000 }, (_, i) => ({ x: i, y: i === 617 ? 50 : 0 }))
    expect(thin(points, 40, x, y)).toContain(points[617])
  })

  it('keeps one density over a line that is thinned again and again as it grows', () => {
    let points: readonly Point[] = []
    for (let i = 0; i < 20_000; i++) {
      points = [...points, { x: i, y: (i * 7919) % 101 }]
      if (points.length > 400) points = thin(points, 200, x, y)
    }
    const early = points.filter((point) => point.x < 5000).length
    const late = points.filter((point) => point.x >= 10_000 && point.x < 15_000).length
    expect(early).toBeGreaterThan(late / 3)
  })
})
