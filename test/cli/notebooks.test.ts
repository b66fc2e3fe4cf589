/** The notebooks about estimators, in a short form: they run, their charts end in a final state, and their last line tells numbers. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { parseNotebook } from '../../src/cli/notebook/notebook.js'
import { shardbook } from './shardbook.js'

const folder = mkdtempSync(join(tmpdir(), 'shardbook-notebooks-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const notebooks = [
  ['rnn-sms-spam', ['epochs=1', 'share=0.25'], /^same=true f1=[\d.]+ areaUnderROC=0\.\d+ hashed=0\.\d+$/],
  [
    'autoencoders',
    ['images=500', 'epochs=1', 'vaeEpochs=1', 'ganEpochs=1', 'judgeEpochs=1'],
    /^reconstruction=[\d.]+ vae=0\.\d+ gan=0\.\d+$/,
  ],
] as const

describe.skipIf(process.env['SHARDBOOK_DATA'] === undefined)('notebooks about estimators', () => {
  test.each(notebooks)('%s runs from top to bottom', { timeout: 900_000 }, async (name, params, last) => {
    const path = fileURLToPath(new URL(`../../notebooks/${name}.ipynb`, import.meta.url))
    const out = join(folder, `${name}.ipynb`)
    const ended = await shardbook(['run', path, '--out', out, ...params.flatMap((param) => ['--param', param])])
    if (ended.code !== 0) throw new Error(ended.stderr)
    const { cells } = parseNotebook(readFileSync(out, 'utf8'), out)
    const outputs = cells.flatMap((cell) => (cell.cell_type === 'code' ? cell.outputs : []))
    const printed = outputs.flatMap((output) =>
      output.output_type === 'stream' && output.name === 'stdout' ? output.text : [],
    )
    expect(printed.join('').trimEnd().split('\n').at(-1)).toMatch(last)
    expect(outputs.filter((output) => output.output_type === 'error')).toEqual([])
    expect(readFileSync(out).length).toBeLessThan(3_000_000)
  })
})
