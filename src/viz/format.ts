/** Numbers and durations in the words of a chart. */

/** A number with three or four significant digits, as people write it: `0.0123`, `12,300`, `1.2e-7`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(2)
  if (size >= 1000) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(size >= 100 ? 4 : 3)))
}

/** A whole number with its thousands set apart. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** A rate: whole from 10 on, else one digit behind the point. */
export function formatRate(value: number): string {
  return value >= 9.95 ? formatCount(value) : formatNumber(Number(value.toFixed(value < 1 ? 2 : 1)))
}

/** Seconds as `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown'
  if (seconds < 1) return `${Math.max(0, seconds).toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`
}
