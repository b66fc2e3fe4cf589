/** The notebooks, executed as a reader would, with short parameters: every cell runs, and the last lines tell numbers. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { type Output, parseNotebook } from '../../src/cli/notebook/notebook.js'
import { hasData } from '../needs.js'
import { shardbook } from './shardbook.js'

const folder = mkdtempSync(join(tmpdir(), 'shardbook-notebooks-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function executed(name: string, params: readonly string[]): Promise<readonly Output[]> {
  const notebook = fileURLToPath(new URL(`../../notebooks/${name}.ipynb`, import.meta.url))
  const out = join(folder, `${name}.ipynb`)
  const ended = await shardbook(['run', notebook, '--out', out, ...params.flatMap((param) => ['--param', param])])
  if (ended.code !== 0) throw new Error(ended.stderr)
  expect(readFileSync(out).length).toBeLessThan(3_000_000)
  const { cells } = parseNotebook(readFileSync(out, 'utf8'), out)
  return cells.flatMap((cell) => (cell.cell_type === 'code' ? cell.outputs : []))
}

const printed = (outputs: readonly Output[], name: 'stdout' | 'stderr'): string =>
  outputs.flatMap((output) => (output.output_type === 'stream' && output.name === name ? output.text : [])).join('')
const lastLine = (outputs: readonly Output[]): string | undefined =>
  printed(outputs, 'stdout').trimEnd().split('\n').at(-1)
const charts = (outputs: readonly Output[]): number =>
  outputs.filter((output) => 'data' in output && 'application/vnd.vegalite.v5+json' in output.data).length

describe('the guides', () => {
  test('the tour of the frame runs', { timeout: 400_000 }, async () => {
    const outputs = await executed('frame-tour', ['bigRows=100000'])
    expect(printed(outputs, 'stderr')).toBe('')
    expect(printed(outputs, 'stdout')).toMatch(/100,000 rows in \d+ ms, \d{4,5} bytes/)
    expect(printed(outputs, 'stdout')).toContain("there is no column 'totl'")
    expect(charts(outputs)).toBe(5)
  })

  test('the inside of a convolutional network is shown', { timeout: 400_000 }, async () => {
    const outputs = await executed('cnn-mnist', ['epochs=1'])
    expect(printed(outputs, 'stderr')).toBe('')
    expect(printed(outputs, 'stdout')).toMatch(/data=\w+ engine=\w+ accuracy=0\.[89]\d+/)
    expect(charts(outputs)).toBe(12)
  })
})

const tuned = [
  [
    'tuning',
    ['trainRows=300', 'epochs=1', 'candidates=3'],
    /^data=(?:mnist|glyphs) winner=(?:CrossValidator|RandomSearch) accuracy=0\.\d+$/,
  ],
  [
    'scarce-data',
    ['trainRows=300', 'epochs=3', 'unlabelledRows=600'],
    /^data=(?:mnist|glyphs) gain=-?\d\.\d+ distilled=-?\d\.\d+ int8Loss=-?\d\.\d+$/,
  ],
] as const
test.each(tuned)('%s runs from top to bottom', { timeout: 600_000 }, async (name, params, last) => {
  const outputs = await executed(name, params)
  expect(lastLine(outputs)).toMatch(last)
  expect(outputs.filter(({ output_type: type }) => type === 'error')).toEqual([])
})

const estimators = [
  ['rnn-sms-spam', ['epochs=1', 'share=0.25'], /^same=true f1=[\d.]+ areaUnderROC=0\.\d+ hashed=0\.\d+$/],
  [
    'autoencoders',
    ['images=500', 'epochs=1', 'vaeEpochs=1', 'ganEpochs=1', 'judgeEpochs=1'],
    /^reconstruction=[\d.]+ vae=0\.\d+ gan=0\.\d+$/,
  ],
] as const

describe.skipIf(!hasData('mnist') || !hasData('sms-spam'))('notebooks about estimators', () => {
  test.each(estimators)('%s runs from top to bottom', { timeout: 900_000 }, async (name, params, last) => {
    const outputs = await executed(name, params)
    expect(lastLine(outputs)).toMatch(last)
  })
})
