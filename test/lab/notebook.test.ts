/** A person's session in Notebook 7: a value, a type error, a completion, a chart, a slider. */
import { join } from 'node:path'
import type { Locator } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { lacking, LabSession, pictures, writeNotebook } from './jupyter-lab.js'

const sources = [
  'const rows = [{ name: "a", n: 1 }, { name: "b", n: 2 }]\nrows',
  'console.log("ran"); const wrong: string = rows[0].n',
  "import { viz } from 'shardbook'\nviz.bar(rows, { x: 'name', y: 'n' })",
  "import { ui } from 'shardbook'\nconst size = ui.slider({ label: 'size', min: 0, max: 10, value: 3 })\nsize",
  '',
]
const session = new LabSession(
  ({ folder }) => writeNotebook(join(folder, 'session.ipynb'), sources),
  async (it) =>
    it.visit(
      it.lab.notebookUrl('session.ipynb'),
      { width: 1400, height: 1200 },
      (page) => page.locator('.jp-Notebook .jp-Cell'),
      (page) => page.locator('.jp-Toolbar-kernelName', { hasText: 'TypeScript (Shardbook)' }),
      (page) => page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]'),
    ),
)

const cell = (index: number): Locator => session.page.locator('.jp-Notebook .jp-Cell').nth(index)
const output = (index: number): Locator => cell(index).locator('.jp-Cell-outputArea')

async function run(index: number): Promise<void> {
  await cell(index).locator('.cm-content').click()
  await session.page.keyboard.press('Control+Enter')
}

describe.skipIf(lacking)('a session in Notebook 7', () => {
  test('cells show values, type errors, charts and controls', async ({ onTestFailed }) => {
    onTestFailed(async () => void (await session.page.screenshot({ path: join(pictures, 'notebook7-failed.png') })))
    await run(0)
    await output(0).locator('table td', { hasText: 'b' }).first().waitFor()
    await run(1)
    await output(1).getByText("Type 'number' is not assignable to type 'string'").first().waitFor()
    expect(await output(1).textContent()).not.toMatch(/^ran/)
    await run(2)
    await output(2).locator('canvas.marks, svg.marks').first().waitFor()
    await run(3)
    await output(3).locator('.widget-slider, .jupyter-widgets').first().waitFor()
    await session.page.screenshot({ path: join(pictures, 'notebook7.png') })
  })

  test('Tab completes a member', async () => {
    await cell(4).locator('.cm-content').click()
    await session.page.keyboard.insertText('rows.fla')
    await session.page.keyboard.press('Tab')
    const item = session.page.locator('.jp-Completer-item', { hasText: 'flatMap' })
    const line = cell(4).locator('.cm-content', { hasText: 'rows.flatMap' })
    await item.or(line).first().waitFor()
    if (await item.isVisible()) await item.click()
    await line.first().waitFor()
    expect(await line.isVisible()).toBe(true)
  })
})
