/** What a model says of itself: layers, shapes, parameters and where layers were made as a table, in text and in HTML. */
import { alignColumns } from '../core/align-columns.js'
import { displaySymbol } from '../core/display.js'
import type { Displayable } from '../core/display.js'
import { sizeOf } from '../core/dtype.js'
import { escapeHtml } from '../core/html.js'
import { showShape } from './layers/layer.js'
import type { Model } from './model.js'

/** A table that renders. */
export interface Summary extends Displayable {
  readonly parameters: number
  toString(): string
}

export function summarise({ layers, inputShape, inputs, weights }: Omit<Model, 'summary' | 'outputShape'>): Summary {
  const count = (positions: Iterable<number>): number =>
    [...positions].reduce((sum, at) => sum + sizeOf(weights[at]!.shape), 0)
  const seen = new Set<number>()
  // Layers of an estimator's own network were made nowhere that would help.
  const isPlaced = layers.some(({ layer }) => layer.madeAt !== undefined)
  const head = ['layer', 'kind', 'output', 'parameters', ...(isPlaced ? ['made at'] : [])]
  const rows = [
    ...(inputs ?? [['input', inputShape] as const]).map(([name, shape]) => [`(${name})`, '', showShape(shape), '', '']),
    ...layers.map(({ name, layer, output, positions }) => {
      const own = positions.filter((at) => !seen.has(at))
      for (const at of own) seen.add(at)
      const shared = own.length === 0 && positions.length > 0
      const numbers = shared ? 'shared' : String(count([...new Set(own)]))
      return [name, layer.kind, showShape(output), numbers, layer.madeAt?.split(/[\\/]/).at(-1) ?? '']
    }),
  ].map((row) => row.slice(0, head.length))
  const parameters = count(weights.keys())
  const fixed = count([...weights.keys()].filter((at) => weights[at]!.momentum !== undefined))
  const all = `${parameters.toLocaleString('en-US')} parameters`
  const total = fixed === 0 ? all : `${all}, ${fixed.toLocaleString('en-US')} of them not trained`
  const text = () => textTable([head, ...rows], total)
  return {
    parameters,
    toString: text,
    [displaySymbol]: () => ({ 'text/plain': text(), 'text/html': htmlTable(head, rows, total) }),
  }
}

function textTable(rows: readonly (readonly string[])[], total: string): string {
  return [...alignColumns(rows, (column) => column === 3), total].join('\n')
}

const tableStyle = 'border-collapse:collapse;font-variant-numeric:tabular-nums'
const cellStyle = 'padding:3px 12px;border-bottom:1px solid #8884'

function htmlTable(head: readonly string[], rows: readonly (readonly string[])[], total: string): string {
  const line = (tag: 'td' | 'th', cells: readonly string[]): string => {
    const texts = cells.map((cell, i) => {
      const shown = tag === 'td' && i === 3 && /^\d+$/.test(cell) ? Number(cell).toLocaleString('en-US') : cell
      return `<${tag} style="${cellStyle};text-align:${i === 3 ? 'right' : 'left'}">${escapeHtml(shown)}</${tag}>`
    })
    return `<tr>${texts.join('')}</tr>`
  }
  const body = rows.map((row) => line('td', row)).join('')
  const caption = `<caption style="caption-side:bottom;text-align:right;padding:4px 12px">${escapeHtml(total)}</caption>`
  return `<table style="${tableStyle}">${caption}<thead>${line('th', head)}</thead><tbody>${body}</tbody></table>`
}
