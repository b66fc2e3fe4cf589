/** The guides run headless from the first cell to the last, in a short form by their parameters. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { parseNotebook } from '../../src/cli/notebook/notebook.js'
import { shardbook } from './shardbook.js'

const folder = mkdtempSync(join(tmpdir(), 'shardbook-guides-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const guides = {
  tuning: {
    params: { trainRows: 300, epochs: 1, candidates: 3 },
    lastLine: /^data=(?:mnist|glyphs) winner=(?:CrossValidator|RandomSearch) accuracy=0\.\d+$/,
  },
  'scarce-data': {
    params: { trainRows: 300, epochs: 3, unlabelledRows: 600 },
    lastLine: /^data=(?:mnist|glyphs) gain=-?\d\.\d+ distilled=-?\d\.\d+ int8Loss=-?\d\.\d+$/,
  },
} as const

test.each(Object.keys(guides) as (keyof typeof guides)[])('%s', { timeout: 600_000 }, async (name) => {
  const { params, lastLine } = guides[name]
  const notebook = fileURLToPath(new URL(`../../notebooks/${name}.ipynb`, import.meta.url))
  const out = join(folder, `${name}.ipynb`)
  const given = Object.entries(params).flatMap(([key, value]) => ['--param', `${key}=${value}`])
  const ended = await shardbook(['run', notebook, '--out', out, ...given])
  if (ended.code !== 0) throw new Error(ended.stderr)
  const { cells } = parseNotebook(readFileSync(out, 'utf8'), out)
  const outputs = cells.flatMap((cell) => (cell.cell_type === 'code' ? cell.outputs : []))
  const printed = outputs.flatMap((output) =>
    output.output_type === 'stream' && output.name === 'stdout' ? output.text : [],
  )
  expect(printed.join('').trimEnd().split('\n').at(-1)).toMatch(lastLine)
  expect(outputs.filter(({ output_type: type }) => type === 'error')).toEqual([])
})
