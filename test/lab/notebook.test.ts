/** A person's session in Notebook 7: a value, a type error, a completion, a chart, a slider. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser } from '../cli/browser.js'
import { missing } from '../needs.js'
import { type JupyterLab, startJupyterLab, writeNotebook } from './jupyter-lab.js'

const home = mkdtempSync(join(tmpdir(), 'shardbook-notebook-test-'))
const folder = join(home, 'notebooks')
const pictures = process.env['SHARDBOOK_TEST_OUT'] ?? join(tmpdir(), 'shardbook-test-out')
const lacking = missing('chromium') ?? missing('python')
const sources = [
  'const rows = [{ name: "a", n: 1 }, { name: "b", n: 2 }]\nrows',
  'console.log("ran"); const wrong: string = rows[0].n',
  "import { viz } from 'shardbook'\nviz.bar(rows, { x: 'name', y: 'n' })",
  "import { ui } from 'shardbook'\nconst size = ui.slider({ label: 'size', min: 0, max: 10, value: 3 })\nsize",
  '',
]
let lab: JupyterLab
let browser: Browser
let page: Page

beforeAll(async () => {
  mkdirSync(folder)
  mkdirSync(pictures, { recursive: true })
  if (lacking !== undefined) return
  writeNotebook(join(folder, 'session.ipynb'), sources)
  lab = await startJupyterLab(folder, home)
  browser = await launchBrowser()
  page = await browser.newPage({ viewport: { width: 1400, height: 1200 } })
  await page.goto(lab.notebookUrl('session.ipynb'))
  await page.locator('.jp-Notebook .jp-Cell').first().waitFor({ timeout: 60_000 })
  await page.locator('.jp-Toolbar-kernelName', { hasText: 'TypeScript (Shardbook)' }).waitFor({ timeout: 60_000 })
  // What is run before the client has heard of the kernel is lost.
  await page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first().waitFor({ timeout: 60_000 })
}, 400_000)
afterAll(async () => {
  await browser?.close()
  await lab?.stop()
  rmSync(home, { recursive: true, force: true })
})

const cell = (index: number): Locator => page.locator('.jp-Notebook .jp-Cell').nth(index)
const output = (index: number): Locator => cell(index).locator('.jp-Cell-outputArea')

async function run(index: number): Promise<void> {
  await cell(index).locator('.cm-content').click()
  await page.keyboard.press('Control+Enter')
}

describe.skipIf(lacking)('a session in Notebook 7', () => {
  test('cells show values, type errors, charts and controls', { timeout: 180_000 }, async ({ onTestFailed }) => {
    onTestFailed(async () => void (await page.screenshot({ path: join(pictures, 'notebook7-failed.png') })))
    await run(0)
    await output(0).locator('table td', { hasText: 'b' }).first().waitFor()
    await run(1)
    await output(1).getByText("Type 'number' is not assignable to type 'string'").first().waitFor()
    expect(await output(1).textContent()).not.toMatch(/^ran/)
    await run(2)
    await output(2).locator('canvas.marks, svg.marks').first().waitFor()
    await run(3)
    await output(3).locator('.widget-slider, .jupyter-widgets').first().waitFor()
    await page.screenshot({ path: join(pictures, 'notebook7.png') })
  })

  test('Tab completes a member', { timeout: 60_000 }, async () => {
    await cell(4).locator('.cm-content').click()
    await page.keyboard.insertText('rows.fla')
    await page.keyboard.press('Tab')
    const item = page.locator('.jp-Completer-item', { hasText: 'flatMap' })
    const line = cell(4).locator('.cm-content', { hasText: 'rows.flatMap' })
    await item.or(line).first().waitFor()
    if (await item.isVisible()) await item.click()
    await line.first().waitFor()
    expect(await line.isVisible()).toBe(true)
  })
})
