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

/** The awaits of one cell. */
export interface Waits {
  /** What stands in front of a top-level await: a thenable becomes a promise that an interrupt rejects. */
  wait(value: unknown): unknown
}

export interface Interrupts {
  /** Runs a cell's code from a microtask; rejects when an interrupt ended it. */
  run<T>(code: (waits: Waits) => Promise<T>): Promise<T>
  /** Calls `listener` at each interrupt; returns how to stop. */
  onInterrupt(listener: () => void): () => void
}

/** The cell that runs. */
interface Running {
  rejectWait: ((error: unknown) => void) | undefined
  readonly reject: (error: unknown) => void
  wasInterrupted: boolean
}

const nativeTimeout = globalThis.setTimeout

/** Starts the control thread and wraps the global timers. `onError` gets what listeners throw. */
export function openInterrupts(onError: (error: unknown) => void): Interrupts {
  const answered = new Int32Array(new SharedArrayBuffer(4))
  const control = new Worker(new URL('./control.js', import.meta.url), { workerData: { answered, fd: interruptFd } })
  control.unref()
  const listeners = new Set<() => void>()
  const running = wrapTimers()
  let current: Running | undefined

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
    const cell = current
    if (cell === undefined) return
    // The cell may catch what its await throws and clean up; with none pending, or the second time, it is over.
    const reject = cell.wasInterrupted ? cell.reject : (cell.rejectWait ?? cell.reject)
    cell.wasInterrupted = true
    cell.rejectWait = undefined
    reject(new ShardbookError('interrupted', 'The cell was interrupted.'))
  })

  return {
    run: (code) =>
      new Promise((resolve, reject) => {
        const cell: Running = { reject: over(reject), rejectWait: undefined, wasInterrupted: false }
        function over<V>(finish: (value: V) => void): (value: V) => void {
          return (value) => {
            if (current === cell) current = undefined
            finish(value)
          }
        }
        current = cell
        nativeTimeout(() =>
          queueMicrotask(() => {
            code({ wait: (value) => waitFor(cell, value) }).then(over(resolve), cell.reject)
          }),
        )
      }),
    onInterrupt: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

function waitFor(cell: Running, value: unknown): unknown {
  if (!isThenable(value)) return value
  return new Promise((resolve, reject) => {
    cell.rejectWait = reject
    const settled = (): void => {
      if (cell.rejectWait === reject) cell.rejectWait = undefined
    }
    Promise.resolve(value).then(
      (result) => {
        settled()
        resolve(result)
      },
      (error: unknown) => {
        settled()
        reject(error)
      },
    )
  })
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
