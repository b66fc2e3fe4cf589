/** `inspect_request`: the type and the documentation of what stands at the cursor. */
import { toCodePoints, toUtf16 } from '../language/position.js'
import type { Handler } from './handler.js'
import { numberField, textField } from './message.js'

export const inspect: Handler = async (kernel, { content }) => {
  const code = textField(content, 'code')
  const cursor = numberField(content, 'cursor_pos', toCodePoints(code, code.length))
  const markdown = await kernel.language.inspect(code, toUtf16(code, cursor))
  if (markdown === undefined) return { status: 'ok', found: false, data: {}, metadata: {} }
  const text = markdown.replace(/^```\w*\n/gm, '').replace(/^```$/gm, '')
  return { status: 'ok', found: true, data: { 'text/plain': text, 'text/markdown': markdown }, metadata: {} }
}
