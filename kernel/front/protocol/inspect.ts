/** `inspect_request`: the type and the documentation of what stands at the cursor; detail level 1 adds its source. */
import type { MimeBundle } from '../../../src/core/display.js'
import { toCodePoints, toUtf16 } from '../language/position.js'
import type { Handler } from './handler.js'
import { numberField, textField } from './message.js'

export const inspect: Handler = async (kernel, { content }) => {
  const code = textField(content, 'code')
  const cursor = numberField(content, 'cursor_pos', toCodePoints(code, code.length))
  const detail = content['detail_level'] === 1 ? 1 : 0
  const markdown = await kernel.language.inspect(code, toUtf16(code, cursor), detail)
  if (markdown === undefined) return { status: 'ok', found: false, data: {}, metadata: {} }
  return { status: 'ok', found: true, data: hoverBundle(markdown), metadata: {} }
}

/** Markdown, and the same as plain text. */
export function hoverBundle(markdown: string): MimeBundle {
  const text = markdown.replace(/^```\w*\n/gm, '').replace(/^```$/gm, '')
  return { 'text/plain': text, 'text/markdown': markdown }
}
