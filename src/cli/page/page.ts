/**
 * A notebook as one self-contained web page: charts alive, no network request ever.
 *
 * The content security policy is what holds that promise: nothing may be fetched, and only the page's own scripts (by
 * hash) run. So what a notebook brings along (HTML outputs, markdown) cannot run code, whatever it contains; HTML outputs
 * get a sandboxed frame each, so that they cannot break the page's layout either. Vega's expressions are compiled
 * with `Function`, hence 'unsafe-eval'.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Notebook } from '../notebook/notebook.js'
import { escapeHtml } from '../../core/html.js'
import { highlight } from './highlight.js'
import { markdownRenderer } from './markdown.js'
import { renderOutput } from './output.js'
import { chartScript, frameScript } from './scripts.js'
import { pageStyle } from './style.js'

/** The page's HTML. `title` is used where the notebook has no heading. */
export async function buildPage(notebook: Notebook, title: string): Promise<string> {
  const markdown = await markdownRenderer()
  const cells = notebook.cells.map((cell) => {
    if (cell.cell_type !== 'code') {
      return cell.cell_type === 'markdown'
        ? `<section class="prose">${markdown(cell.source, cell['attachments'])}</section>`
        : `<section><pre class="raw">${escapeHtml(cell.source)}</pre></section>`
    }
    const outputs = cell.outputs.map((output) => renderOutput(output, markdown)).join('\n')
    const source = cell.source.trim() === '' ? '' : `<pre class="source"><code>${highlight(cell.source)}</code></pre>`
    const count = cell.execution_count === null ? '' : `<span class="count">${cell.execution_count}</span>`
    return `<section class="code">${count}${source}${outputs === '' ? '' : `<div class="outputs">${outputs}</div>`}</section>`
  })
  const body = cells.join('\n')
  const scripts = [frameScript]
  if (body.includes('<figure class="chart"')) scripts.push(...(await vegaScripts()), chartScript)
  const hashes = scripts.map((script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`).join(' ')
  const policy = `default-src 'none'; script-src 'unsafe-eval' ${hashes}; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Shardbook">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeHtml(headingOf(notebook) ?? title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
${body}
</main>
${scripts.map((script) => `<script>${script}</script>`).join('\n')}
</body>
</html>
`
}

/** Text of the first top heading. */
function headingOf(notebook: Notebook): string | undefined {
  for (const cell of notebook.cells) {
    const heading = cell.cell_type === 'markdown' ? /^#\s+(.+)$/m.exec(cell.source)?.[1] : undefined
    if (heading !== undefined) return heading.replace(/[*_`]/g, '').trim()
  }
  return undefined
}

/** The browser builds that Vega and Vega-Lite publish, with their licence line. */
async function vegaScripts(): Promise<string[]> {
  const require = createRequire(import.meta.url)
  const files = ['vega', 'vega-lite'].map((name) => {
    const schema = require.resolve(`${name}/${name}-schema.json`)
    return { name, path: join(dirname(schema), `${name}.min.js`) }
  })
  return Promise.all(
    files.map(async ({ name, path }) => {
      const source = (await readFile(path, 'utf8')).replace(/\n?\/\/# sourceMappingURL=\S*\s*$/, '')
      const safe = source.replaceAll(/<\/(script)/gi, String.raw`<\/$1`).replaceAll('<!--', String.raw`\x3c!--`)
      return `/* ${name}: https://github.com/vega/${name} BSD-3-Clause, (c) Interactive Data Lab and contributors */\n${safe}`
    }),
  )
}
