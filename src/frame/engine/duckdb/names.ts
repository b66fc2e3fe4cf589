/**
 * Quoting. Everything that a user names or writes goes into SQL through here and nowhere else.
 *
 * DuckDB folds the case of identifiers, JavaScript does not: columns whose names differ only in case get a number at the end.
 */
import type { Schema } from '../../schema.js'

/** A quoted identifier. */
export function quoteName(name: string): string {
  // DuckDB ends identifiers at a NUL character, and refuses empty ones.
  return `"${(name === '' ? ' ' : name).replaceAll('\0', '\u2400').replaceAll('"', '""')}"`
}

/** A string literal. Backslashes mean nothing in it; only the quote is doubled. */
export function quoteString(text: string): string {
  const parts = text.split('\0').map((part) => `'${part.replaceAll("'", "''")}'`)
  return parts.length === 1 ? parts[0]! : `(${parts.join(' || chr(0) || ')})`
}

/** The quoted SQL name of each column of a schema, in order: distinct even when case is folded. */
export function sqlNames(schema: Schema): readonly string[] {
  const taken = new Set<string>()
  return schema.map(({ name }) => {
    const base = name.startsWith(internalPrefix) ? ` ${name}` : name
    let candidate = base
    for (let n = 2; taken.has(fold(candidate)); n++) candidate = `${base} ${n}`
    taken.add(fold(candidate))
    return quoteName(candidate)
  })
}

/** Column names that begin so are the printer's own. */
export const internalPrefix = '__sb_'

function fold(name: string): string {
  return quoteName(name).toLowerCase().toUpperCase().toLowerCase()
}
