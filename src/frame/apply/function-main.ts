/** A worker thread that calls a function of a user's module. */
import { parentPort, workerData } from 'node:worker_threads'
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { callOnBatch, type AnyFunction, type ApplyMode, type InputBatch } from './call.js'

const { module, name, mode, concurrency } = workerData as {
  module: string
  name: string
  mode: ApplyMode
  concurrency: number
}

const loading = (async (): Promise<AnyFunction> => {
  const found = ((await import(module)) as Record<string, unknown>)[name]
  if (typeof found === 'function') return found as AnyFunction
  throw new ShardbookError('argument', `map: expected ${module} to export a function '${name}', got ${show(found)}.`)
})()

parentPort!.on('message', ({ id, batch }: { id: number; batch: InputBatch }) => {
  void loading
    .then((fn) => callOnBatch(mode, fn, batch, concurrency))
    .then(
      (result) => parentPort!.postMessage({ id, result }, []),
      (error: unknown) => {
        const { message, code, stack } = error as { message: string; code?: string; stack?: string }
        parentPort!.postMessage({ id, error: { message, code, stack } }, [])
      },
    )
})
