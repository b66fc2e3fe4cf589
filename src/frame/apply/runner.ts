/** Where a user's function runs: in this process, or, from a module, in worker threads. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { ShardbookError, type ErrorCode } from '../../core/errors.js'
import { callOnBatch, type AnyFunction, type ApplyMode, type InputBatch } from './call.js'

/** A function as data: one of this process by its id, or the export of a module. */
export type FunctionRef =
  | { readonly kind: 'memory'; readonly id: string }
  | { readonly kind: 'module'; readonly module: string; readonly name: string; readonly workers: number }

export interface ApplySettings {
  readonly mode: ApplyMode
  /** Calls that may wait at the same time. */
  readonly concurrency: number
}

export interface Runner {
  /** Batches that may be under way at the same time. */
  readonly batchesAtOnce: number
  run(batch: InputBatch): Promise<readonly object[] | Readonly<Record<string, unknown>>>
  close(): Promise<void>
}

const functions = new Map<string, AnyFunction>()
const collected = new FinalizationRegistry<string>((id) => functions.delete(id))
let counter = 0

/** Keeps a function of this process for as long as its reference is. */
export function keepFunction(fn: AnyFunction): FunctionRef {
  const ref: FunctionRef = { kind: 'memory', id: `function-${++counter}` }
  functions.set(ref.id, fn)
  collected.register(ref, ref.id)
  return ref
}

export function openRunner(ref: FunctionRef, { mode, concurrency }: ApplySettings): Runner {
  if (ref.kind === 'module') return threadRunner(ref, { mode, concurrency })
  const fn = functions.get(ref.id)
  if (fn === undefined) {
    throw new ShardbookError('state', `map: the function ${ref.id} is not in this process.`, {
      hint: 'Send a portable plan: frame.source(…) makes one; or name a module and its export.',
    })
  }
  return {
    // Rows of one batch already wait at the same time.
    batchesAtOnce: mode === 'rows' ? 1 : concurrency,
    run: (batch) => callOnBatch(mode, fn, batch, concurrency),
    close: async () => {},
  }
}

interface Waiting {
  readonly resolve: (result: readonly object[]) => void
  readonly reject: (error: unknown) => void
}

function threadRunner(ref: Extract<FunctionRef, { kind: 'module' }>, settings: ApplySettings): Runner {
  const own = fileURLToPath(new URL('./function-main.js', import.meta.url))
  const program = existsSync(own)
    ? own
    : fileURLToPath(new URL('../../../dist/src/frame/apply/function-main.js', import.meta.url))
  const waiting = new Map<number, Waiting>()
  const workers = Array.from({ length: ref.workers }, () => {
    const worker = new Worker(program, { workerData: { module: ref.module, name: ref.name, ...settings } })
    worker.on('message', (answer: { id: number; result: readonly object[]; error?: WireError }) => {
      const { resolve, reject } = waiting.get(answer.id)!
      waiting.delete(answer.id)
      if (answer.error === undefined) resolve(answer.result)
      else reject(fromWire(answer.error))
    })
    worker.on('error', (cause) => {
      const why = cause instanceof Error ? cause.message : String(cause)
      const error = new ShardbookError('data', `map: the worker of ${ref.module} failed: ${why}`, { cause })
      for (const { reject } of waiting.values()) reject(error)
    })
    worker.unref()
    return worker
  })
  let sent = 0
  return {
    batchesAtOnce: ref.workers * 2,
    run: (batch) =>
      new Promise((resolve, reject) => {
        const id = ++sent
        waiting.set(id, { resolve, reject })
        workers[id % workers.length]!.postMessage({ id, batch }, [])
      }),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

interface WireError {
  readonly message: string
  readonly code?: ErrorCode
  readonly stack?: string
}

function fromWire({ message, code = 'data', stack }: WireError): ShardbookError {
  const cause = new Error(message)
  if (stack !== undefined) cause.stack = stack
  return new ShardbookError(code, message, { cause })
}
