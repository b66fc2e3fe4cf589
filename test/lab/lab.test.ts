/** The quickstart in a real JupyterLab, up to its training: the chart moves. */
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Notebook } from '../../src/cli/notebook/notebook.js'
import { lacking, LabSession, pictures } from './jupyter-lab.js'

const quickstart = fileURLToPath(new URL('../../notebooks/quickstart.ipynb', import.meta.url))
const session = new LabSession(
  ({ folder }) => copyFileSync(quickstart, join(folder, 'quickstart.ipynb')),
  async (it) =>
    it.visit(
      it.lab.url('quickstart.ipynb'),
      { width: 1280, height: 1500 },
      (page) => page.locator('.jp-Notebook .jp-Cell'),
      (page) => page.locator('.jp-NotebookPanel-toolbar', { hasText: 'TypeScript (Shardbook)' }),
    ),
)

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
  test('runs its first cells and its training chart moves', async ({ onTestFailed }) => {
    const { page, complaints, lab } = session
    onTestFailed(async () => {
      await page.screenshot({ path: join(pictures, 'jupyterlab-failed.png') })
      process.stderr.write(`${complaints.join('\n')}\n${lab.log()}`)
    })
    const cells = page.locator('.jp-Notebook .jp-Cell')
    const { count, index } = cellsUntilTraining()
    await page.evaluate(watchChart(index))
    await cells.first().click()
    for (let i = 0; i < count; i++) await page.keyboard.press('Shift+Enter')
    // JupyterLab draws what is in view, as for a reader.
    await cells.nth(index).scrollIntoViewIfNeeded()
    // Empty axes and the first step are two: with the third, lines have grown.
    await page.waitForFunction('globalThis.chartStates.size >= 3', null, { timeout: 250_000 })
    await page.screenshot({ path: join(pictures, 'jupyterlab.png') })
    expect(
      await page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]').allTextContents(),
    ).toEqual([])
    expect(complaints).toEqual([])
    expect(existsSync(join(session.folder, 'quickstart.ipynb'))).toBe(true)
  })
})
