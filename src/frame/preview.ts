/**
 * What is shown of a frame: its first and last rows, and a sample of rows that stands for the others.
 *
 * Never runs more than it must: last rows and rows from the middle are read only where a row can be reached without those
 * before it (a scan, and columns computed from it); else the sample is the first rows.
 */
import { isRemote } from '../store/index.js'
import { slice } from './build.js'
import { cellReader } from './chunk.js'
import { rowsAt } from './engine/duckdb/window.js'
import { count, run } from './execute.js'
import { hasWindow } from './expr/node.js'
import { inputsOf, type Plan, type RowRange } from './plan.js'
import type { Schema } from './schema.js'
import { isAddressable } from './spill.js'

type Row = readonly unknown[]

export interface Preview {
  readonly schema: Schema
  readonly head: readonly Row[]
  /** Rows at the end, where there are more than fit into `head`. */
  readonly tail: readonly Row[]
  /** The number of all rows, where it costs nothing to know. */
  readonly total: number | undefined
  /** Whether there are more rows than shown. */
  readonly more: boolean
  readonly sample: { readonly rows: readonly Row[]; readonly from: 'all' | 'first' | 'spread' }
}

/** Rows of the sample, and the pieces that it is read in: each costs a look at every row group of the file. */
const sampleRows = 1000
const samplePieces = 5
/** How long a sample may keep a frame from being shown whose first rows are there. */
const patienceMs = 100

/** `rows` rows of a plan: the first ones, or half of them from either end where those at the end can be had. */
export async function previewOf(plan: Plan, rows: number, ends: 'first' | 'both'): Promise<Preview> {
  const total = await cheapCount(plan)
  const half = ends === 'both' ? Math.floor(rows / 2) : 0
  if (half > 0 && total !== undefined && total > Math.max(sampleRows, samplePieces * half) && isAddressable(plan)) {
    return spread(plan, total, half)
  }
  const { first, all } = await firstRows(plan, rows + 1)
  const reached = total ?? (all ? first.length : undefined)
  const more = (reached ?? first.length) > rows
  const from = first.length === reached ? 'all' : 'first'
  const tail =
    half === 0 || !more || reached === undefined
      ? []
      : from === 'all'
        ? first.slice(-half)
        : isScan(plan)
          ? await cellsOf(slice('show', plan, reached - half, half))
          : []
  const head = first.slice(0, tail.length === 0 ? rows : half)
  return { schema: plan.schema, head, tail, more, total: reached, sample: { rows: first, from } }
}

/** One query for pieces from all over, the first and last rows among them. */
async function spread(plan: Plan, total: number, half: number): Promise<Preview> {
  const pieceRows = Math.max(half, Math.floor(sampleRows / samplePieces))
  const pieces = Array.from({ length: samplePieces }, (_, i): RowRange => {
    const from = Math.floor((i * (total - pieceRows)) / (samplePieces - 1))
    return { from, to: from + pieceRows }
  })
  const rows = await cellsOf(await rowsAt(plan, pieces))
  return {
    schema: plan.schema,
    head: rows.slice(0, half),
    tail: rows.slice(-half),
    total,
    more: true,
    sample: { rows, from: 'spread' },
  }
}

async function cellsOf(plan: Plan): Promise<Row[]> {
  const rows: Row[] = []
  for await (const row of cells(plan)) rows.push(row)
  return rows
}

/** At least `needed` rows from the beginning, and up to the sample's while they come quickly; whether these are `all`. */
async function firstRows(plan: Plan, needed: number): Promise<{ first: Row[]; all: boolean }> {
  const first: Row[] = []
  let deadline = Number.POSITIVE_INFINITY
  const wanted = isApplied(plan) ? needed : Math.max(needed, sampleRows)
  for await (const row of cells(slice('show', plan, 0, wanted))) {
    first.push(row)
    if (first.length === needed) deadline = performance.now() + patienceMs
    if (performance.now() > deadline) return { first, all: false }
  }
  return { first, all: first.length < wanted }
}

async function* cells(plan: Plan): AsyncGenerator<Row, void, undefined> {
  const stream = await run(plan)
  const reader = cellReader(stream)
  try {
    for await (const chunk of stream.chunks) {
      for (let row = 0; row < chunk.rows; row++) yield plan.schema.map((_, i) => reader.value(chunk, i, row))
    }
  } finally {
    reader.close()
  }
}

/** Counts where only metadata is read; a scan, a filter or a model over everything is not worth a caption. */
async function cheapCount(plan: Plan): Promise<number | undefined> {
  switch (plan.kind) {
    case 'scan':
      return isScan(plan) || plan.source.kind === 'parquet' ? count(plan) : undefined
    case 'project':
    case 'sort':
    case 'map':
      return cheapCount(plan.input)
    case 'sample':
      return (await cheapCount(plan.input)) === undefined ? undefined : count(plan)
    default:
      return undefined
  }
}

/** Whether any row is soon reached: those of a scan, and columns computed from them. */
function isScan(plan: Plan): boolean {
  if (plan.kind === 'project') return !plan.columns.some(({ expr }) => hasWindow(expr)) && isScan(plan.input)
  if (plan.kind !== 'scan') return false
  const { source } = plan
  switch (source.kind) {
    case 'parquet':
    case 'images':
      return !(source.files ?? [source.path]).some(isRemote)
    case 'csv':
    case 'ndjson':
    case 'function':
      return false
    case 'idx':
    case 'memory':
    case 'table':
      return true
    default:
      return source satisfies never
  }
}

/** Whether a user's function makes the rows: none is then asked for but those that are shown. */
function isApplied(plan: Plan): boolean {
  return plan.kind === 'scan' ? plan.source.kind === 'function' : inputsOf(plan).some(isApplied)
}
