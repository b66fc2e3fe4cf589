/**
 * One slice of a prepared plan as a feed.
 *
 * The slice's scalars, references and inline tensors are held in memory (8 bytes a number); tensors by reference are read
 * row by row when a batch is made. Shuffling permutes the slice's rows, whole: 4 bytes a row.
 */
import { checkInteger } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { sizeOf } from '../core/dtype.js'
import { fold, keyOf, permutation } from '../core/random.js'
import type { ChunkColumn } from './chunk.js'
import { countRows, querySlice } from './engine/duckdb/index.js'
import type { Feed, FeedBatch, FeedColumn, FeedOptions } from './feed.js'
import { project, reference } from './build.js'
import type { Plan } from './plan.js'
import { feedTypeOf, findColumn, type Column } from './schema.js'
import { describeType } from './schema-spec.js'
import { allocateStored, openGatherer, type Gatherer, type StoredValues } from './tensor/store.js'

/** Opens slice `slice` of `slices` of a prepared plan. */
export async function openSlice(
  plan: Plan,
  columns: readonly string[],
  { slices, slice }: { slices: number; slice: number },
): Promise<Feed> {
  checkInteger('openFeed', 'slices', slices, 1)
  checkInteger('openFeed', 'slice', slice, 0, slices - 1)
  const fed = columns.map((name) => checkFed(findColumn('openFeed', plan.schema, name)))
  const narrow = project(
    'openFeed',
    plan,
    columns.map((name) => ({ name, expr: reference(name) })),
  )
  const [totalRows, held] = await Promise.all([countRows(narrow), readSlice(narrow, fed, slices, slice)])
  return {
    rows: held.rows,
    totalRows,
    batches: (options) => batchesOf(held, slice, options),
    close: async () => held.columns.forEach(({ gatherer }) => gatherer?.close()),
  }
}

interface Held {
  readonly rows: number
  readonly index: Int32Array
  readonly columns: readonly HeldColumn[]
}

interface HeldColumn {
  readonly name: string
  readonly type: { readonly dtype: StoredValuesDType; readonly shape: readonly number[] }
  /** Values of all rows, or references when there is a gatherer. */
  readonly values: StoredValues
  readonly gatherer: Gatherer | undefined
}
type StoredValuesDType = FeedColumn['dtype']

function checkFed(column: Column): Column {
  if (feedTypeOf(column.type) !== undefined) return column
  throw new ShardbookError(
    'column',
    `openFeed: expected numbers or tensors, got column '${column.name}' of type ${describeType(column)}.`,
    { hint: column.type.kind === 'string' ? 'Index or vectorise it first.' : 'Make a number of it first.' },
  )
}

async function readSlice(plan: Plan, fed: readonly Column[], slices: number, slice: number): Promise<Held> {
  const stream = querySlice(plan, slices, slice)
  const builders = fed.map(builderOf)
  const index = growing((length) => new Int32Array(length), 1)
  for await (const chunk of stream.chunks) {
    builders.forEach((builder, i) => builder.add(chunk.columns[i]!, chunk.rows))
    const ordinals = chunk.columns.at(-1)!.values as Float64Array
    index.add(ordinals, chunk.rows)
  }
  const columns = builders.map((builder, i): HeldColumn => {
    const { type, name } = fed[i]!
    const gatherer = type.kind === 'tensor' && type.held === 'reference' ? openGatherer(stream.stores, type) : undefined
    return { name, type: feedTypeOf(type)!, values: builder.values(), gatherer }
  })
  return { rows: index.rows(), index: index.values(), columns }
}

interface Builder {
  add(column: ChunkColumn, rows: number): void
  values(): StoredValues
}

function builderOf(column: Column): Builder {
  const { type } = column
  const { dtype, shape } = feedTypeOf(type)!
  const byReference = type.kind === 'tensor' && type.held === 'reference'
  const store = growing(
    (length) => (byReference ? new Float64Array(length) : allocateStored(dtype, length)),
    byReference ? 1 : sizeOf(shape),
  )
  return {
    add({ values, valid }, rows) {
      if (valid !== null) throw nullInFeed(column, valid)
      store.add(
        type.kind === 'bigint' ? Float64Array.from(values as BigInt64Array, Number) : (values as StoredValues),
        rows,
      )
    },
    values: store.values,
  }
}

function nullInFeed(column: Column, valid: Uint8Array): ShardbookError {
  return new ShardbookError(
    'data',
    `openFeed: expected no null in '${column.name}', got one (row ${valid.indexOf(0)} of a chunk of ${valid.length}).`,
    { hint: `Drop or fill them first: dropNulls('${column.name}'), fillNull(…).` },
  )
}

/** An array that doubles as rows are added. */
function growing<T extends StoredValues>(allocate: (length: number) => T, width: number) {
  let values = allocate(0)
  let rows = 0
  return {
    add(more: ArrayLike<number>, count: number): void {
      if ((rows + count) * width > values.length) {
        const wider = allocate(Math.max((rows + count) * width, values.length * 2))
        wider.set(values)
        values = wider
      }
      values.set(more, rows * width)
      rows += count
    },
    values: (): T => values.subarray(0, rows * width) as T,
    rows: (): number => rows,
  }
}

async function* batchesOf(held: Held, slice: number, options: FeedOptions): AsyncGenerator<FeedBatch> {
  const { rows: batchRows, seed, epoch = 0, skip = 0 } = options
  checkInteger('batches', 'rows', batchRows, 1)
  checkInteger('batches', 'epoch', epoch, 0)
  checkInteger('batches', 'skip', skip, 0)
  const order = seed === undefined ? undefined : permutation(fold(fold(keyOf(seed), epoch), slice), held.rows)
  // One set of buffers for the whole epoch: a batch is valid until the next one is asked for.
  const capacity = Math.min(batchRows, held.rows)
  const index = new Int32Array(capacity)
  const refs = new Float64Array(capacity)
  const buffers = held.columns.map(({ type }) => allocateStored(type.dtype, capacity * sizeOf(type.shape)))
  for (let from = skip * batchRows; from < held.rows; from += batchRows) {
    const rows = Math.min(batchRows, held.rows - from)
    const at = (i: number): number => (order === undefined ? from + i : order[from + i]!)
    for (let i = 0; i < rows; i++) index[i] = held.index[at(i)]!
    const columns: Record<string, FeedColumn> = {}
    held.columns.forEach((column, c) => {
      const width = sizeOf(column.type.shape)
      const out = buffers[c]!
      if (column.gatherer !== undefined) {
        for (let i = 0; i < rows; i++) refs[i] = column.values[at(i)]!
        column.gatherer.gather(refs, 0, rows, out)
      } else if (width === 1) {
        for (let i = 0; i < rows; i++) out[i] = column.values[at(i)]!
      } else {
        for (let i = 0; i < rows; i++) out.set(column.values.subarray(at(i) * width, (at(i) + 1) * width), i * width)
      }
      columns[column.name] = { ...column.type, values: out.subarray(0, rows * width) }
    })
    yield { rows, index: index.subarray(0, rows), columns }
  }
}
