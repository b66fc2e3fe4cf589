/**
 * Arrow IPC files and streams, batch by batch, into a table of the engine, which spills what memory does not hold: no more than a
 * batch is held here. They are read twice, since which columns hold nulls, and the levels of a dictionary, are known at the end.
 */
import { RecordBatchReader, type RecordBatch } from 'apache-arrow'
import { open } from 'node:fs/promises'
import { ShardbookError } from '../../core/errors.js'
import { ioError } from '../../store/index.js'
import { scan } from '../build.js'
import type { Chunk } from '../chunk.js'
import { createTable } from '../engine/duckdb/index.js'
import { ownTable } from '../execute.js'
import type { Plan, TensorStore } from '../plan.js'
import type { Column } from '../schema.js'
import { storeStride } from '../tensor/store.js'
import { tensorWriter } from '../tensor/writer.js'
import { provideCodecs } from './codecs.js'
import { columnOf, columnType, levelsOf, type KeepTensors } from './from-arrow.js'

/** A plan over the rows of an Arrow IPC file or stream, which lies at `path`. @throws `io`, `data` */
export async function readArrow(file: string, path: string): Promise<Plan> {
  await provideCodecs()
  try {
    const schema = await schemaOf(path)
    return scan('read.arrow', await tableOf(path, schema), schema)
  } catch (cause) {
    if (cause instanceof ShardbookError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ShardbookError('data', `read.arrow: expected an Arrow IPC file at ${file}, got a broken one (${why}).`, {
      cause,
    })
  }
}

/** The batches of a file, one after the other; what is returned are its fields. */
async function* batchesOf(path: string): AsyncGenerator<RecordBatch, RecordBatch['schema']['fields'], undefined> {
  const handle = await open(path).catch((cause: unknown) => {
    throw ioError('read.arrow', 'read', path, cause)
  })
  try {
    const reader = await (await RecordBatchReader.from(handle)).open()
    const { fields } = reader.schema
    for await (const batch of reader) yield batch
    return fields
  } finally {
    await handle.close()
  }
}

async function schemaOf(path: string): Promise<Column[]> {
  const nullable = new Set<string>()
  const levels = new Map<string, Set<string>>()
  const batches = batchesOf(path)
  for (;;) {
    const next = await batches.next()
    if (next.done === true) {
      return next.value.map((field) => ({
        name: field.name,
        type: columnType(field, [...(levels.get(field.name) ?? [])]),
        nullable: nullable.has(field.name),
      }))
    }
    for (const [i, { name }] of next.value.schema.fields.entries()) {
      const vector = next.value.getChildAt(i)!
      if (vector.nullCount > 0) nullable.add(name)
      const known = levels.get(name) ?? new Set()
      for (const level of levelsOf(vector)) known.add(level)
      levels.set(name, known)
    }
  }
}

async function tableOf(path: string, schema: readonly Column[]) {
  const writers = schema.filter(({ type }) => type.kind === 'tensor').map(({ name }) => ({ name, to: tensorWriter() }))
  let writing: Promise<void>[] = []
  const keepOf = (name: string, rows: number): KeepTensors => {
    const store = writers.findIndex((writer) => writer.name === name)
    return (values) => {
      const { to } = writers[store]!
      const first = store * storeStride + to.rows
      writing.push(to.write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)))
      to.rows += rows
      return first
    }
  }
  const chunks = async function* (): AsyncGenerator<Chunk> {
    for await (const batch of batchesOf(path)) {
      const rows = batch.numRows
      yield {
        rows,
        columns: schema.map(({ name, type }, i) => columnOf(type, batch.getChildAt(i)!, keepOf(name, rows))),
      }
      await Promise.all(writing)
      writing = []
    }
  }
  const table = await createTable(schema, chunks(), [])
  const stores: TensorStore[] = []
  for (const { to } of writers) {
    await to.close()
    stores.push({ kind: 'raw', path: to.path })
  }
  return ownTable({ ...table, stores })
}
