/**
 * Cancelling: work listens to one signal, which the user's interrupt and the caller's own `AbortSignal` both abort.
 *
 * The signal goes down the call stack by itself (async context), so that neither plans nor queries carry it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { ShardbookError } from './errors.js'
import { host } from './host.js'

const current = new AsyncLocalStorage<AbortSignal>()

/** The signal that the running work listens to, if any. */
export function currentSignal(): AbortSignal | undefined {
  return current.getStore()
}

/**
 * Runs `work` so that an interrupt of the user, `signal`, or a surrounding call's cancellation ends it.
 * @throws `interrupted` as soon as it is cancelled, whatever `work` waits for
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
    const stopped = new Promise<never>((_, reject) => {
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason as ShardbookError))
    })
    return await Promise.race([current.run(controller.signal, work), stopped])
  } finally {
    off()
    for (const each of signals) each.removeEventListener('abort', cancel)
  }
}
