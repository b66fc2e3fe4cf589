/**
 * How a value shows itself in a notebook: a method under `Symbol.for('Jupyter.display')` that returns MIME bundles
 * (the convention that Deno and nodejs-polars follow).
 */
import { inspect } from 'node:util'
import { valueHtml } from './value-html.js'

/** MIME type to content: text, base64 (binary types) or a JSON value (`+json` types). */
export type MimeBundle = Readonly<Record<string, unknown>>

export const displaySymbol: unique symbol = Symbol.for('Jupyter.display') as never

/** A value that renders itself. */
export interface Displayable {
  [displaySymbol](): MimeBundle | Promise<MimeBundle>
}

/** A value that knows its own static type: TypeScript text that refers to names of the package by `import('shardbook')`. */
export const typeSymbol: unique symbol = Symbol.for('shardbook.type') as never
export interface SelfTyped {
  [typeSymbol](): string
}

function isDisplayable(value: unknown): value is Displayable {
  return (
    typeof value === 'object' && value !== null && typeof (value as Partial<Displayable>)[displaySymbol] === 'function'
  )
}

/**
 * The bundle that shows `value`: its own where it renders itself, else its text, with a tree or table where it is nested. Never rejects: a display method that
 * fails is told to `onError` and the text stands in. The result is plain data: text, base64 and JSON values. An empty
 * bundle stays empty: the value does not want to be shown.
 */
export async function bundleOf(
  value: unknown,
  onError: (error: unknown) => void = (error) => console.error(error),
): Promise<MimeBundle> {
  try {
    if (isDisplayable(value)) {
      const bundle = await value[displaySymbol]()
      const plain = Object.fromEntries(Object.entries(bundle).map(([type, content]) => [type, plainContent(content)]))
      const isWhole = 'text/plain' in plain || Object.keys(plain).length === 0
      return isWhole ? plain : { ...plain, 'text/plain': textOf(value) }
    }
    const html = valueHtml(value)
    if (html !== undefined) return { 'text/html': html, 'text/plain': textOf(value) }
  } catch (error) {
    onError(error)
  }
  return { 'text/plain': textOf(value) }
}

/** Bytes become base64 and everything else JSON, here, where the display method's mistake can still be reported. */
function plainContent(content: unknown): unknown {
  if (typeof content === 'string') return content
  if (content instanceof Uint8Array) {
    return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('base64')
  }
  return JSON.parse(JSON.stringify(content)) as unknown
}

function textOf(value: unknown): string {
  try {
    return inspect(value)
  } catch (error) {
    return `[${typeof value} that cannot be shown: ${String(error)}]`
  }
}
