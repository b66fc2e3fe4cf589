/** Quantiles of sorted values. */

/** The value below which a part of the sorted values lies, interpolated linearly. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  const place = (sorted.length - 1) * part
  const low = Math.floor(place)
  const [a, b] = [sorted[low] ?? NaN, sorted[Math.ceil(place)] ?? NaN]
  return a === b ? a : a + (place - low) * (b - a)
}
