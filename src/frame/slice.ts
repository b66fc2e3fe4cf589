/** One slice of a prepared plan as a feed: what may be fed, and where its rows lie. `slice-reader.ts` reads them. */
import { checkInteger } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { openWindows, type FedColumn } from './engine/duckdb/window.js'
import type { Feed, FrameSource } from './feed.js'
import { sliceRange } from './order.js'
import { feedTypeOf, findColumn, type Column } from './schema.js'
import { describeType } from './schema-spec.js'
import { SliceReader } from './slice-reader.js'
import { addressable, spillTables } from './spill.js'
import type { TokenOptions } from './tokens.js'

/** Opens slice `slice` of `slices` of a source whose plan is prepared and has the source's columns, in order. */
export async function openSlice(
  { plan, columns, tokens = {} }: FrameSource,
  { slices, slice }: { slices: number; slice: number },
): Promise<Feed> {
  checkInteger('openFeed', 'slices', slices, 1)
  checkInteger('openFeed', 'slice', slice, 0, slices - 1)
  for (const name of Object.keys(tokens)) findColumn('openFeed', plan.schema, name)
  const fed = columns.map((name) => fedColumn(findColumn('openFeed', plan.schema, name), tokens[name]))
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

function fedColumn(column: Column, tokens: TokenOptions | undefined): FedColumn {
  if (tokens !== undefined) {
    if (column.type.kind === 'string') {
      return { column, dtype: 'int32', shape: [tokens.length], held: 'value', tokens }
    }
    throw new ShardbookError('column', `openFeed: expected text for tokens, got ${describeColumn(column)}.`)
  }
  const type = feedTypeOf(column.type)
  if (type !== undefined) {
    const byReference = column.type.kind === 'tensor' && column.type.held === 'reference'
    return { column, ...type, held: byReference ? 'reference' : 'value' }
  }
  throw new ShardbookError('column', `openFeed: expected numbers or tensors, got ${describeColumn(column)}.`, {
    hint:
      column.type.kind === 'string'
        ? `Index or vectorise it first, or have its tokens: { tokens: { ${column.name}: { length: 32, buckets: 65536 } } }.`
        : 'Make a number of it first.',
  })
}

function describeColumn(column: Column): string {
  return `column '${column.name}' of type ${describeType(column)}`
}
