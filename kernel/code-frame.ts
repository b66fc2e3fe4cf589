/** The lines of a cell around a place, with a pointer under it, in ANSI colours: what an error shows first. */

const red = (text: string): string => `\u001b[31m${text}\u001b[39m`
const dim = (text: string): string => `\u001b[2m${text}\u001b[22m`

/** A place in a cell: 1-based line and column (in UTF-16 units), as V8 counts. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** The frame around `start`, underlined up to `end` where that is on the same line. */
export function codeFrame(source: string, start: Place, end?: Place): string {
  const lines = source.split('\n')
  const first = Math.max(1, start.line - 2)
  const last = Math.min(lines.length, start.line + 1)
  const width = String(last).length
  const out: string[] = []
  for (let number = first; number <= last; number++) {
    const text = lines[number - 1] ?? ''
    const gutter = dim(`${String(number).padStart(width)} | `)
    if (number !== start.line) {
      out.push(`  ${gutter}${text}`)
      continue
    }
    const stop = end !== undefined && end.line === start.line ? end.column : start.column + 1
    // Tabs keep their width, so that the pointer stays under its character.
    const indent = text.slice(0, start.column - 1).replace(/[^\t]/g, ' ')
    out.push(`${red('>')} ${gutter}${text}`)
    out.push(`  ${dim(`${' '.repeat(width)} | `)}${indent}${red('^'.repeat(Math.max(1, stop - start.column)))}`)
  }
  return out.join('\n')
}

/** `Name: message` with the name in red. */
export function errorTitle(name: string, message: string): string {
  return message === '' ? red(name) : `${red(name)}: ${message}`
}
