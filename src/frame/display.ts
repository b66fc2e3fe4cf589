/** How a frame looks: an HTML table for notebooks, an aligned one for terminals, both of the first rows only. */
import type { MimeBundle } from '../core/display.js'
import { host } from '../core/host.js'
import { aggregate, reference, slice } from './build.js'
import { cellReader } from './chunk.js'
import { rowsOf } from './ends.js'
import { count, run } from './execute.js'
import type { AggregateOp } from './expr/node.js'
import { comparable } from './expr/unify.js'
import { planOfRows } from './memory.js'
import type { NamedExpr, Plan } from './plan.js'
import { type Column, type Schema } from './schema.js'
import { describeType } from './schema-spec.js'
import { tensorPicture } from './tensor/picture.js'
import type { Tensor } from './tensor/tensor.js'

const headRows = 10

interface Head {
  readonly schema: Schema
  readonly cells: readonly (readonly unknown[])[]
  /** Whether there are more rows than shown. */
  readonly more: boolean
  /** The number of all rows, where it costs nothing to know. */
  readonly total: number | undefined
}

export async function displayFrame(plan: Plan): Promise<MimeBundle> {
  const head = await headOf(plan, headRows)
  return { 'text/html': html(head), 'text/plain': text(head) }
}

export async function showFrame(plan: Plan, rows: number): Promise<void> {
  const head = await headOf(plan, rows)
  host().publish({ 'text/html': html(head), 'text/plain': text(head) })
}

async function headOf(plan: Plan, rows: number): Promise<Head> {
  const stream = await run(slice('show', plan, 0, rows + 1))
  const reader = cellReader(stream)
  const cells: unknown[][] = []
  try {
    for await (const chunk of stream.chunks) {
      for (let row = 0; row < chunk.rows; row++) cells.push(plan.schema.map((_, i) => reader.value(chunk, i, row)))
    }
  } finally {
    reader.close()
  }
  const more = cells.length > rows
  return { schema: plan.schema, cells: cells.slice(0, rows), more, total: more ? await cheapCount(plan) : cells.length }
}

/** Counts where only metadata is read; a scan, a filter or a model over everything is not worth a caption. */
async function cheapCount(plan: Plan): Promise<number | undefined> {
  switch (plan.kind) {
    case 'scan':
      return plan.source.kind === 'csv' ? undefined : count(plan)
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

function caption({ schema, cells, more, total }: Head): string {
  const columns = `${schema.length} column${schema.length === 1 ? '' : 's'}`
  if (!more) return `${cells.length} row${cells.length === 1 ? '' : 's'} × ${columns}`
  return total === undefined
    ? `first ${cells.length} rows × ${columns}`
    : `${total.toLocaleString('en')} rows × ${columns}, the first ${cells.length}`
}

function html(head: Head): string {
  const align = (column: Column): string =>
    column.type.kind === 'number' || column.type.kind === 'bigint' ? 'right' : 'left'
  const names = head.schema.map(
    (column) =>
      `<th style="text-align:${align(column)}">${escape(column.name)}<br><span style="font-weight:normal;opacity:.6">${escape(describeType(column))}</span></th>`,
  )
  const rows = head.cells.map((cells) => {
    const each = cells.map((cell, i) => `<td style="text-align:${align(head.schema[i]!)}">${htmlCell(cell)}</td>`)
    return `<tr>${each.join('')}</tr>`
  })
  return `<table><thead><tr>${names.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table><p style="opacity:.6;margin:.3em 0">${escape(caption(head))}</p>`
}

function htmlCell(cell: unknown): string {
  if (cell === null || cell === undefined) return '<span style="opacity:.4">null</span>'
  if (isTensor(cell)) {
    const picture = tensorPicture(cell)
    if (picture !== undefined) {
      return `<img alt="${escape(cellText(cell))}" src="${picture}" style="width:42px;height:42px;image-rendering:pixelated;margin:0">`
    }
  }
  return escape(cellText(cell))
}

function text(head: Head): string {
  const names = head.schema.map(({ name }) => name)
  const types = head.schema.map(describeType)
  const body = head.cells.map((cells) => cells.map(cellText))
  const widths = names.map((name, i) =>
    Math.max(name.length, types[i]!.length, ...body.map((cells) => cells[i]!.length)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => {
        const kind = head.schema[i]!.type.kind
        return kind === 'number' || kind === 'bigint' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
      })
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')
  return [line(names), line(types), rule, ...body.map(line), caption(head)].join('\n')
}

/** A cell in a line of text. */
function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return 'null'
  if (typeof cell === 'number') return Number.isInteger(cell) ? String(cell) : String(Number(cell.toPrecision(7)))
  if (cell instanceof Date) return cell.toISOString().replace('T00:00:00.000Z', '').replace('.000Z', 'Z')
  if (isTensor(cell)) {
    const values = [...cell.values.subarray(0, 4)].map((value) => String(Number(value.toPrecision(4))))
    return `[${values.join(', ')}${cell.values.length > 4 ? ', …' : ''}]`
  }
  const plain =
    typeof cell === 'object'
      ? JSON.stringify(cell, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
      : String(cell)
  const oneLine = plain.replaceAll(/\s+/g, ' ')
  return oneLine.length > 60 ? `${oneLine.slice(0, 59)}…` : oneLine
}

function isTensor(cell: unknown): cell is Tensor {
  return typeof cell === 'object' && cell !== null && 'values' in cell && 'shape' in cell && 'dtype' in cell
}

function escape(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** A row of `describe()`. */
export type Description = {
  column: string
  type: string
  count: number
  nulls: number
  mean: number | null
  std: number | null
  min: string | null
  max: string | null
}

/** A plan of one row for each column, computed in one pass. */
export async function describeFrame(plan: Plan): Promise<Plan> {
  const operations = (column: Column): readonly AggregateOp[] => {
    if (column.type.kind === 'number') return ['count', 'mean', 'std', 'min', 'max']
    return comparable.includes(column.type.kind) ? ['count', 'min', 'max'] : ['count']
  }
  const aggregates: NamedExpr[] = [{ name: 'rows', expr: { kind: 'aggregate', op: 'count', input: null } }]
  plan.schema.forEach((column, i) => {
    for (const op of operations(column)) {
      aggregates.push({ name: `${i} ${op}`, expr: { kind: 'aggregate', op, input: reference(column.name) } })
    }
  })
  const [result = {}] = await rowsOf(aggregate('describe', plan, [], aggregates))
  const textOf = (value: unknown): string | null => (value === null || value === undefined ? null : cellText(value))
  const rows = plan.schema.map((column, i): Description => {
    const at = (op: AggregateOp): unknown => result[`${i} ${op}`]
    return {
      column: column.name,
      type: describeType(column),
      count: Number(at('count')),
      nulls: Number(result['rows']) - Number(at('count')),
      mean: (at('mean') as number | null | undefined) ?? null,
      std: (at('std') as number | null | undefined) ?? null,
      min: textOf(at('min')),
      max: textOf(at('max')),
    }
  })
  return planOfRows(rows, descriptionSchema)
}

const descriptionSchema = {
  column: 'string',
  type: 'string',
  count: 'number',
  nulls: 'number',
  mean: 'number?',
  std: 'number?',
  min: 'string?',
  max: 'string?',
} as const
