/** PDF files of charts, as PDFium reads them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inflateSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { pythonEnv } from '../../tools/python-env.mjs'
import { missing } from '../needs.js'
import { pixelsOf } from './pixels.js'
import { samples } from './samples.js'

const folder = mkdtempSync(join(tmpdir(), 'pdf-'))
afterAll(() => rmSync(folder, { recursive: true }))
const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

interface Read {
  readonly pages: number
  readonly title: string
  readonly size: readonly [number, number]
  readonly difference: number
  readonly ink: number
}

describe.skipIf(missing('python'))('a chart as PDF', () => {
  it.each([
    ...['training-watched', 'heatmap', 'images', 'confusion', 'distributions-over-time', 'attention', 'box'].map(
      (name) => [name, 'light'] as const,
    ),
    ['samples', 'dark'] as const,
  ])('is the picture of the chart: %s, %s', { timeout: 600_000 }, async (name, theme) => {
    const chart = (await samples[name]!().ready()).theme(theme)
    const png = await chart.png({ scale: 1 })
    const files = [join(folder, `${name}-${theme}.pdf`), join(folder, `${name}-${theme}.png`)] as const
    writeFileSync(files[0], await chart.pdf())
    writeFileSync(files[1], png)
    const python = await pythonEnv({ requirements: beside('readers.txt'), log: () => {} })
    const read = JSON.parse(execFileSync(python, [beside('read-pdf.py'), ...files], { encoding: 'utf8' })) as Read
    expect(read.pages).toBe(1)
    expect(read.title).toBe(chart.text.split('\n')[0])
    const { width } = pixelsOf(png)
    expect(Math.abs(read.size[0] - 0.75 * width)).toBeLessThanOrEqual(1)
    // Edges are smoothed otherwise; what is drawn is the same.
    expect(read.difference).toBeLessThan(Math.max(1.5, 0.2 * read.ink))
  })
})

describe('the PDF file', () => {
  it('has a table that says where each object begins, and letters as outlines', async () => {
    const file = Buffer.from(await samples['bar']!().pdf())
    const text = file.toString('latin1')
    const table = /xref\n0 (\d+)\n([^]*?)trailer/.exec(text)!
    const entries = table[2]!.trim().split('\n').slice(1)
    expect(entries).toHaveLength(Number(table[1]) - 1)
    for (const [i, entry] of entries.entries()) {
      expect(text.slice(Number(entry.slice(0, 10))).startsWith(`${i + 1} 0 obj`)).toBe(true)
    }
    const start = text.indexOf('stream\n') + 7
    const operators = inflateSync(file.subarray(start, text.indexOf('\nendstream'))).toString('latin1')
    expect(operators.split(' c\n').length + operators.split(' c ').length).toBeGreaterThan(100)
    expect(text).not.toContain('/Font')
  })
})
