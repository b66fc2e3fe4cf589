/** One output of a cell as HTML: the richest form that the page can show. */
import { isObject, type Output } from '../notebook/notebook.js'
import { escapeHtml } from '../../core/html.js'
import { escapeJson } from './escape.js'
import { frameStyle } from './style.js'
import { terminalTextToHtml } from './terminal-text.js'

type Bundle = Record<string, unknown>

/** HTML of an output; `markdown` renders markdown outputs. */
export function renderOutput(output: Output, markdown: (source: string) => string): string {
  if (output.output_type === 'stream') {
    const name = output.name === 'stderr' ? 'stderr' : 'stdout'
    return `<pre class="stream ${name}">${terminalTextToHtml(output.text)}</pre>`
  }
  if (output.output_type === 'error') {
    const trace = output.traceback.length > 0 ? output.traceback.join('\n') : `${output.ename}: ${output.evalue}`
    return `<pre class="error">${terminalTextToHtml(trace)}</pre>`
  }
  return renderBundle(output.data, markdown)
}

function renderBundle(data: Bundle, markdown: (source: string) => string): string {
  const chart = chartOf(data)
  if (chart !== undefined) {
    const still = stillOf(data) ?? `<pre>${escapeHtml(String(data['text/plain'] ?? ''))}</pre>`
    return `<figure class="chart" data-kind="${chart.kind}"><script type="application/json">${escapeJson(chart.spec)}</script><noscript>${still}</noscript></figure>`
  }
  const html = data['text/html']
  if (typeof html === 'string') return frame(html)
  const still = stillOf(data)
  if (still !== undefined) return `<figure>${still}</figure>`
  const prose = data['text/markdown'] ?? data['text/latex']
  if (typeof prose === 'string') return `<div class="prose">${markdown(prose)}</div>`
  const text = data['text/plain']
  if (typeof text === 'string') return `<pre class="value">${terminalTextToHtml(text)}</pre>`
  const json = Object.entries(data).find(([mime]) => mime.endsWith('json'))?.[1]
  if (json !== undefined) return `<pre class="value">${escapeHtml(JSON.stringify(json, null, 2))}</pre>`
  return `<pre class="value">${escapeHtml(Object.keys(data).join(', '))}</pre>`
}

/** The Vega-Lite or Vega specification of a bundle, newest version first. */
function chartOf(data: Bundle): { kind: 'vega-lite' | 'vega'; spec: unknown } | undefined {
  for (const kind of ['vega-lite', 'vega'] as const) {
    const mime = new RegExp(`^application/vnd\\.${kind.replace('-', '')}\\.v(\\d+)(?:\\+json)?$`)
    const [newest] = Object.keys(data)
      .filter((name) => mime.test(name) && isObject(data[name]))
      .sort((a, b) => Number(mime.exec(b)![1]) - Number(mime.exec(a)![1]))
    if (newest !== undefined) return { kind, spec: data[newest] }
  }
  return undefined
}

/** An image of a bundle; SVG goes in as an image too, so that no script in it runs. */
function stillOf(data: Bundle): string | undefined {
  const alt = escapeHtml(String(data['text/plain'] ?? 'output'))
  for (const mime of ['image/png', 'image/jpeg', 'image/webp', 'image/gif']) {
    const image = data[mime]
    if (typeof image === 'string')
      return `<img src="data:${mime};base64,${escapeHtml(image.replace(/\s+/g, ''))}" alt="${alt}">`
  }
  const svg = data['image/svg+xml']
  if (typeof svg !== 'string') return undefined
  return `<img src="data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}" alt="${alt}">`
}

/** HTML in a frame of its own: no scripts, no effect on the page; `frameScript` gives it its height. */
function frame(html: string): string {
  const document = `<!doctype html><meta charset="utf-8"><style>${frameStyle}</style><body>${html}`
  return `<iframe sandbox="allow-same-origin" srcdoc="${escapeHtml(document)}" title="HTML output"></iframe>`
}
