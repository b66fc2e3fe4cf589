/** Charts as files: written beside their place, then moved there, so that a file is whole or not there. */
import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { checkOneOf } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { escapeHtml } from '../core/html.js'
import type { Chart } from './chart.js'

const formats = {
  '.svg': (chart: Chart) => chart.svg(),
  '.png': (chart: Chart) => chart.png(),
  '.pdf': (chart: Chart) => chart.pdf(),
  '.json': async (chart: Chart) => `${JSON.stringify(chart.spec, null, 2)}\n`,
  '.html': (chart: Chart) => page(chart),
} as const

/** Writes `chart` to `path` in the format of the path's ending. */
export async function saveChart(chart: Chart, path: string): Promise<void> {
  const ending = extname(path).toLowerCase()
  checkOneOf('Chart.save', "the path's ending", ending, Object.keys(formats) as (keyof typeof formats)[])
  const content = await formats[ending](chart)
  const draft = join(dirname(path), `.${randomUUID()}${ending}`)
  try {
    await writeFile(draft, content)
    await rename(draft, path)
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined)
    throw new ShardbookError('io', `Chart.save: expected to write ${path}, got ${(cause as Error).message}.`, { cause })
  }
}

/** The scripts that draw a specification in a browser: define `vega` and `vegaLite`. For pages that need no network. */
async function drawingScripts(): Promise<readonly string[]> {
  const { resolve } = createRequire(import.meta.url)
  const beside = (name: string, file: string): string => join(dirname(resolve(name)), file)
  const files = [beside('vega', 'vega.min.js'), beside('vega-lite', 'vega-lite.min.js')]
  const scripts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  return scripts.map((script) => script.replaceAll('</script', '<\\/script'))
}

async function page(chart: Chart): Promise<string> {
  const scripts = (await drawingScripts()).map((script) => `<script>${script}</script>`).join('\n')
  const spec = JSON.stringify(chart.spec).replaceAll('<', '\\u003c')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escapeHtml(chart.text.split('\n')[0]!)}</title>
<style>body { margin: 2rem; background: #fff } #chart svg { max-width: 100%; height: auto }</style>
<div id="chart"></div>
${scripts}
<script>
new vega.View(vega.parse(vegaLite.compile(${spec}).spec), { renderer: 'svg', container: '#chart', hover: true }).runAsync()
</script>
</html>
`
}
