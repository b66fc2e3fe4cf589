/** One slice of a prepared plan as a feed: what may be fed, and where its rows lie. `slice-reader.ts` reads them. */
import { checkInteger } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { openWindows, type FedColumn } from './engine/duckdb/window.js'
import type { Feed, FeedFields, FrameSource } from './feed.js'
import { sliceRange } from './order.js'
import { feedTypeOf, findColumn, type Column, type ColumnType } from './schema.js'
import { describeType } from './schema-spec.js'
import { SliceReader } from './slice-reader.js'
import { addressable, spillTables } from './spill.js'

/** Opens slice `slice` of `slices` of a source whose plan is prepared and has the source's columns, in order. */
export async function openSlice(
  { plan, columns, ...fields }: FrameSource,
  { slices, slice }: { slices: number; slice: number },
): Promise<Feed> {
  checkInteger('openFeed', 'slices', slices, 1)
  checkInteger('openFeed', 'slice', slice, 0, slices - 1)
  for (const named of [Object.keys(fields.tokens ?? {}), Object.keys(fields.lists ?? {}), fields.finite ?? []]) {
    for (const name of named) findColumn('openFeed', plan.schema, name)
  }
  const fed = columns.map((name) => fedColumn(findColumn('openFeed', plan.schema, name), fields))
  const rows = await addressable(await spillTables(plan))
  const windows = await openWindows(rows.plan, fed)
  checkInteger('openFeed', 'rows of the source', windows.totalRows, 0, 2 ** 31 - 1)
  const range = sliceRange(windows.totalRows, slices, slice)
  const reader = new SliceReader(windows, fed, range, slice)
  return {
    rows: range.to - range.from,
    totalRows: windows.totalRows,
    batches: (options) => reader.batches(options),
    async close() {
      await reader.close()
      await rows.remove()
    },
  }
}

function fedColumn(column: Column, fields: FeedFields): FedColumn {
  const finite = fields.finite?.includes(column.name) === true
  const tokens = fields.tokens?.[column.name]
  const list = fields.lists?.[column.name]
  if (tokens !== undefined) {
    if (column.type.kind === 'string') {
      return { column, dtype: 'int32', shape: [tokens.length], held: 'value', tokens }
    }
    throw new ShardbookError('column', `openFeed: expected text for tokens, got ${describeColumn(column)}.`)
  }
  if (list !== undefined) {
    checkInteger('openFeed', `length of '${column.name}'`, list.length, 1)
    const type = listTypeOf(column.type, list.length)
    if (type !== undefined) return { column, ...type, held: 'value', list, finite }
    throw new ShardbookError(
      'column',
      `openFeed: expected a sparse vector or a list of numbers, got ${describeColumn(column)}.`,
    )
  }
  const type = feedTypeOf(column.type)
  if (type !== undefined) {
    const byReference = column.type.kind === 'tensor' && column.type.held === 'reference'
    return { column, ...type, held: byReference ? 'reference' : 'value', finite }
  }
  throw new ShardbookError('column', `openFeed: expected numbers or tensors, got ${describeColumn(column)}.`, {
    hint:
      column.type.kind === 'string'
        ? `Index or vectorise it first, or have its tokens: { tokens: { ${column.name}: { length: 32, buckets: 65536 } } }.`
        : column.type.kind === 'sparse' || column.type.kind === 'list'
          ? `Have it filled up to one length: { lists: { ${column.name}: { length: 32 } } }.`
          : 'Make a number of it first.',
  })
}

/** How a sparse vector or a list of numbers comes that is filled up to `length`. */
function listTypeOf(type: ColumnType, length: number): Pick<FedColumn, 'dtype' | 'shape'> | undefined {
  if (type.kind === 'sparse') return { dtype: 'float32', shape: [2, length] }
  if (type.kind !== 'list' || type.element.type.kind !== 'number') return undefined
  const { dtype } = feedTypeOf(type.element.type)!
  // Whole numbers of any width in memory come as int32: int64 is what whole numbers of a file are.
  const whole = dtype === 'uint8' || dtype === 'int32' || type.element.type.storage === 'int64'
  return { dtype: whole ? 'int32' : 'float32', shape: [length] }
}

function describeColumn(column: Column): string {
  return `column '${column.name}' of type ${describeType(column)}`
}
