/**
 * Thins a line to what a screen can show, keeping its peaks: largest triangle, three buckets (S. Steinarsson,
 * "Downsampling Time Series for Visual Representation", 2013).
 *
 * The buckets are equally wide in x, not equally full, so that thinning what has been thinned before keeps one density
 * over the whole line.
 */

/**
 * At most `limit` of the points, the first and the last among them, in order.
 *
 * @param points in ascending order of x; x and y are finite
 */
export function thin<T>(
  points: readonly T[],
  limit: number,
  x: (point: T) => number,
  y: (point: T) => number,
): readonly T[] {
  if (points.length <= limit || limit < 3) return points
  const first = points[0]!
  const last = points.at(-1)!
  const width = (x(last) - x(first)) / (limit - 2)
  if (!(width > 0)) return [first, last]
  const buckets: T[][] = Array.from({ length: limit - 2 }, () => [])
  for (const point of points.slice(1, -1)) {
    buckets[Math.min(limit - 3, Math.floor((x(point) - x(first)) / width))]!.push(point)
  }
  const filled = buckets.filter((bucket) => bucket.length > 0)
  const kept: T[] = [first]
  for (const [index, bucket] of filled.entries()) {
    const next = filled[index + 1] ?? [last]
    const [cx, cy] = [mean(next, x), mean(next, y)]
    const previous = kept.at(-1)!
    const [ax, ay] = [x(previous), y(previous)]
    const area = (point: T): number => Math.abs((ax - cx) * (y(point) - ay) - (ax - x(point)) * (cy - ay))
    kept.push(bucket.reduce((best, point) => (area(point) > area(best) ? point : best)))
  }
  kept.push(last)
  return kept
}

function mean<T>(points: readonly T[], of: (point: T) => number): number {
  return points.reduce((sum, point) => sum + of(point), 0) / points.length
}
