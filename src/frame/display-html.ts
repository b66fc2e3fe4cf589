/** A preview as HTML: a table that takes its colours from the page, light or dark. */
import { escapeHtml } from '../core/html.js'
import { caption, cellText, isTensor, sampleCaption } from './cell-text.js'
import type { Preview } from './preview.js'
import type { Column } from './schema.js'
import { describeType } from './schema-spec.js'
import { sketchOf, type Sketch } from './sketch.js'
import { tensorPicture } from './tensor/picture.js'

const faint = 'opacity:.55;font-weight:normal'
const width = 84
const height = 24

export function previewHtml(preview: Preview): string {
  const { schema, head, tail, total, sample } = preview
  const numbers = `<th style="${faint}"></th>`
  const header = schema.map((column, i) =>
    headerCell(
      column,
      sketchOf(
        column.type,
        sample.rows.map((row) => row[i]),
      ),
    ),
  )
  const body = head.map((row, i) => bodyRow(schema, row, i))
  if (tail.length > 0) {
    body.push(`<tr>${`<td style="${faint};text-align:center">⋮</td>`.repeat(schema.length + 1)}</tr>`)
    body.push(...tail.map((row, i) => bodyRow(schema, row, total! - tail.length + i)))
  }
  return `<div style="overflow-x:auto"><table style="border-collapse:collapse;font-variant-numeric:tabular-nums"><thead><tr style="vertical-align:bottom">${numbers}${header.join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div><p style="${faint};margin:.3em 0">${escapeHtml(caption(preview) + sampleCaption(preview))}</p>`
}

function headerCell(column: Column, sketch: Sketch | undefined): string {
  const picture = sketch === undefined ? '' : `<br>${sketchHtml(sketch)}`
  return `<th style="text-align:${align(column)}">${escapeHtml(column.name)}<br><span style="${faint}">${escapeHtml(describeType(column))}</span>${picture}</th>`
}

function bodyRow(schema: readonly Column[], cells: readonly unknown[], number: number): string {
  const each = cells.map((cell, i) => {
    const wrap = cell instanceof Date ? ';white-space:nowrap' : ''
    return `<td style="text-align:${align(schema[i]!)}${wrap}">${cellHtml(cell)}</td>`
  })
  return `<tr><td style="${faint};text-align:right">${number.toLocaleString('en')}</td>${each.join('')}</tr>`
}

function align({ type }: Column): 'left' | 'right' {
  return type.kind === 'number' || type.kind === 'bigint' ? 'right' : 'left'
}

function sketchHtml(sketch: Sketch): string {
  // Bars of a few values among many would say nothing of the others.
  if (sketch.kind === 'values' && sketch.distinct > sketch.top.length) {
    return `<span title="${escapeHtml(sketchTitle(sketch))}" style="${faint}">${sketch.distinct.toLocaleString('en')} distinct</span>`
  }
  return sketchSvg(sketch)
}

function sketchSvg(sketch: Sketch): string {
  const counts = sketch.kind === 'histogram' ? sketch.counts : sketch.top.map(({ count }) => count)
  const most = Math.max(...counts)
  const step = width / Math.max(counts.length, 4)
  const bars = counts.map((count, i) => {
    const tall = count === 0 ? 0 : Math.max(1, (count / most) * height)
    return `<rect x="${fixed(i * step)}" y="${fixed(height - tall)}" width="${fixed(step - 1)}" height="${fixed(tall)}"/>`
  })
  return `<svg width="${width}" height="${height}" role="img" style="fill:currentColor;opacity:.4;margin-top:2px"><title>${escapeHtml(sketchTitle(sketch))}</title>${bars.join('')}</svg>`
}

function sketchTitle(sketch: Sketch): string {
  const nulls = sketch.nulls === 0 ? '' : `, ${sketch.nulls} null`
  if (sketch.kind === 'histogram') return `${cellText(sketch.min)} to ${cellText(sketch.max)}${nulls}`
  const top = sketch.top.slice(0, 5).map(({ value, count }) => `${cellText(value)}: ${count}`)
  return `${sketch.distinct} distinct${nulls}; ${top.join(', ')}`
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)))
}

function cellHtml(cell: unknown): string {
  if (cell === null || cell === undefined) return '<span style="opacity:.4">null</span>'
  if (isTensor(cell)) {
    const picture = tensorPicture(cell)
    if (picture !== undefined) {
      return `<img alt="${escapeHtml(cellText(cell))}" src="${picture}" style="width:42px;height:42px;image-rendering:pixelated;margin:0">`
    }
  }
  return escapeHtml(cellText(cell))
}
