/** What a model says of itself: layers, shapes, parameters and where layers were made as a table, in text and in HTML. */
import { alignColumns } from '../core/align-columns.js'
import { displaySymbol } from '../core/display.js'
import type { Displayable } from '../core/display.js'
import { sizeOf } from '../core/dtype.js'
import { escapeHtml } from '../core/html.js'
import type { LayerRow } from '../viz/index.js'
import { showShape } from './layers/layer.js'
import type { Layer, Shape } from './layers/layer.js'
import type { MergeOptions } from './layers/merge.js'
import { isRow } from './layers/node.js'
import type { Model } from './model.js'

/** A table that renders. */
export interface Summary extends Displayable {
  /** As `viz.graph` draws them. */
  readonly layers: readonly LayerRow[]
  readonly parameters: number
  toString(): string
}

export function summarise({ layers, inputShape, inputs, weights }: Omit<Model, 'summary' | 'outputShape'>): Summary {
  const count = (positions: Iterable<number>): number =>
    [...positions].reduce((sum, at) => sum + sizeOf(weights[at]!.shape), 0)
  const seen = new Set<number>()
  // Layers of an estimator's own network were made nowhere that would help.
  const isPlaced = layers.some(({ layer }) => layer.madeAt !== undefined)
  const isGraph = !isRow(layers)
  const rowsOf: LayerRow[] = (inputs ?? [['input', inputShape] as const]).map(([name, shape]) => ({
    name: `(${name})`,
    kind: 'input',
    shape,
    inputs: [],
  }))
  const inputNames = rowsOf.map(({ name }) => name)
  const namesAt = (at: number): readonly string[] => {
    if (at < 0) return inputNames
    const { layer, name } = layers[at]!
    return [layer.kind === 'input' ? `(${name})` : name]
  }
  const head = [
    'layer',
    'kind',
    'output',
    'parameters',
    ...(isGraph ? ['takes'] : []),
    ...(isPlaced ? ['made at'] : []),
  ]
  const cells = rowsOf.map(({ name, shape }) => [name, '', showShape(shape as Shape), ''])
  for (const { name, layer, output, positions, from } of layers) {
    // An input of a graph is in the list already.
    if (layer.kind === 'input') continue
    const own = [...new Set(positions.filter((at) => !seen.has(at)))]
    for (const at of own) seen.add(at)
    const isShared = own.length === 0 && positions.length > 0
    const takes = from.flatMap(namesAt)
    const madeAt = layer.madeAt?.split(/[\\/]/).at(-1) ?? ''
    const numbers = isShared ? 'shared' : String(count(own))
    cells.push([name, kindOf(layer), showShape(output), numbers, ...(isGraph ? [takes.join(', ')] : []), madeAt])
    rowsOf.push({ name, kind: kindOf(layer), shape: output, parameters: count(own), inputs: takes })
  }
  const rows = cells.map((row) => Array.from(head, (_, i) => row[i] ?? ''))
  const parameters = count(weights.keys())
  const fixed = count([...weights.keys()].filter((at) => weights[at]!.momentum !== undefined))
  const all = `${parameters.toLocaleString('en-US')} parameters`
  const total = fixed === 0 ? all : `${all}, ${fixed.toLocaleString('en-US')} of them not trained`
  const text = () => textTable([head, ...rows], total)
  return {
    parameters,
    layers: rowsOf,
    toString: text,
    [displaySymbol]: () => ({ 'text/plain': text(), 'text/html': htmlTable(head, rows, total) }),
  }
}

function kindOf({ kind, options }: Layer): string {
  return kind === 'merge' ? (options as MergeOptions).by : kind
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
