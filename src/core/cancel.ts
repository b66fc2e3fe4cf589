/**
 * Cancelling: work listens to one signal, which the user's interrupt and the caller's own `AbortSignal` both abort.
 *
 * The signal goes down the call stack by itself (async context), so that neither plans nor queries carry it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { ShardbookError } from './errors.js'
import { host } from './host.js'

/** How long cancelled work may take to end before its caller hears of it. */
const graceMs = 200

const current = new AsyncLocalStorage<AbortSignal>()

/** The signal that the running work listens to, if any. */
export function currentSignal(): AbortSignal | undefined {
  return current.getStore()
}

/**
 * Runs `work` so that an interrupt of the user, `signal`, or a surrounding call's cancellation ends it.
 * @throws `interrupted` when it is cancelled: as soon as `work` has ended, or after a moment, whatever it waits for
 */
export async function cancellable<T>(
  caller: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const outer = currentSignal()
  const controller = new AbortController()
  const cancel = (): void => controller.abort(new ShardbookError('interrupted', `${caller}: it was interrupted.`))
  const off = host().onInterrupt(cancel)
  const signals = [outer, signal].filter((each) => each !== undefined)
  for (const each of signals) each.addEventListener('abort', cancel)
  try {
    if (signals.some(({ aborted }) => aborted)) cancel()
    controller.signal.throwIfAborted()
    const working = current.run(controller.signal, work)
    const stopped = new Promise<never>((_, reject) => {
      const tell = (): void => reject(controller.signal.reason as ShardbookError)
      controller.signal.addEventListener('abort', () => {
        const timer = setTimeout(tell, graceMs)
        const settled = (): void => {
          clearTimeout(timer)
          tell()
        }
        working.then(settled, settled)
      })
    })
    return await Promise.race([working, stopped])
  } finally {
    off()
    for (const each of signals) each.removeEventListener('abort', cancel)
  }
}
