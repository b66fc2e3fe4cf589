/**
 * Terminal text as HTML: colours and weights of ANSI escape sequences, carriage returns and backspaces.
 *
 * Colours 0-15 become classes, so that the page's theme decides; the 256-colour cube and RGB become inline colours.
 */
import { escapeHtml } from '../../core/html.js'

interface Pen {
  fg?: string
  bg?: string
  bold?: boolean
  dim?: boolean
  italic?: boolean
  underline?: boolean
  inverse?: boolean
}

/** What a terminal would show of `text`, as HTML. */
export function terminalTextToHtml(text: string): string {
  let html = ''
  let pen: Pen = {}
  // Sequences other than SGR (cursor moves, links, titles) are dropped: a page has no cursor.
  // oxlint-disable-next-line no-control-regex
  const parts = overwritten(text).split(/(\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_])/)
  parts.forEach((part, index) => {
    if (index % 2 === 0) html += span(part, pen)
    else if (part.startsWith('\x1b[') && part.endsWith('m')) pen = apply(pen, part.slice(2, -1))
  })
  return html
}

/** The text without escape sequences, as a log shows it. */
export function plainText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return overwritten(text).replace(/\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g, '')
}

/** Progress bars rewrite their line: only what stands there at last is kept. */
function overwritten(text: string): string {
  if (!/[\r\b]/.test(text)) return text
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  return lines
    .map((line) => {
      const kept = line.replace(/\r+$/, '')
      let shown = kept.slice(kept.lastIndexOf('\r') + 1)
      while (/[^\b][\b]/.test(shown)) shown = shown.replace(/[^\b][\b]/g, '')
      return shown.replaceAll('\b', '')
    })
    .join('\n')
}

function span(text: string, pen: Pen): string {
  if (text === '') return ''
  const [fg, bg] = pen.inverse === true ? [pen.bg ?? 'base', pen.fg ?? 'text'] : [pen.fg, pen.bg]
  const classes = (['bold', 'dim', 'italic', 'underline'] as const)
    .filter((name) => pen[name] === true)
    .map((n) => `t-${n}`)
  const styles: string[] = []
  for (const [kind, colour] of [
    ['fg', fg],
    ['bg', bg],
  ] as const) {
    if (colour === undefined) continue
    if (colour.startsWith('#')) styles.push(`${kind === 'fg' ? 'color' : 'background'}:${colour}`)
    else classes.push(`t-${kind}-${colour}`)
  }
  if (classes.length + styles.length === 0) return escapeHtml(text)
  const attributes = [
    classes.length > 0 ? ` class="${classes.join(' ')}"` : '',
    styles.length > 0 ? ` style="${styles.join(';')}"` : '',
  ]
  return `<span${attributes.join('')}>${escapeHtml(text)}</span>`
}

/** The pen after an SGR sequence (`1;31`). */
function apply(before: Pen, sequence: string): Pen {
  let pen: Pen = { ...before }
  const codes = sequence.split(/[;:]/).map(Number)
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!
    if (code === 0) pen = {}
    else if (code === 1) pen.bold = true
    else if (code === 2) pen.dim = true
    else if (code === 3) pen.italic = true
    else if (code === 4) pen.underline = true
    else if (code === 7) pen.inverse = true
    else if (code === 22) pen.bold = pen.dim = false
    else if (code === 23) pen.italic = false
    else if (code === 24) pen.underline = false
    else if (code === 27) pen.inverse = false
    else if (code >= 30 && code <= 37) pen.fg = String(code - 30)
    else if (code >= 90 && code <= 97) pen.fg = String(code - 82)
    else if (code === 39) delete pen.fg
    else if (code >= 40 && code <= 47) pen.bg = String(code - 40)
    else if (code >= 100 && code <= 107) pen.bg = String(code - 92)
    else if (code === 49) delete pen.bg
    else if (code === 38 || code === 48) {
      const colour =
        codes[i + 1] === 5 ? cube(codes[i + 2]) : codes[i + 1] === 2 ? rgb(codes.slice(i + 2, i + 5)) : undefined
      i += codes[i + 1] === 5 ? 2 : 4
      if (colour !== undefined) pen[code === 38 ? 'fg' : 'bg'] = colour
    }
  }
  return pen
}

/** A colour of the 256-colour palette: 16 named, a 6x6x6 cube, 24 greys. */
function cube(index: number | undefined): string | undefined {
  if (index === undefined || !(index >= 0 && index <= 255)) return undefined
  if (index < 16) return String(index)
  if (index >= 232) return rgb([0, 0, 0].map(() => 8 + (index - 232) * 10))
  const level = (step: number): number => (step === 0 ? 0 : 55 + step * 40)
  const cell = index - 16
  return rgb([Math.floor(cell / 36), Math.floor(cell / 6) % 6, cell % 6].map(level))
}

function rgb(channels: readonly number[]): string | undefined {
  if (channels.length !== 3 || !channels.every((channel) => channel >= 0 && channel <= 255)) return undefined
  return `#${channels.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`
}
