/** How a frame looks: an HTML table for notebooks, an aligned one for terminals, and rows for tools. */
import { alignColumns, columnWidths } from '../core/align-columns.js'
import type { MimeBundle } from '../core/display.js'
import { host } from '../core/host.js'
import { aggregate, reference } from './build.js'
import { caption, cellText, isTensor } from './cell-text.js'
import { previewHtml } from './display-html.js'
import { rowsOf } from './ends.js'
import type { AggregateOp } from './expr/node.js'
import { comparable } from './expr/unify.js'
import { planOfRows } from './memory.js'
import type { NamedExpr, Plan } from './plan.js'
import { previewOf, type Preview } from './preview.js'
import type { Column } from './schema.js'
import { describeType } from './schema-spec.js'

const shownRows = 10

/** A frame as a cell's value: both ends of it. */
export async function displayFrame(plan: Plan): Promise<MimeBundle> {
  return bundle(await previewOf(plan, shownRows, 'both'))
}

/** Publishes the first rows. */
export async function showFrame(plan: Plan, rows: number): Promise<void> {
  host().publish(bundle(await previewOf(plan, rows, 'first')))
}

function bundle(preview: Preview): MimeBundle {
  return {
    'text/html': previewHtml(preview),
    'text/plain': text(preview),
    'application/vnd.dataresource+json': dataResource(preview),
  }
}

function text(preview: Preview): string {
  const { schema, head, tail } = preview
  const names = schema.map(({ name }) => name)
  const types = schema.map(describeType)
  const gap = tail.length === 0 ? [] : [schema.map(() => '⋮')]
  const body = [...head.map((row) => row.map(cellText)), ...gap, ...tail.map((row) => row.map(cellText))]
  const rows = [names, types, ...body]
  const isNumber = (column: number): boolean => ['number', 'bigint'].includes(schema[column]!.type.kind)
  const [titles, kinds, ...lines] = alignColumns(rows, isNumber)
  const rule = columnWidths(rows)
    .map((width) => '─'.repeat(width))
    .join('  ')
  return [titles, kinds, rule, ...lines, caption(preview)].join('\n')
}

/** The shown rows as a tabular data resource (Frictionless Table Schema). */
function dataResource({ schema, head, tail }: Preview): object {
  return {
    schema: { fields: schema.map((column) => ({ name: column.name, type: fieldType(column) })) },
    data: [...head, ...tail].map((row) =>
      Object.fromEntries(row.map((cell, i) => [schema[i]!.name, fieldValue(cell)])),
    ),
  }
}

function fieldType({ type }: Column): string {
  switch (type.kind) {
    case 'number':
      return type.storage.startsWith('float') ? 'number' : 'integer'
    case 'bigint':
      return 'integer'
    case 'timestamp':
      return 'datetime'
    case 'tensor':
    case 'list':
      return 'array'
    case 'struct':
    case 'sparse':
      return 'object'
    case 'categorical':
      return 'string'
    case 'opaque':
      return 'any'
    default:
      return type.kind
  }
}

function fieldValue(cell: unknown): unknown {
  if (typeof cell === 'bigint') return Number.isSafeInteger(Number(cell)) ? Number(cell) : String(cell)
  if (isTensor(cell)) return [...cell.values]
  if (typeof cell === 'number' && !Number.isFinite(cell)) return String(cell)
  if (typeof cell !== 'object' || cell === null || cell instanceof Date) return cell
  if (Array.isArray(cell)) return cell.map(fieldValue)
  if (cell instanceof Int32Array || cell instanceof Float32Array) return Array.from(cell, fieldValue)
  return Object.fromEntries(Object.entries(cell).map(([name, value]) => [name, fieldValue(value)]))
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
