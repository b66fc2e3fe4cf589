/**
 * Interrupts of the main thread: of what a cell awaits, of what listens, and (by the control thread) of what spins.
 *
 * Code that the inspector ends runs no `catch` and unwinds everything below it, Node's own loops included. So user code
 * must start from a microtask, which nothing lies below: cells do (`run`), and timers' callbacks are made to.
 * An interrupt names its cell: one that comes before the cell has started waits for it, one that comes late is dropped.
 */
import { Worker } from 'node:worker_threads'
import { ShardbookError } from '../../src/core/errors.js'
import { descriptors } from '../channel.js'
import { isAnswered, isInCell } from './interrupt-state.js'

/** The awaits of one cell. */
export interface Waits {
  /** What stands in front of a top-level await: a thenable becomes a promise that an interrupt rejects. */
  wait(value: unknown): unknown
}

export interface Interrupts {
  /** Runs the code of cell `serial` from a microtask; rejects when an interrupt ended it. */
  run<T>(serial: number, code: (waits: Waits) => Promise<T>): Promise<T>
  /** Calls `listener` at each interrupt; returns how to stop. */
  onInterrupt(listener: () => void): () => void
}

/** The cell that runs. */
interface Running {
  readonly serial: number
  /** Its last top-level await. */
  wait: { isPending(): Promise<boolean>; reject(error: unknown): void } | undefined
  readonly reject: (error: unknown) => void
  wasInterrupted: boolean
}

// Taken now: a cell may put something else in their place.
const { Promise, Set, queueMicrotask, setTimeout: nativeTimeout } = globalThis

/** Starts the control thread and wraps the global timers. `onError` gets what listeners throw. */
export function openInterrupts(onError: (error: unknown) => void): Interrupts {
  const state = new Int32Array(new SharedArrayBuffer(8))
  const control = new Worker(new URL('./control.js', import.meta.url), {
    workerData: { state, fd: descriptors.interrupts },
  })
  control.unref()
  const listeners = new Set<() => void>()
  const running = wrapTimers()
  let current: Running | undefined
  let lastStarted = 0
  let wanted = 0

  control.on('message', (serial: number) => {
    Atomics.store(state, isAnswered, 1)
    wanted = serial
    if (current === undefined ? serial <= lastStarted : serial !== current.serial) return
    running.stop()
    for (const listener of listeners) {
      try {
        listener()
      } catch (error) {
        onError(error)
      }
    }
    if (current !== undefined) void interruptCell(current)
  })

  return {
    run: (serial, code) =>
      new Promise((resolve, reject) => {
        lastStarted = serial
        const cell: Running = { serial, reject: over(reject), wait: undefined, wasInterrupted: false }
        function over<V>(settle: (value: V) => void): (value: V) => void {
          return (value) => {
            if (current === cell) current = undefined
            Atomics.store(state, isInCell, 0)
            settle(value)
          }
        }
        const finish = over(resolve)
        current = cell
        if (wanted === serial) {
          void interruptCell(cell)
          return
        }
        const start = async (): Promise<void> => {
          // Interrupted before it began.
          if (current !== cell) return
          Atomics.store(state, isInCell, 1)
          try {
            // Not by `then`, in whose place a cell may have put something else.
            finish(await code({ wait: (value) => waitFor(cell, value) }))
          } catch (error) {
            cell.reject(error)
          }
        }
        nativeTimeout(() => queueMicrotask(() => void start()))
      }),
    onInterrupt: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

/** The cell may catch what its await throws and clean up; with none pending, or the second time, it is over. */
async function interruptCell(cell: Running): Promise<void> {
  const error = new ShardbookError('interrupted', 'The cell was interrupted.')
  const { wait, wasInterrupted } = cell
  cell.wasInterrupted = true
  if (!wasInterrupted && wait !== undefined && (await wait.isPending())) wait.reject(error)
  else cell.reject(error)
}

function waitFor(cell: Running, value: unknown): unknown {
  if (!isThenable(value)) return value
  const promise = new Promise((resolve, reject) => {
    cell.wait = { isPending: () => isPending(promise), reject }
    // Nothing but the promise's own functions: V8 then follows the await into the stacks of errors.
    Promise.resolve(value).then(resolve, reject)
  })
  return promise
}

/** A promise does not tell its state, but it wins a race against a settled one only when it has settled. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = {}
  const settled = (): undefined => undefined
  return (await Promise.race([promise.then(settled, settled), Promise.resolve().then(() => pending)])) === pending
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
