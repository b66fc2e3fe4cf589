/**
 * The rows that a user's function gives, as chunks. Input is read as output is taken, and no more than a few batches are
 * under way: a slow function holds back the scan, not the other way round. Batches come in order.
 */
import { currentSignal } from '../../core/cancel.js'
import { ShardbookError } from '../../core/errors.js'
import type { Chunk, ChunkColumn, ChunkStream, NumericValues } from '../chunk.js'
import { columnValues } from '../column-values.js'
import { memoryChunk, planOfColumns, planOfRows } from '../memory.js'
import type { Schema } from '../schema.js'
import type { SchemaSpec } from '../schema-spec.js'
import { bufferOf, dropBuffer } from '../tensor/store.js'
import { openRunner, type ApplySettings, type FunctionRef, type Runner } from './runner.js'
import type { InputBatch } from './call.js'

export interface Application extends ApplySettings {
  readonly fn: FunctionRef
  readonly spec: SchemaSpec
}

/** Keeps the values of a tensor column; the references of those rows. */
export type KeepTensors = (column: string, values: Uint8Array, rows: number) => Promise<Float64Array>

/** Applies a function to a stream; nothing is asked of it past `firstRows` rows of output. */
export async function* applied(
  stream: ChunkStream,
  { fn, spec, ...settings }: Application,
  schema: Schema,
  firstRows: number,
  keep: KeepTensors,
): AsyncGenerator<Chunk> {
  const runner = openRunner(fn, settings)
  try {
    let given = 0
    for await (const { batch, result } of inOrder(batches(stream), runner)) {
      const chunk = await chunkOf(batch, result, spec, schema, keep)
      if (chunk.rows > 0) yield chunk
      given += chunk.rows
      if (given >= firstRows) return
    }
  } finally {
    await runner.close()
  }
}

async function* batches(stream: ChunkStream): AsyncGenerator<InputBatch> {
  let firstRow = 0
  for await (const chunk of stream.chunks) {
    const columns: Record<string, ArrayLike<unknown>> = {}
    stream.schema.forEach((column, i) => {
      columns[column.name] = columnValues(column, [chunk.columns[i]!], chunk.rows, [chunk], i, stream.stores, false)
    })
    yield { rows: chunk.rows, firstRow, columns }
    firstRow += chunk.rows
  }
}

type Result = Awaited<ReturnType<Runner['run']>>

async function* inOrder(
  input: AsyncGenerator<InputBatch>,
  runner: Runner,
): AsyncGenerator<{ batch: InputBatch; result: Result }> {
  const under: { batch: InputBatch; result: Promise<Result> }[] = []
  for (let ended = false; ;) {
    currentSignal()?.throwIfAborted()
    while (!ended && under.length < runner.batchesAtOnce) {
      const next = await input.next()
      if (next.done === true) ended = true
      else {
        const result = runner.run(next.value)
        // It is awaited in its turn.
        result.catch(() => {})
        under.push({ batch: next.value, result })
      }
    }
    const first = under.shift()
    if (first === undefined) return
    yield { batch: first.batch, result: await first.result }
  }
}

async function chunkOf(
  { firstRow, rows }: InputBatch,
  result: Result,
  spec: SchemaSpec,
  schema: Schema,
  keep: KeepTensors,
): Promise<Chunk> {
  try {
    const plan = Array.isArray(result)
      ? planOfRows(result as readonly Record<string, unknown>[], spec)
      : planOfColumns(result as Readonly<Record<string, unknown>>, spec)
    if (plan.kind !== 'scan' || plan.source.kind !== 'memory') throw new Error('values in memory')
    const chunk = memoryChunk(plan.source.id)
    const columns: ChunkColumn[] = []
    for (const [i, column] of schema.entries()) {
      const { values, valid } = chunk.columns[i]!
      if (column.type.kind === 'tensor') {
        const [store] = plan.source.stores.slice(columns.filter((_, c) => schema[c]!.type.kind === 'tensor').length)
        if (store?.kind !== 'memory') throw new Error('tensors in memory')
        const held = bufferOf(store.id)
        const bytes = new Uint8Array(held.buffer, held.byteOffset, held.byteLength).slice()
        dropBuffer(store.id)
        columns.push({ values: await keep(column.name, bytes, chunk.rows), valid })
      } else {
        const asGiven = column.type.kind === 'number' && !(values instanceof Float64Array)
        columns.push({ values: asGiven ? Float64Array.from(values as NumericValues, Number) : values, valid })
      }
    }
    return { rows: chunk.rows, columns }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/^frame: /, '') : String(cause)
    throw new ShardbookError(
      'data',
      `map: the function's result for rows ${firstRow} to ${firstRow + rows - 1}: ${why}`,
      {
        cause,
      },
    )
  }
}
