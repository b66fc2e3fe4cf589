/** The first line of a file that is not a JSON object: DuckDB names a line near it, which helps nobody. */
import { closeSync, openSync, readSync } from 'node:fs'

export interface BadLine {
  /** From 1. */
  readonly line: number
  readonly text: string
  readonly reason: string
}

/** Looks through a file of plain text, in bounded memory; `undefined` when every line is an object. */
export function badJsonLine(path: string): BadLine | undefined {
  const descriptor = openSync(path, 'r')
  const block = Buffer.alloc(2 ** 20)
  let rest = Buffer.alloc(0)
  let line = 0
  try {
    for (;;) {
      const bytesRead = readSync(descriptor, block)
      const text = Buffer.concat([rest, block.subarray(0, bytesRead)])
      let from = 0
      for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10, from)) {
        const bad = judge(text.toString('utf8', from, end), ++line)
        if (bad !== undefined) return bad
        from = end + 1
      }
      rest = Buffer.from(text.subarray(from))
      if (bytesRead === 0) return judge(rest.toString('utf8'), line + 1)
    }
  } finally {
    closeSync(descriptor)
  }
}

function judge(text: string, line: number): BadLine | undefined {
  if (text.trim() === '') return undefined
  const shown = text.trim().slice(0, 120)
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? undefined : { line, text: shown, reason: 'expected an object' }
  } catch (cause) {
    const [reason = ''] = String(cause instanceof Error ? cause.message : cause).split(/ at position|, "/)
    return { line, text: shown, reason: reason.replace(/^./, (first) => first.toLowerCase()) }
  }
}
