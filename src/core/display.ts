/**
 * How a value shows itself in a notebook: a method under `Symbol.for('Jupyter.display')` that returns MIME bundles
 * (the convention that Deno and nodejs-polars follow).
 */

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

export function isDisplayable(value: unknown): value is Displayable {
  return (
    typeof value === 'object' && value !== null && typeof (value as Partial<Displayable>)[displaySymbol] === 'function'
  )
}
