/** Writing frames to files, whole or not at all, in bounded memory. A path may be an `s3:` or `http:` address. */
import { resolve } from 'node:path'
import { cancellable } from '../core/cancel.js'
import { checkInteger, checkOneOf } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { isRemote, putFile, putFolder, storeOf } from '../store/index.js'
import { copyPlan, type WriteFormat } from './engine/duckdb/copy.js'
import { prepare } from './execute.js'
import type { Plan } from './plan.js'
import { findColumn } from './schema.js'
import { describeType } from './schema-spec.js'

export interface WriteOptions {
  /** Cancels it, which leaves what was there before; a user's interrupt does so too. */
  readonly signal?: AbortSignal | undefined
}

const compressions = ['snappy', 'zstd', 'gzip', 'lz4', 'none'] as const

export interface ParquetWriteOptions extends WriteOptions {
  /** Default `snappy`. */
  readonly compression?: (typeof compressions)[number]
  /** Rows in a row group. Default 122,880. */
  readonly rowGroupRows?: number
  /** Columns whose values become folders (`year=2024`): `path` is then a folder, replaced as a whole. */
  readonly partitionBy?: readonly string[]
}

export interface FrameWriter {
  /** A Parquet file; tensors as lists, which `read.parquet` makes tensors again. */
  parquet(path: string, options?: ParquetWriteOptions): Promise<void>
  /** An Arrow IPC file, or a stream. */
  arrow(path: string, options?: WriteOptions & { readonly format?: 'file' | 'stream' }): Promise<void>
  /** A CSV file with a header; null as nothing. @throws `column` for a tensor column */
  csv(path: string, options?: WriteOptions & { readonly separator?: string }): Promise<void>
  /** Newline-delimited JSON, an object a line; tensors as lists. @throws `data` for NaN and infinities, which JSON lacks */
  ndjson(path: string, options?: WriteOptions): Promise<void>
}

export function writer(plan: Plan): FrameWriter {
  return {
    async parquet(path, { compression = 'snappy', rowGroupRows = 122_880, partitionBy = [], signal } = {}) {
      checkOneOf('write.parquet', 'compression', compression, compressions)
      checkInteger('write.parquet', 'rowGroupRows', rowGroupRows, 1)
      for (const name of partitionBy) checkPartition(plan, name)
      await write(plan, path, { format: 'parquet', compression, rowGroupRows, partitionBy }, signal)
    },
    async arrow(path, { format = 'file', signal } = {}) {
      checkOneOf('write.arrow', 'format', format, ['file', 'stream'])
      const { arrowBytes } = await import('./arrow/to-arrow.js')
      await cancellable('write.arrow', signal, async () => {
        await storeOf(path).put(isRemote(path) ? path : resolve(path), arrowBytes(plan, format))
      })
    },
    async csv(path, { separator = ',', signal } = {}) {
      const tensor = plan.schema.find(({ type }) => type.kind === 'tensor')
      if (tensor !== undefined) {
        throw new ShardbookError(
          'column',
          `write.csv: expected plain columns, got '${tensor.name}' of type ${describeType(tensor)}.`,
          {
            hint: 'Use write.parquet, or drop the column.',
          },
        )
      }
      await write(plan, path, { format: 'csv', separator }, signal)
    },
    ndjson: (path, { signal } = {}) => write(plan, path, { format: 'ndjson' }, signal),
  }
}

async function write(plan: Plan, path: string, format: WriteFormat, signal: AbortSignal | undefined): Promise<void> {
  await cancellable(`write.${format.format}`, signal, async () => {
    const prepared = await prepare(plan)
    const make = (temporary: string): Promise<void> => copyPlan(prepared, temporary, format)
    const put = format.format === 'parquet' && format.partitionBy.length > 0 ? putFolder : putFile
    await put(isRemote(path) ? path : resolve(path), make)
  })
}

function checkPartition(plan: Plan, name: string): void {
  const column = findColumn('write.parquet', plan.schema, name)
  if (column.type.kind !== 'tensor' && column.type.kind !== 'opaque') return
  throw new ShardbookError(
    'column',
    `write.parquet: expected to partition by plain values, got '${name}' of type ${describeType(column)}.`,
  )
}
