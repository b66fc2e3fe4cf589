/** The guides, executed as a reader would, with short parameters: every cell runs, and says nothing on stderr. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { type Output, parseNotebook } from '../../src/cli/notebook/notebook.js'
import { shardbook } from './shardbook.js'

const folder = mkdtempSync(join(tmpdir(), 'shardbook-notebooks-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function executed(name: string, parameter: string): Promise<readonly Output[]> {
  const notebook = fileURLToPath(new URL(`../../notebooks/${name}`, import.meta.url))
  const out = join(folder, name)
  const ended = await shardbook(['run', notebook, '--out', out, '--param', parameter])
  if (ended.code !== 0) throw new Error(ended.stderr)
  const { cells } = parseNotebook(readFileSync(out, 'utf8'), out)
  return cells.flatMap((cell) => (cell.cell_type === 'code' ? cell.outputs : []))
}

const printed = (outputs: readonly Output[], name: 'stdout' | 'stderr'): string =>
  outputs.flatMap((output) => (output.output_type === 'stream' && output.name === name ? output.text : [])).join('')
const charts = (outputs: readonly Output[]): number =>
  outputs.filter((output) => 'data' in output && 'application/vnd.vegalite.v5+json' in output.data).length

describe('the guides', () => {
  test('the tour of the frame runs', { timeout: 400_000 }, async () => {
    const outputs = await executed('frame-tour.ipynb', 'bigRows=100000')
    expect(printed(outputs, 'stderr')).toBe('')
    expect(printed(outputs, 'stdout')).toMatch(/100,000 rows in \d+ ms, \d{4,5} bytes/)
    expect(printed(outputs, 'stdout')).toContain("there is no column 'totl'")
    expect(charts(outputs)).toBe(5)
  })

  test('the inside of a convolutional network is shown', { timeout: 400_000 }, async () => {
    const outputs = await executed('cnn-mnist.ipynb', 'epochs=1')
    expect(printed(outputs, 'stderr')).toBe('')
    expect(printed(outputs, 'stdout')).toMatch(/data=\w+ engine=\w+ accuracy=0\.[89]\d+/)
    expect(charts(outputs)).toBe(12)
  })
})
