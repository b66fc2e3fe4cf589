import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Notebook } from '../../src/cli/notebook/notebook.js'
import { buildPage } from '../../src/cli/page/page.js'
import { missing } from '../needs.js'
import { launchBrowser } from './browser.js'
import { codeCell, displayData, lineSpec, notebookOf, pixel, sampleNotebook } from './sample.js'

let browser: Browser | undefined
const folder = mkdtempSync(join(tmpdir(), 'shardbook-page-'))

beforeAll(async () => {
  if (missing('chromium') !== undefined) return
  browser = await launchBrowser()
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Visit {
  readonly page: Page
  /** Every request that got past the page's own policy, but the one for the page itself. */
  readonly requests: string[]
  readonly errors: string[]
}

/** Opens the page of a notebook from the disk, with the network off. */
async function visit(notebook: Notebook, options: { javaScriptEnabled?: boolean } = {}): Promise<Visit> {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.html`)
  writeFileSync(path, await buildPage(notebook, 'sample'))
  const context = await browser!.newContext({ viewport: { width: 1000, height: 1300 }, ...options })
  await context.setOffline(true)
  const page = await context.newPage()
  const requests: string[] = []
  const errors: string[] = []
  page.on('requestfinished', (request) => void (request.url().startsWith('data:') || requests.push(request.url())))
  page.on('requestfailed', (request) => {
    if (request.failure()?.errorText !== 'csp') requests.push(`${request.url()} ${request.failure()?.errorText}`)
  })
  page.on('pageerror', (error) => void errors.push(error.message))
  await page.goto(pathToFileURL(path).href)
  return { page, requests: requests.slice(1), errors }
}

describe.skipIf(missing('chromium'))('the page of a notebook', () => {
  test('draws its charts from the disk, without network and without running what the notebook smuggles in', async () => {
    const { page, requests, errors } = await visit(sampleNotebook())
    await page.locator('figure.chart[data-state=drawn]').waitFor()
    expect(
      await page
        .locator('figure.chart svg path[aria-roledescription="line mark"], figure.chart svg .mark-line path')
        .count(),
    ).toBeGreaterThan(0)
    expect(await page.evaluate('globalThis.pwned')).toBeUndefined()
    expect(await page.title()).toBe('Digits')
    expect(await page.locator('iframe').contentFrame().locator('td').first().textContent()).toBe('seven')
    expect(requests).toEqual([])
    expect(errors).toEqual([])
    const out = process.env['SHARDBOOK_TEST_OUT']
    if (out !== undefined) await page.screenshot({ path: join(out, 'page.png'), fullPage: true })
  })

  test('shows a picture of each chart where scripts are off', async () => {
    const { page } = await visit(sampleNotebook(), { javaScriptEnabled: false })
    expect(await page.locator('figure.chart img').count()).toBe(1)
  })

  test('shows the picture and the reason where a chart cannot be drawn', async () => {
    const broken = { ...lineSpec, mark: 'nonsense' }
    const { page, errors } = await visit(
      notebookOf([codeCell('x', [displayData({ 'application/vnd.vegalite.v5+json': broken, 'image/png': pixel })])]),
    )
    await page.locator('figcaption').waitFor()
    expect(await page.locator('figcaption').textContent()).toMatch(/could not be drawn/)
    expect(await page.locator('figure.chart img').count()).toBe(1)
    expect(errors).toEqual([])
  })

  test('holds no chart library when it has no chart', async () => {
    const html = await buildPage(notebookOf([codeCell('1 + 1')]), 'sum')
    expect(html.length).toBeLessThan(20_000)
    expect(html).toContain('<title>sum</title>')
  })
})
