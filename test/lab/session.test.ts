/** A person's session in JupyterLab: types, completes, runs, interrupts, answers, moves a slider, debugs, restarts. */
import { join } from 'node:path'
import type { Locator } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { lacking, LabSession, pictures, writeNotebook } from './jupyter-lab.js'

const cells = Array.from({ length: 12 }, () => '')
const session = new LabSession(
  ({ folder }) => writeNotebook(join(folder, 'session.ipynb'), cells),
  async (it) =>
    it.visit(
      it.lab.url('session.ipynb'),
      { width: 1400, height: 1200 },
      (page) => page.locator('.jp-Notebook .jp-Cell'),
      (page) => page.locator('.jp-NotebookPanel-toolbar', { hasText: 'TypeScript (Shardbook)' }),
      (page) => page.getByText('TypeScript (Shardbook) | Idle'),
    ),
)

const cell = (index: number): Locator => session.page.locator('.jp-Notebook .jp-Cell').nth(index)
const output = (index: number): Locator => cell(index).locator('.jp-Cell-outputArea')
const picture = (name: string): Promise<unknown> => session.page.screenshot({ path: join(pictures, `lab-${name}.png`) })

/** Waits until the page shows it. */
async function isShown(wanted: Locator): Promise<boolean> {
  await wanted.first().waitFor()
  return wanted.first().isVisible()
}

/** Types into a cell as a person would. */
async function type(index: number, code: string): Promise<void> {
  await cell(index).locator('.cm-content').click()
  await session.page.keyboard.insertText(code)
}

async function runCell(index: number, code: string): Promise<void> {
  await type(index, code)
  await session.page.keyboard.press('Control+Enter')
}

describe.skipIf(lacking)('a session in JupyterLab', () => {
  test('a cell runs and shows its value', async () => {
    await runCell(0, 'const rows = [{ name: "a", n: 1 }, { name: "b", n: 2 }]\nrows')
    expect(await isShown(output(0).locator('table td', { hasText: 'b' }))).toBe(true)
    await picture('value')
  })

  test('a type error is shown before anything runs', async () => {
    await runCell(1, 'console.log("ran"); const wrong: string = rows[0].n')
    await output(1).getByText("Type 'number' is not assignable to type 'string'").first().waitFor()
    expect(await output(1).textContent()).not.toMatch(/^ran/)
    await picture('type-error')
  })

  test('Tab completes a member', async () => {
    await type(2, 'rows.fla')
    await session.page.keyboard.press('Tab')
    const item = session.page.locator('.jp-Completer-item', { hasText: 'flatMap' })
    const line = cell(2).locator('.cm-content', { hasText: 'rows.flatMap' })
    await item.or(line).first().waitFor()
    await picture('completion')
    if (await item.isVisible()) await item.click()
    expect(await isShown(line)).toBe(true)
  })

  test('an endless loop is interrupted, and the state stays', async () => {
    await runCell(3, 'while (true) {}')
    await cell(3).locator('.jp-InputPrompt', { hasText: '[*]' }).waitFor()
    await session.page.keyboard.press('Escape')
    await session.page.keyboard.press('i')
    await session.page.keyboard.press('i')
    await output(3).getByText('KeyboardInterrupt').first().waitFor()
    await runCell(4, 'rows.length')
    expect(await isShown(output(4).getByText('2'))).toBe(true)
  })

  test('a question is answered', async () => {
    await runCell(
      5,
      'import { prompt, ui } from "shardbook"\nconst name = await prompt("Your name? ");\n`Hello ${name}`',
    )
    const input = output(5).locator('input.jp-Stdin-input')
    await input.waitFor()
    await input.fill('Ada')
    await input.press('Enter')
    expect(await isShown(output(5).getByText('Hello Ada'))).toBe(true)
    await picture('prompt')
  })

  test('a slider is moved, and code reads it', async () => {
    await runCell(
      6,
      'const heard: number[] = []\nconst size = ui.slider({ min: 0, max: 10, value: 3, label: "size" })\nconst stop = size.onChange((value) => heard.push(value))\nsize',
    )
    const handle = output(6).locator('.noUi-handle')
    await handle.waitFor()
    await handle.focus()
    await session.page.keyboard.press('ArrowRight')
    await session.page.keyboard.press('ArrowRight')
    await output(6).locator('.widget-readout', { hasText: '5' }).waitFor()
    await picture('slider')
    await runCell(7, '`${size.value} after ${heard}`')
    expect(await isShown(output(7).getByText('5 after 4,5'))).toBe(true)
    await runCell(8, 'size.value = 9')
    await output(6).locator('.widget-readout', { hasText: '9' }).waitFor()
  })

  test('a breakpoint stops a cell, shows its variables, and lets it go on', async () => {
    await session.page.locator('.jp-DebuggerBugButton').first().click()
    await session.page.locator('.jp-DebuggerBugButton[aria-pressed="true"]').first().waitFor()
    const code =
      'const base = 20\nfunction twice(n: number) {\n  const doubled = n * 2\n  return doubled\n}\ntwice(base) + 2'
    await type(11, code)
    await session.page.keyboard.press('Escape')
    // The first element of the gutter only holds its width.
    await cell(11).locator('.cm-breakpoint-gutter .cm-gutterElement').nth(4).click()
    await cell(11).locator('.cm-breakpoint-icon').first().waitFor({ state: 'attached' })
    const panel = session.page.locator('.jp-DebuggerSidebar')
    // The panel lists a breakpoint when the kernel has taken it.
    await panel.locator('.jp-DebuggerBreakpoint').first().waitFor()
    await cell(11).locator('.cm-content').click()
    await session.page.keyboard.press('Control+Enter')
    await panel.locator('.jp-DebuggerCallstack-body', { hasText: 'twice' }).waitFor()
    await panel.locator('.jp-DebuggerVariables-body', { hasText: 'doubled' }).waitFor()
    await picture('breakpoint')
    await panel.locator('[data-command="debugger:continue"], [title^="Continue"]').first().click()
    expect(await isShown(output(11).getByText('42'))).toBe(true)
  })

  test('a restart forgets everything', async () => {
    await cell(9).locator('.jp-InputPrompt').click()
    await session.page.keyboard.press('Escape')
    await session.page.keyboard.press('0')
    await session.page.keyboard.press('0')
    await session.page.locator('.jp-Dialog .jp-mod-accept').click()
    await session.page.locator('.jp-Dialog').waitFor({ state: 'detached' })
    await runCell(9, 'typeof (globalThis as { rows?: unknown }).rows')
    await output(9).getByText('undefined').first().waitFor()
    await runCell(10, 'rows')
    expect(await isShown(output(10).getByText("Cannot find name 'rows'"))).toBe(true)
    await picture('restarted')
  })
})
