/** Calling a user's function on a batch: the same in this process and in a worker thread. */
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'

/** `rows`: the function takes a row and gives one. `batches`: it takes columns and gives columns, of any number of rows. */
export type ApplyMode = 'rows' | 'batches'

/** Rows by column, and where the first of them lies among all. */
export interface InputBatch {
  readonly rows: number
  readonly firstRow: number
  readonly columns: Readonly<Record<string, ArrayLike<unknown>>>
}

export type AnyFunction = (input: never, index: number) => unknown

/** What the function gave: rows, or columns. @throws `data` naming the row, with the function's error as its cause */
export async function callOnBatch(
  mode: ApplyMode,
  fn: AnyFunction,
  batch: InputBatch,
  concurrency: number,
): Promise<readonly object[] | Readonly<Record<string, unknown>>> {
  const { rows, firstRow, columns } = batch
  if (mode === 'batches') {
    const where = `rows ${firstRow} to ${firstRow + rows - 1}`
    const result = await attempt('mapBatches', where, () => fn({ rows, columns } as never, firstRow))
    return checked('mapBatches', where, result) as Readonly<Record<string, unknown>>
  }
  const names = Object.keys(columns)
  const results: object[] = Array.from({ length: rows })
  const remaining = results.keys()
  const work = async (): Promise<void> => {
    for (const i of remaining) {
      const row = Object.fromEntries(names.map((name) => [name, columns[name]![i]]))
      const where = `row ${firstRow + i}`
      const result = attempt('map', where, () => fn(row as never, firstRow + i))
      // Waiting costs a turn of the event loop's queue: only for what is a promise.
      results[i] = checked('map', where, result instanceof Promise ? await result : result)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return results
}

function attempt(caller: string, where: string, call: () => unknown): unknown {
  try {
    const result = call()
    return result instanceof Promise ? result.catch((cause: unknown) => failed(caller, where, cause)) : result
  } catch (cause) {
    return failed(caller, where, cause)
  }
}

function failed(caller: string, where: string, cause: unknown): never {
  const why = cause instanceof Error ? cause.message : String(cause)
  throw new ShardbookError('data', `${caller}: the function failed at ${where}: ${why}`, { cause })
}

function checked(caller: string, where: string, result: unknown): object {
  if (typeof result === 'object' && result !== null) return result
  throw new ShardbookError(
    'data',
    `${caller}: expected the function to give an object at ${where}, got ${show(result)}.`,
  )
}
