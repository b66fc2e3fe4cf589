/** Errors of DuckDB in our words. */
import { ShardbookError } from '../../../core/errors.js'
import { typeFromSql } from './sql-type.js'

/** What went wrong in a query, as an error that says what to do. */
export function explainFailure(cause: unknown): ShardbookError {
  if (cause instanceof ShardbookError) return cause
  const text = cause instanceof Error ? cause.message : String(cause)
  const own = /(?:read\.\w+|vector): .*/s.exec(text)
  if (text.startsWith('Invalid Input Error') && own !== null) return new ShardbookError('data', own[0], { cause })
  const csv = explainCsv(text)
  if (csv !== undefined) return new ShardbookError('data', csv, { cause })
  const [, kind = 'Error', message = text] = /^(\w[\w ]*?) Error: ([^\n]*)/.exec(text) ?? []
  switch (kind) {
    case 'Conversion':
    case 'Out of Range':
      return new ShardbookError('data', `frame: ${lowerFirst(message)}`, { cause })
    case 'IO':
      return new ShardbookError('io', `frame: ${lowerFirst(message)}`, { cause })
    case 'Out of Memory':
      return new ShardbookError('engine', `frame: ${lowerFirst(message)}`, { cause })
    case 'INTERRUPT':
      return new ShardbookError('interrupted', 'frame: the query was interrupted.', { cause })
    default:
      return new ShardbookError('engine', `frame: ${text.split('\n')[0]}`, { cause })
  }
}

/** What is wrong with a query that a user wrote. */
export function explainQuery(cause: unknown): ShardbookError {
  const text = cause instanceof Error ? cause.message : String(cause)
  const [, kind, message = text] = /^(\w+) Error:\s*(.*?)(?:\n\nLINE|$)/s.exec(text) ?? []
  if (!['Parser', 'Binder', 'Catalog', 'Conversion', 'Syntax'].includes(kind ?? '')) return explainFailure(cause)
  return new ShardbookError('argument', `frame.sql: ${lowerFirst(message.replaceAll(/\s+/g, ' ').trim())}`, { cause })
}

/** DuckDB's report on a bad CSV line, cut down to file, line and reason. */
function explainCsv(text: string): string | undefined {
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1]
  if (line === undefined) return undefined
  const original = /Original Line:\s*([^\n]*)/.exec(text)?.[1]
  const file = /file\s*=\s*([^\n]+)/.exec(text)?.[1]?.trim()
  const shown = original === undefined ? '' : ` (${original.slice(0, 120)})`
  return `read.csv: line ${line}${file === undefined ? '' : ` of ${file}`}: ${csvReason(text)}${shown}.`
}

function csvReason(text: string): string {
  const counts = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text)
  if (counts !== null) return `expected ${counts[1]} columns, got ${counts[2]}`
  const conversion = /converting column "([^"]*)"\. Could not convert string "([^"]*)" to '(\w+)'/.exec(text)
  if (conversion !== null) {
    const [, column = '', value = '', type = ''] = conversion
    return `expected ${typeFromSql(type).type.kind} in column '${column}', as in the lines before, got "${value}"; give its type: schema: { ${column}: 'string' }`
  }
  const reason = /Original Line:[^\n]*\n([^\n]+)/.exec(text)?.[1] ?? text.split('\n')[1] ?? 'it cannot be read'
  return lowerFirst(reason.trim().replace(/\.$/, ''))
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}
