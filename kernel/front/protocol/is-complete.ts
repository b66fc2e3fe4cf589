/** `is_complete_request`: whether a console should run the text or ask for another line. */
import { parseCell } from '../../syntax.js'
import type { Handler } from './handler.js'
import { textField } from './message.js'

export const isComplete: Handler = (_kernel, { content }) => {
  const code = textField(content, 'code')
  const problem = parseCell(code, 'ts').problems[0]
  if (problem === undefined) return { status: 'complete' }
  // What the parser misses at the very end may still come; anything before it cannot be mended by more lines.
  const end = code.trimEnd().length
  const isOpen = /^Unterminated (string|multiline)/.test(problem.message)
    ? /^[`/]/.test(code.slice(problem.labels[0]?.start))
    : (problem.labels[0]?.start ?? 0) >= end
  if (!isOpen) return { status: 'invalid' }
  return { status: 'incomplete', indent: '  '.repeat(openBrackets(code)) }
}

function openBrackets(code: string): number {
  const bare = code.replace(/\/\*[^]*?\*\/|\/\/.*|(["'`])(?:\\.|(?!\1)[^\\])*\1/g, '')
  const opened = bare.match(/[([{]/g)?.length ?? 0
  const closed = bare.match(/[)\]}]/g)?.length ?? 0
  return Math.max(0, opened - closed)
}
