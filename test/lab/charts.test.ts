/**
 * Every sample chart in a real JupyterLab: a notebook that holds them all as outputs is opened, as a reader opens a saved one.
 * Pictures of each are kept for people.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lightBundle } from '../../src/viz/chart.js'
import { launchBrowser } from '../cli/browser.js'
import { missing } from '../needs.js'
import { samples } from '../viz/samples.js'
import { type JupyterLab, startJupyterLab } from './jupyter-lab.js'

const home = mkdtempSync(join(tmpdir(), 'shardbook-charts-test-'))
const folder = join(home, 'notebooks')
const pictures = join(process.env['SHARDBOOK_TEST_OUT'] ?? join(tmpdir(), 'shardbook-test-out'), 'charts')
const lacking = missing('chromium') ?? missing('python')
const names = Object.keys(samples)
let lab: JupyterLab
let browser: Browser

beforeAll(async () => {
  if (lacking !== undefined) return
  for (const path of [folder, pictures]) mkdirSync(path, { recursive: true })
  const cells = []
  for (const name of names) {
    const data = lightBundle(await samples[name]!().ready())
    cells.push({
      cell_type: 'code',
      id: name,
      execution_count: null,
      metadata: {},
      source: `// ${name}`,
      outputs: [{ output_type: 'display_data', data, metadata: {} }],
    })
  }
  const metadata = { kernelspec: { name: 'shardbook', language: 'typescript', display_name: 'TypeScript (Shardbook)' } }
  writeFileSync(join(folder, 'charts.ipynb'), JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }))
  // All cells are drawn, not only those in view.
  const settings = join(home, 'settings', '@jupyterlab', 'notebook-extension')
  mkdirSync(settings, { recursive: true })
  writeFileSync(join(settings, 'tracker.jupyterlab-settings'), '{ "windowingMode": "none" }')
  lab = await startJupyterLab(folder, home)
  browser = await launchBrowser()
}, 400_000)
afterAll(async () => {
  await browser?.close()
  await lab?.stop()
  rmSync(home, { recursive: true, force: true })
})

/** Of each cell's drawing: its colours, and its words for those who cannot see it. Runs in the page, hence as text. */
const drawings = `[...document.querySelectorAll('.jp-Notebook .jp-Cell')].map((cell) => {
  const canvas = cell.querySelector('canvas.marks')
  const { data } = canvas === null ? { data: [] } : canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  const colours = new Set()
  for (let i = 0; i < data.length && colours.size < 50; i += 4) colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2])
  return { colours: colours.size, words: cell.querySelector('[aria-label][role^=graphics]')?.getAttribute('aria-label') ?? '' }
})`

describe.skipIf(lacking)('charts in JupyterLab', () => {
  test('are all drawn, without a complaint, and say in words what they show', { timeout: 300_000 }, async () => {
    const page = await browser.newPage({ viewport: { width: 1100, height: 1400 } })
    const complaints: string[] = []
    page.on('console', (message) => {
      if (/vega/i.test(message.text()) && ['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    page.on('pageerror', (error) => void complaints.push(error.message))
    await page.goto(lab.url('charts.ipynb'))
    await page.waitForFunction(
      `document.querySelectorAll('.jp-Notebook .jp-Cell canvas.marks').length === ${names.length}`,
      null,
      { timeout: 200_000 },
    )
    const found = await page.evaluate<readonly { readonly colours: number; readonly words: string }[]>(drawings)
    const cells = page.locator('.jp-Notebook .jp-Cell')
    for (const [i, name] of names.entries()) {
      await cells
        .nth(i)
        .locator('.jp-OutputArea')
        .screenshot({ path: join(pictures, `${name}.png`) })
    }
    expect(found.flatMap(({ colours }, i) => (colours > 8 ? [] : [names[i]]))).toEqual([])
    expect(found.flatMap(({ words }, i) => (words.length > 5 ? [] : [names[i]]))).toEqual([])
    expect(complaints).toEqual([])
  })
})
