/** `is_complete_request`: whether a console should run the text or ask for another line. */
import { blankMagics, findMagics } from '../../compile/magics.js'
import { isIncomplete, parseCell } from '../../syntax.js'
import type { Handler } from './handler.js'
import { textField } from './message.js'

export const isComplete: Handler = (_kernel, { content }) => {
  const cell = textField(content, 'code')
  const code = blankMagics(
    cell,
    findMagics(cell, () => false),
  )
  if (parseCell(code, 'ts').problems.length === 0) return { status: 'complete' }
  if (!isIncomplete(code)) return { status: 'invalid' }
  return { status: 'incomplete', indent: '  '.repeat(openBrackets(code)) }
}

function openBrackets(code: string): number {
  const bare = code.replace(/\/\*[^]*?\*\/|\/\/.*|(["'`])(?:\\.|(?!\1)[^\\])*\1/g, '')
  const opened = bare.match(/[([{]/g)?.length ?? 0
  const closed = bare.match(/[)\]}]/g)?.length ?? 0
  return Math.max(0, opened - closed)
}
