import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { type DataOutput, parseNotebook } from '../../src/cli/notebook/notebook.js'
import { missing } from '../needs.js'
import { launchBrowser } from './browser.js'
import { shardbook } from './shardbook.js'

const notebook = fileURLToPath(new URL('../../notebooks/quickstart.ipynb', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'shardbook-quickstart-'))
const [out, html] = [join(folder, 'quickstart.ipynb'), join(folder, 'quickstart.html')]
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const vegaLite = 'application/vnd.vegalite.v5+json'

describe('the quickstart', () => {
  test(
    'runs headless; each training leaves one chart, in its final state, and the file stays small',
    { timeout: 400_000 },
    async () => {
      const ended = await shardbook(['run', notebook, '--out', out, '--html', html, '--param', 'epochs=1'])
      if (ended.code !== 0) throw new Error(ended.stderr)
      const { cells } = parseNotebook(readFileSync(out, 'utf8'), out)
      const outputs = cells.flatMap((cell) => (cell.cell_type === 'code' ? cell.outputs : []))
      const texts = outputs.flatMap((output) =>
        output.output_type === 'stream' && output.name === 'stdout' ? output.text : [],
      )
      const line = texts.join('').trimEnd().split('\n').at(-1)!
      expect(line).toMatch(
        /^data=(?:mnist|glyphs) engine=(?:native|wasm) workers=2 imagesPerSecond=\d+ accuracy=0\.\d+$/,
      )
      expect(Number(line.split('accuracy=')[1])).toBeGreaterThan(0.8)

      const charts = outputs.filter(
        (output): output is DataOutput =>
          output.output_type !== 'stream' && output.output_type !== 'error' && vegaLite in output.data,
      )
      for (const { data } of charts)
        expect(Object.keys(data).sort()).toEqual([vegaLite, 'image/png', 'text/plain'].sort())
      const trainings = charts.filter(({ data }) => /CNNClassifier|AutoEncoders/.test(String(data['text/plain'])))
      expect(trainings.map(({ data }) => /Done in/.test(String(data['text/plain'])))).toEqual([true, true])
      expect(
        outputs.filter(
          (output) => output.output_type === 'error' || (output.output_type === 'stream' && output.name === 'stderr'),
        ),
      ).toEqual([])
      expect(statSync(out).size).toBeLessThan(1_500_000)
    },
  )

  test.skipIf(missing('chromium'))(
    'makes a page whose charts are all alive with the network off',
    { timeout: 60_000 },
    async () => {
      const browser = await launchBrowser()
      try {
        const context = await browser.newContext()
        await context.setOffline(true)
        const page = await context.newPage()
        const requests: string[] = []
        page.on('request', (request) => void (/^(?:https?|wss?):/.test(request.url()) && requests.push(request.url())))
        await page.goto(pathToFileURL(html).href)
        const charts = page.locator('figure.chart')
        await page.waitForFunction(`document.querySelectorAll('figure.chart:not([data-state=drawn])').length === 0`)
        expect(await charts.count()).toBeGreaterThanOrEqual(6)
        expect(await page.locator('figure.chart svg').count()).toBe(await charts.count())
        expect(requests).toEqual([])
      } finally {
        await browser.close()
      }
    },
  )
})
