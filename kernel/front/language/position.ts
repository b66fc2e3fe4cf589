/** Jupyter counts characters in code points, TypeScript and JavaScript in UTF-16 units, its server in lines of those. */
import type { LspPosition } from './server.js'

/** The UTF-16 offset of the code point number `codePoints`. */
export function toUtf16(text: string, codePoints: number): number {
  let offset = 0
  for (let n = 0; n < codePoints && offset < text.length; n++) offset += text.codePointAt(offset)! > 0xffff ? 2 : 1
  return offset
}

/** How many code points lie before the UTF-16 offset. */
export function toCodePoints(text: string, offset: number): number {
  let count = 0
  for (let at = 0; at < offset && at < text.length; count++) at += text.codePointAt(at)! > 0xffff ? 2 : 1
  return count
}

/** The server's position of an offset. */
export function positionAt(text: string, offset: number): LspPosition {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length - 1, character: before.at(-1)!.length }
}

/** The offset of a server's position; beyond the text it is the end. */
export function offsetAt(text: string, position: LspPosition): number {
  let start = 0
  for (let line = 0; line < position.line; line++) {
    const end = text.indexOf('\n', start)
    if (end < 0) return text.length
    start = end + 1
  }
  return Math.min(start + position.character, text.length)
}
