/**
 * Every sample chart in a real JupyterLab: a notebook that holds them all as outputs is opened, as a reader opens a saved one.
 * Pictures of each are kept for people.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lightBundle } from '../../src/viz/chart.js'
import { samples } from '../viz/samples.js'
import { lacking, LabSession, pictures } from './jupyter-lab.js'

const names = Object.keys(samples)
const session = new LabSession(
  async ({ home, folder }) => {
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
    const metadata = {
      kernelspec: { name: 'shardbook', language: 'typescript', display_name: 'TypeScript (Shardbook)' },
    }
    writeFileSync(join(folder, 'charts.ipynb'), JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }))
    // All cells are drawn, not only those in view.
    const settings = join(home, 'settings', '@jupyterlab', 'notebook-extension')
    mkdirSync(settings, { recursive: true })
    writeFileSync(join(settings, 'tracker.jupyterlab-settings'), '{ "windowingMode": "none" }')
  },
  async (it) => it.visit(it.lab.url('charts.ipynb'), { width: 1100, height: 1400 }),
)

/** Of each cell's drawing: its colours, and its words for those who cannot see it. Runs in the page, hence as text. */
const drawings = `[...document.querySelectorAll('.jp-Notebook .jp-Cell')].map((cell) => {
  const canvas = cell.querySelector('canvas.marks')
  const { data } = canvas === null ? { data: [] } : canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  const colours = new Set()
  for (let i = 0; i < data.length && colours.size < 50; i += 4) colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2])
  return { colours: colours.size, words: cell.querySelector('[aria-label][role^=graphics]')?.getAttribute('aria-label') ?? '' }
})`

describe.skipIf(lacking)('charts in JupyterLab', () => {
  test('are all drawn, without a complaint, and say in words what they show', async () => {
    const { page, complaints } = session
    mkdirSync(join(pictures, 'charts'), { recursive: true })
    await page.waitForFunction(
      `document.querySelectorAll('.jp-Notebook .jp-Cell canvas.marks').length === ${names.length}`,
      null,
      { timeout: 250_000 },
    )
    const found = await page.evaluate<readonly { readonly colours: number; readonly words: string }[]>(drawings)
    const cells = page.locator('.jp-Notebook .jp-Cell')
    for (const [i, name] of names.entries()) {
      await cells
        .nth(i)
        .locator('.jp-OutputArea')
        .screenshot({ path: join(pictures, 'charts', `${name}.png`) })
    }
    expect(found.flatMap(({ colours }, i) => (colours > 8 ? [] : [names[i]]))).toEqual([])
    expect(found.flatMap(({ words }, i) => (words.length > 5 ? [] : [names[i]]))).toEqual([])
    expect(complaints).toEqual([])
  })
})
