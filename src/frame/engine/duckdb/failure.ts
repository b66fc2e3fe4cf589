/** Errors of DuckDB in our words. */
import { ShardbookError } from '../../../core/errors.js'

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

/** DuckDB's report on a bad CSV line, cut down to file, line and reason. */
function explainCsv(text: string): string | undefined {
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1]
  if (line === undefined) return undefined
  const original = /Original Line:\s*([^\n]*)/.exec(text)?.[1]
  const reason = (/Original Line:[^\n]*\n([^\n]+)/.exec(text)?.[1] ?? text.split('\n')[1] ?? 'it cannot be read').trim()
  const file = /file\s*=\s*([^\n]+)/.exec(text)?.[1]?.trim()
  return `read.csv: line ${line}${file === undefined ? '' : ` of ${file}`}: ${lowerFirst(reason.replace(/\.$/, ''))}${original === undefined ? '' : ` (${original.slice(0, 120)})`}.`
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}
