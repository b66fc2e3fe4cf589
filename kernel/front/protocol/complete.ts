/** `complete_request`: TypeScript's completions at the cursor. */
import { toCodePoints, toUtf16 } from '../language/position.js'
import type { Handler } from './handler.js'
import { numberField, textField } from './message.js'

export const complete: Handler = async (kernel, { content }) => {
  const code = textField(content, 'code')
  const cursor = numberField(content, 'cursor_pos', toCodePoints(code, code.length))
  const { start, items } = await kernel.language.complete(code, toUtf16(code, cursor))
  const from = toCodePoints(code, start)
  const types = items.map(({ kind, ...item }) => ({ ...item, type: kind, start: from, end: cursor }))
  return {
    status: 'ok',
    matches: items.map((item) => item.text),
    cursor_start: from,
    cursor_end: cursor,
    metadata: { _jupyter_types_experimental: types },
  }
}
