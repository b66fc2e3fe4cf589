/**
 * Interrupts of the main thread: of what a cell awaits, of what listens, and (by the control thread) of what spins.
 *
 * Code that the inspector ends runs no `catch` and unwinds everything below it, Node's own loops included. So user code
 * must start from a microtask, which nothing lies below: cells do (`fromMicrotask`), and timers' callbacks are made to.
 */
import { Worker } from 'node:worker_threads'
import { ShardbookError } from '../../src/core/errors.js'
import { currentOrigin, forgetOrigin, runFor } from './origin.js'

/** The pipe, given by the front, that carries interrupts. */
const interruptFd = 4
/** The pipe of the debugger, which the control thread serves too. */
const debugFd = 5
/** How long an exit waits for the control thread. */
const disconnectMs = 200

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

/** A cell, or a comm's listener, that runs. */
interface Running {
  /** Its last top-level await. */
  wait: { isPending(): Promise<boolean>; reject(error: unknown): void } | undefined
  readonly reject: (error: unknown) => void
  wasInterrupted: boolean
}

const nativeTimeout = globalThis.setTimeout

/** Starts the control thread and wraps the global timers. `onError` gets what listeners throw. */
export function openInterrupts(onError: (error: unknown) => void): Interrupts {
  const left = new Int32Array(new SharedArrayBuffer(4))
  const answered = new Int32Array(new SharedArrayBuffer(4))
  const control = new Worker(new URL('./control.js', import.meta.url), {
    workerData: { answered, left, fd: interruptFd, debugFd },
  })
  process.on('exit', () => {
    // oxlint-disable-next-line require-post-message-target-origin -- a thread's port, not a window's
    control.postMessage('leave')
    Atomics.wait(left, 0, 0, disconnectMs)
    // What the inspector was told is done where V8 checks for interrupts, as in a loop.
    for (let i = 0; i < 10_000; i++) Atomics.load(left, 0)
  })
  control.unref()
  const listeners = new Set<() => void>()
  const running = wrapTimers()
  const current = new Set<Running>()

  control.on('message', () => {
    Atomics.store(answered, 0, 1)
    forgetOrigin()
    running.stop()
    for (const listener of listeners) {
      try {
        listener()
      } catch (error) {
        onError(error)
      }
    }
    for (const cell of current) void interruptCell(cell)
  })

  return {
    run: (code) =>
      new Promise((resolve, reject) => {
        const cell: Running = { reject: over(reject), wait: undefined, wasInterrupted: false }
        function over<V>(finish: (value: V) => void): (value: V) => void {
          return (value) => {
            current.delete(cell)
            finish(value)
          }
        }
        current.add(cell)
        const origin = currentOrigin()
        nativeTimeout(() =>
          queueMicrotask(() => {
            const ended = runFor(origin, () => code({ wait: (value) => waitFor(cell, value) }))
            ended.then(over(resolve), cell.reject)
          }),
        )
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
      const origin = currentOrigin()
      const timer: NodeJS.Timeout = native(
        (...args: unknown[]) =>
          queueMicrotask(() => {
            if (name === 'setInterval') interval = timer
            runFor(origin, () => (callback as (...args: unknown[]) => unknown).apply(timer, args))
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
