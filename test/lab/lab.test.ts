import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Notebook } from '../../src/cli/notebook/notebook.js'
import { launchBrowser } from '../cli/browser.js'
import { missing } from '../needs.js'
import { type JupyterLab, startJupyterLab } from './jupyter-lab.js'

const quickstart = fileURLToPath(new URL('../../notebooks/quickstart.ipynb', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'shardbook-lab-test-'))
const folder = join(home, 'notebooks')
/** Pictures of the session are kept here, for people. */
const pictures = process.env['SHARDBOOK_TEST_OUT'] ?? join(tmpdir(), 'shardbook-test-out')
const lacking = missing('chromium') ?? missing('python')
let lab: JupyterLab
let browser: Browser

beforeAll(async () => {
  mkdirSync(folder)
  mkdirSync(pictures, { recursive: true })
  copyFileSync(quickstart, join(folder, 'quickstart.ipynb'))
  if (lacking !== undefined) return
  lab = await startJupyterLab(folder, home)
  browser = await launchBrowser()
}, 400_000)
afterAll(async () => {
  await browser?.close()
  await lab?.stop()
  rmSync(home, { recursive: true, force: true })
})

/** The code cells up to and with the one that starts the training. */
function cellsUntilTraining(): { count: number; index: number } {
  const { cells } = JSON.parse(readFileSync(quickstart, 'utf8')) as Notebook
  const index = cells.findIndex((cell) => cell.cell_type === 'code' && [cell.source].flat().join('').includes('.fit('))
  return { count: cells.slice(0, index + 1).length, index }
}

/**
 * Remembers every picture that the chart of a cell shows, from now on: JupyterLab draws on a canvas. Runs in the page, hence
 * as text.
 */
const watchChart = (cell: number): string => `(() => {
  const seen = globalThis.chartStates = new Set()
  setInterval(() => {
    const output = document.querySelectorAll('.jp-Notebook .jp-Cell')[${cell}]?.querySelector('.jp-Cell-outputArea')
    for (const canvas of output?.querySelectorAll('canvas.marks') ?? []) seen.add(canvas.toDataURL())
  }, 50)
})()`

describe.skipIf(lacking)('the quickstart in JupyterLab', () => {
  test('runs its first cells and its training chart moves', { timeout: 300_000 }, async ({ onTestFailed }) => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1500 } })
    onTestFailed(async () => {
      await page.screenshot({ path: join(pictures, 'jupyterlab-failed.png') })
      process.stderr.write(`${complaints.join('\n')}\n${lab.log()}`)
    })
    const complaints: string[] = []
    page.on('console', (message) => {
      if (/vega/i.test(message.text()) && ['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    page.on('pageerror', (error) => void complaints.push(error.message))
    await page.goto(lab.url('quickstart.ipynb'))
    const cells = page.locator('.jp-Notebook .jp-Cell')
    await cells.first().waitFor({ timeout: 60_000 })
    await page.locator('.jp-NotebookPanel-toolbar', { hasText: 'TypeScript (Shardbook)' }).waitFor({ timeout: 60_000 })

    const { count, index } = cellsUntilTraining()
    await page.evaluate(watchChart(index))
    await cells.first().click()
    for (let i = 0; i < count; i++) await page.keyboard.press('Shift+Enter')
    // JupyterLab draws what is in view, as for a reader.
    await cells.nth(index).scrollIntoViewIfNeeded()
    // Empty axes and the first step are two: from the fifth on, lines have grown.
    await page.waitForFunction('globalThis.chartStates.size >= 5', null, { timeout: 180_000 })
    await page.screenshot({ path: join(pictures, 'jupyterlab.png') })
    expect(
      await page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]').allTextContents(),
    ).toEqual([])
    expect(complaints).toEqual([])
    expect(existsSync(join(folder, 'quickstart.ipynb'))).toBe(true)
  })
})
