/**
 * Interrupts of the main thread: of what a cell awaits, of what listens, and (by the control thread) of what spins.
 *
 * Code that the inspector ends runs no `catch` and unwinds everything below it, Node's own loops included. So user code
 * must start from a microtask, which nothing lies below: cells do (`fromMicrotask`), and timers' callbacks are made to.
 */
import { Worker } from 'node:worker_threads'
import { ShardbookError } from '../../src/core/errors.js'

/** The pipe, given by the front, that carries interrupts. */
const interruptFd = 4

export interface Interrupts {
  /** What stands in front of a cell's top-level awaits: a value unless it is thenable, then a promise that an interrupt rejects. */
  wait(value: unknown): unknown
  /** Runs a cell's code from a microtask; rejects when an interrupt ended it. */
  run<T>(code: () => Promise<T>): Promise<T>
  /** Calls `listener` at each interrupt; returns how to stop. */
  onInterrupt(listener: () => void): () => void
}

const nativeTimeout = globalThis.setTimeout

/** Starts the control thread and wraps the global timers. `onError` gets what listeners throw. */
export function openInterrupts(onError: (error: unknown) => void): Interrupts {
  const answered = new Int32Array(new SharedArrayBuffer(4))
  const control = new Worker(new URL('./control.js', import.meta.url), { workerData: { answered, fd: interruptFd } })
  control.unref()
  const listeners = new Set<() => void>()
  const running = wrapTimers()
  let rejectWait: ((error: unknown) => void) | undefined
  let rejectCell: ((error: unknown) => void) | undefined

  control.on('message', () => {
    Atomics.store(answered, 0, 1)
    running.stop()
    for (const listener of listeners) {
      try {
        listener()
      } catch (error) {
        onError(error)
      }
    }
    const error = new ShardbookError('interrupted', 'The cell was interrupted.')
    // The cell gets the chance to clean up after its await; with none pending, or at the next interrupt, it is over.
    const reject = rejectWait ?? rejectCell
    rejectWait = undefined
    reject?.(error)
  })

  return {
    wait: (value) => {
      if (!isThenable(value)) return value
      return new Promise((resolve, reject) => {
        rejectWait = reject
        const settle = (finish: () => void): void => {
          if (rejectWait === reject) rejectWait = undefined
          finish()
        }
        Promise.resolve(value).then(
          (result) => settle(() => resolve(result)),
          (error: unknown) => settle(() => reject(error)),
        )
      })
    },
    run: (code) =>
      new Promise((resolve, reject) => {
        rejectCell = reject
        nativeTimeout(() =>
          queueMicrotask(() => {
            const over = (finish: () => void): void => {
              if (rejectCell === reject) rejectCell = undefined
              rejectWait = undefined
              finish()
            }
            code().then(
              (value) => over(() => resolve(value)),
              (error: unknown) => over(() => reject(error)),
            )
          }),
        )
      }),
    onInterrupt: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

function isThenable(value: unknown): boolean {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

type Schedule = (callback: unknown, ...rest: unknown[]) => NodeJS.Timeout

/** Makes callbacks of the global timers start from a microtask; `stop` clears an interval whose callback was ended. */
function wrapTimers(): { stop(): void } {
  let interval: NodeJS.Timeout | undefined
  for (const name of ['setTimeout', 'setInterval', 'setImmediate'] as const) {
    const native = globalThis[name] as unknown as Schedule
    const wrapped: Schedule = (callback, ...rest) => {
      if (typeof callback !== 'function') return native(callback, ...rest)
      const timer: NodeJS.Timeout = native(
        (...args: unknown[]) =>
          queueMicrotask(() => {
            if (name === 'setInterval') interval = timer
            ;(callback as (...args: unknown[]) => unknown).apply(timer, args)
            interval = undefined
          }),
        ...rest,
      )
      return timer
    }
    // The promisified forms hang on the functions.
    Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(native))
    Object.defineProperty(globalThis, name, { configurable: true, enumerable: true, writable: true, value: wrapped })
  }
  return {
    stop: () => {
      clearInterval(interval)
      interval = undefined
    },
  }
}
