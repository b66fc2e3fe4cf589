/**
 * The README's picture: `node tools/readme-picture.mjs PAGE.html FILE.png` takes some cells of the executed quickstart's page
 * (`shardbook run notebooks/quickstart.ipynb --html PAGE.html`) as a browser shows them, side by side.
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'

const [page, file] = process.argv.slice(2)
if (page === undefined || file === undefined) throw new Error('readme-picture: expected a page and a file.')

/** What stands left and right, by the number beside a cell; the heading comes first. */
const columns = [
  ['6', '7', '14'],
  ['9', '10', '12'],
]

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
try {
  const view = await browser.newPage({ viewport: { width: 1600, height: 1000 }, colorScheme: 'light' })
  await view.goto(pathToFileURL(resolve(page)).href)
  await view.waitForFunction('document.querySelectorAll("figure.chart svg, figure.chart canvas").length >= 6')
  await view.evaluate(`(() => {
    const main = document.querySelector('main')
    const cells = new Map([...main.querySelectorAll('section.code')].map((cell) => [cell.querySelector('.count')?.textContent, cell]))
    const sides = ${JSON.stringify(columns)}.map((numbers) => {
      const side = document.createElement('div')
      side.append(...numbers.map((number) => cells.get(number)))
      return side
    })
    sides[0].prepend(main.querySelector('section.prose'))
    main.replaceChildren(...sides)
    main.style.cssText = 'display: flex; gap: 40px; max-width: none; padding: 30px 40px 20px 56px'
    for (const side of sides) side.style.cssText = 'flex: 1; min-width: 0'
    for (const source of main.querySelectorAll('.source')) source.style.whiteSpace = 'pre-wrap'
  })()`)
  await view.screenshot({ path: file, fullPage: true })
} finally {
  await browser.close()
}
