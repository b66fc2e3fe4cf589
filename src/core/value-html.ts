/**
 * Plain values as HTML: records in an array as a table, other arrays and objects as a tree that opens on a click.
 *
 * Bounded in depth, breadth and text, so that no value makes a page slow; getters are not called. What needs no tree (a
 * number, a short list of numbers, a class of somebody's own that prints well as text) has none.
 */
import { inspect } from 'node:util'
import { escapeHtml } from './html.js'

const most = { depth: 6, entries: 100, nodes: 2000, rows: 50, columns: 30, text: 200 }

const tableStyle = 'border-collapse:collapse;font-variant-numeric:tabular-nums'
const cellStyle = 'padding:2px 8px;text-align:left;border-bottom:1px solid #8884'
const treeStyle =
  'font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px);line-height:1.4'

/** The HTML of a plain array or object; `undefined` for everything that is well shown as text. */
export function valueHtml(value: unknown): string | undefined {
  if (!isPlain(value)) return undefined
  const records = recordsOf(value)
  if (records !== undefined) return table(records, (value as readonly unknown[]).length)
  const entries = entriesOf(value)
  const isNested = entries.some(([, one]) => isPlain(one) && entriesOf(one).length > 0)
  if (!isNested && inspect(value, { breakLength: Infinity }).length <= 100) return undefined
  return `<div style="${treeStyle}">${node('', value, { left: most.nodes }, 0)}</div>`
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** Names and values of what can be opened; getters stay closed. */
function entriesOf(value: object): [string, unknown][] {
  if (value instanceof Map) return [...value].map(([key, one]) => [textOf(key), one])
  if (value instanceof Set) return [...value].map((one, i) => [String(i), one])
  if (Array.isArray(value)) return Array.from(value, (one: unknown, i) => [String(i), one])
  return Object.entries(Object.getOwnPropertyDescriptors(value))
    .filter(([, { enumerable }]) => enumerable === true)
    .map(([name, descriptor]) => [name, 'value' in descriptor ? (descriptor.value as unknown) : '[getter]'])
}

/** The rows of an array of at least two plain objects of plain cells. */
function recordsOf(value: object): Record<string, unknown>[] | undefined {
  if (!Array.isArray(value) || value.length < 2) return undefined
  const rows = value.slice(0, most.rows) as unknown[]
  const isRecord = (row: unknown): row is Record<string, unknown> =>
    isPlain(row) && !Array.isArray(row) && !(row instanceof Map) && !(row instanceof Set)
  if (!rows.every(isRecord)) return undefined
  const hasCells = rows.every((row) => entriesOf(row).every(([, cell]) => !isPlain(cell)))
  return hasCells && rows.some((row) => Object.keys(row).length > 0) ? rows : undefined
}

function table(rows: readonly Record<string, unknown>[], total: number): string {
  const all = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const columns = all.slice(0, most.columns)
  const cell = (tag: string, text: string): string => `<${tag} style="${cellStyle}">${escapeHtml(text)}</${tag}>`
  const head = columns.map((name) => cell('th', name)).join('')
  const body = rows.map((row) => {
    const values = new Map(entriesOf(row))
    return `<tr>${columns.map((name) => cell('td', values.has(name) ? cellText(values.get(name)) : '')).join('')}</tr>`
  })
  const left = [
    ...(total > rows.length ? [`${total - rows.length} more rows`] : []),
    ...(all.length > columns.length ? [`${all.length - columns.length} more columns`] : []),
  ]
  const note = left.length === 0 ? '' : `<p>… and ${left.join(', ')}</p>`
  return `<table style="${tableStyle}"><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>${note}`
}

function node(name: string, value: unknown, budget: { left: number }, depth: number): string {
  const label = name === '' ? '' : `${escapeHtml(name)}: `
  budget.left--
  if (!isPlain(value) || depth >= most.depth || budget.left <= 0)
    return `<div>${label}${escapeHtml(textOf(value))}</div>`
  const entries = entriesOf(value)
  const title = `${label}<span style="opacity:.7">${escapeHtml(titleOf(value, entries.length))}</span>`
  if (entries.length === 0) return `<div>${title}</div>`
  const inner: string[] = []
  for (const [key, one] of entries.slice(0, most.entries)) {
    if (budget.left <= 0) break
    inner.push(node(key, one, budget, depth + 1))
  }
  if (inner.length < entries.length) inner.push(`<div>… and ${entries.length - inner.length} more</div>`)
  const isOpen = depth === 0 ? ' open' : ''
  return `<details${isOpen}><summary>${title}</summary><div style="padding-left:1.5em">${inner.join('')}</div></details>`
}

function titleOf(value: object, size: number): string {
  if (Array.isArray(value)) return `Array(${size})`
  if (value instanceof Map || value instanceof Set) return `${value instanceof Map ? 'Map' : 'Set'}(${size})`
  const names = Object.keys(value)
  return `{ ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''} }`
}

function cellText(value: unknown): string {
  return typeof value === 'string' ? cut(value) : textOf(value)
}

function textOf(value: unknown): string {
  return cut(inspect(value, { depth: 1, breakLength: Infinity, maxArrayLength: 10, maxStringLength: most.text }))
}

function cut(text: string): string {
  return text.length > most.text ? `${text.slice(0, most.text - 1)}…` : text
}
