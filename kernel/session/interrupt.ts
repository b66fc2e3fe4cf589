/**
 * Interrupts of the main thread: of what a cell awaits, of what listens, and (by the control thread) of what spins.
 *
 * Code that the inspector ends runs no `catch` and unwinds everything below it, Node's own loops included. So user code
 * must start from a microtask, which nothing lies below: cells do (`run`), and timers' callbacks are made to.
 * An interrupt names the last task that it means: those that have not started yet end when they do, later ones are left
 * alone.
 */
import { Worker } from 'node:worker_threads'
import { ShardbookError } from '../../src/core/errors.js'
import { descriptors } from '../channel.js'
import { hasLeft, isAnswered, isInCell } from './interrupt-state.js'
import { currentOrigin, forgetOrigin, runFor } from './origin.js'

/** How long an exit waits for the control thread. */
const disconnectMs = 200

/** The awaits of one cell. */
export interface Waits {
  /** What stands in front of a top-level await: a thenable becomes a promise that an interrupt rejects. */
  wait(value: unknown): unknown
}

export interface Interrupts {
  /** Runs code of the task `serial` from a microtask; rejects when an interrupt ended it. */
  run<T>(serial: number, code: (waits: Waits) => Promise<T>): Promise<T>
  /** Calls `listener` at each interrupt; returns how to stop. */
  onInterrupt(listener: () => void): () => void
}

/** A cell, or a comm's listener, that runs. */
interface Running {
  readonly serial: number
  /** Its last top-level await. */
  wait: { isPending(): Promise<boolean>; reject(error: unknown): void } | undefined
  readonly reject: (error: unknown) => void
  wasInterrupted: boolean
}

// Taken now: a cell may put something else in their place.
const { Promise, Set, queueMicrotask, setImmediate: nativeImmediate } = globalThis

/** The control thread starts with the first task, or so long after the session, whose own start is not to wait for it. */
const controlStartMs = 300

/** Wraps the global timers, and starts the control thread in time. `onError` gets what listeners throw. */
export function openInterrupts(onError: (error: unknown) => void): Interrupts {
  const state = new Int32Array(new SharedArrayBuffer(12))
  let control: Worker | undefined
  setTimeout(start, controlStartMs).unref()
  process.on('exit', () => {
    if (control === undefined) return
    // oxlint-disable-next-line require-post-message-target-origin -- a thread's port, not a window's
    control.postMessage('leave')
    Atomics.wait(state, hasLeft, 0, disconnectMs)
    // What the inspector was told is done where V8 checks for interrupts, as in a loop.
    for (let i = 0; i < 10_000; i++) Atomics.load(state, hasLeft)
  })
  const listeners = new Set<() => void>()
  const timers = wrapTimers()
  const running = new Set<Running>()
  let wanted = 0

  function start(): void {
    if (control !== undefined) return
    control = new Worker(new URL('./control.js', import.meta.url), {
      workerData: { state, fd: descriptors.interrupts, debugFd: descriptors.debug },
    })
    control.unref()
    control.on('message', interrupted)
  }

  function interrupted(serial: number): void {
    Atomics.store(state, isAnswered, 1)
    forgetOrigin()
    wanted = serial
    const meant = [...running].filter((cell) => cell.serial <= serial)
    if (meant.length === 0) return
    timers.stop()
    for (const listener of listeners) {
      try {
        listener()
      } catch (error) {
        onError(error)
      }
    }
    for (const cell of meant) void interruptCell(cell)
  }

  return {
    run: (serial, code) =>
      new Promise((resolve, reject) => {
        start()
        const cell: Running = { serial, reject: over(reject), wait: undefined, wasInterrupted: false }
        function over<V>(settle: (value: V) => void): (value: V) => void {
          return (value) => {
            running.delete(cell)
            if (running.size === 0) Atomics.store(state, isInCell, 0)
            settle(value)
          }
        }
        const finish = over(resolve)
        running.add(cell)
        if (serial <= wanted) {
          void interruptCell(cell)
          return
        }
        const origin = currentOrigin()
        const begin = async (): Promise<void> => {
          // Interrupted before it began.
          if (!running.has(cell)) return
          Atomics.store(state, isInCell, 1)
          try {
            // Not by `then`, in whose place a cell may have put something else.
            finish(await runFor(origin, () => code({ wait: (value) => waitFor(cell, value) })))
          } catch (error) {
            cell.reject(error)
          }
        }
        nativeImmediate(() => queueMicrotask(() => void begin()))
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
