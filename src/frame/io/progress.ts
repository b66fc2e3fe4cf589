/** Progress of what takes long, in one output that is updated and says at the end what was done. */
import { randomUUID } from 'node:crypto'
import { host } from '../../core/host.js'
import { isShown } from '../../core/quiet.js'

/** What is quicker than this shows nothing. */
const quietMs = 1000
const everyMs = 250

interface Progress {
  end(state: 'done' | 'stopped'): void
}

export type ProgressState = 'running' | 'done' | 'stopped'

/** Shows `line()` from time to time until it is first ended; nothing in a terminal that is not one, or for work that shows itself. */
export function showProgress(line: (state: ProgressState) => string): Progress {
  const shown = host()
  if (isShown() || (shown.kind === 'terminal' && !process.stdout.isTTY)) return { end: () => {} }
  const id = randomUUID()
  let published = false
  let ended = false
  const startedMs = performance.now()
  const timer = setInterval(() => {
    if (performance.now() - startedMs < quietMs) return
    const bundle = { 'text/plain': line('running') }
    if (published) shown.update(id, bundle)
    else shown.publish(bundle, { id })
    published = true
  }, everyMs)
  timer.unref()
  return {
    end: (state) => {
      clearInterval(timer)
      if (published && !ended) shown.update(id, { 'text/plain': line(state) })
      ended = true
    },
  }
}

/** Progress of a transfer. */
export function trackBytes(file: string, totalBytes: number): Progress & { add(bytes: number): void } {
  let done = 0
  const name = file.split('/').at(-1)!
  const progress = showProgress(
    (state) => `${name}: ${showBytes(done)}${state === 'done' ? '' : ` of ${showBytes(totalBytes)}`}`,
  )
  return { ...progress, add: (bytes) => void (done += bytes) }
}

/** `1.5 GB`, in powers of 1000. */
export function showBytes(bytes: number): string {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)))
  const value = bytes / 1000 ** power
  return `${value >= 100 || power === 0 ? Math.round(value) : value.toFixed(1)} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`
}
