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
  const end = points.length - 1
  const [first, last] = [points[0]!, points[end]!]
  const width = (x(last) - x(first)) / (limit - 2)
  if (!(width > 0)) return [first, last]
  // Where each bucket that holds a point begins; the last point is a bucket of its own.
  const starts: number[] = []
  let bucket = -1
  for (let i = 1; i < end; i++) {
    const own = Math.min(limit - 3, Math.floor((x(points[i]!) - x(first)) / width))
    if (own !== bucket) starts.push(i)
    bucket = own
  }
  starts.push(end)
  const kept: T[] = [first]
  for (let b = 0; b < starts.length - 1; b++) {
    const next = starts[b + 1]!
    const [cx, cy] = centre(next, starts[b + 2] ?? end + 1)
    const [ax, ay] = [x(kept.at(-1)!), y(kept.at(-1)!)]
    let [best, most] = [starts[b]!, -1]
    for (let i = starts[b]!; i < next; i++) {
      const area = Math.abs((ax - cx) * (y(points[i]!) - ay) - (ax - x(points[i]!)) * (cy - ay))
      if (area > most) [best, most] = [i, area]
    }
    kept.push(points[best]!)
  }
  kept.push(last)
  return kept

  function centre(from: number, to: number): readonly [number, number] {
    let [sx, sy] = [0, 0]
    for (let i = from; i < to; i++) {
      sx += x(points[i]!)
      sy += y(points[i]!)
    }
    return [sx / (to - from), sy / (to - from)]
  }
}
