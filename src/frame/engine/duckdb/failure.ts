/** Errors of DuckDB in our words. */
import { ShardbookError } from '../../../core/errors.js'
import { badJsonLine } from '../../io/bad-json-line.js'
import { originalOf } from '../../io/local-copy.js'
import { failureOf } from './apply.js'
import { badValue } from './bad-value.js'
import { typeFromSql } from './sql-type.js'

/** What went wrong in a query, as an error that says what to do. */
export function explainFailure(cause: unknown): ShardbookError {
  if (cause instanceof ShardbookError) return cause
  const text = cause instanceof Error ? cause.message : String(cause)
  const thrown = failureOf(text)
  if (thrown !== undefined) return thrown
  const own = /(?:read\.\w+|write\.\w+|vector): .*/s.exec(text)
  if (text.startsWith('Invalid Input Error') && own !== null) return new ShardbookError('data', own[0], { cause })
  const csv = explainCsv(text)
  if (csv !== undefined) return new ShardbookError('data', csv, { cause })
  const json = explainJson(text, cause)
  if (json !== undefined) return json
  const [, kind = 'Error', message = text] = /^(\w[\w ]*?) Error: ([^\n]*)/.exec(text) ?? []
  const value = badValue(message)
  if (value !== undefined) {
    return new ShardbookError('data', `frame: ${value.message}`, { ...(value.hint && { hint: value.hint }), cause })
  }
  switch (kind) {
    case 'Conversion':
    case 'Out of Range':
      return new ShardbookError('data', `frame: ${lowerFirst(message)}`, { cause })
    case 'IO':
      // A file is written beside the place where it will be.
      return new ShardbookError('io', `frame: ${sentence(message.replaceAll(/\.part-\d+-\w+/g, ''))}`, {
        ...(/no space left|disk quota/i.test(text) ? { hint: fullDiskHint } : {}),
        cause,
      })
    case 'Out of Memory': {
      const full = /failed to offload|no space left/i.test(text)
      const hint = full ? fullDiskHint : memoryHint
      return new ShardbookError(full ? 'io' : 'engine', `frame: ${lowerFirst(message)}`, { hint, cause })
    }
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

const fullDiskHint = 'The disk is full: free some space, or point SHARDBOOK_CACHE to another disk, where queries spill.'
const memoryHint = 'Give it more: SHARDBOOK_MEMORY=8GiB, or select fewer columns first.'

/** DuckDB's report on a bad line of JSON: file, line and reason. */
function explainJson(text: string, cause: unknown): ShardbookError | undefined {
  const [, file, line, reason = ''] =
    /(?:Malformed JSON|JSON transform error) in file "([^"]*)",.*? in line (\d+): ([^\n]*)/.exec(text) ?? []
  if (file === undefined) return undefined
  const cast = /Failed to cast value to (\w+): (.*)/.exec(reason)
  const why =
    cast === null
      ? lowerFirst(reason.trim().replace(/\.$/, ''))
      : `expected ${cast[1]}, as in the lines before, got ${cast[2]}; give the columns' types: schema: { … }`
  const message = `read.ndjson: line ${line} of ${originalOf(file)}: ${why}.`
  return badLine(file, cause) ?? new ShardbookError('data', message, { cause })
}

/** What is wrong with the first line of a file that is not a JSON object, if there is one. */
export function badLine(file: string, cause: unknown): ShardbookError | undefined {
  const bad = file.endsWith('.gz') ? undefined : badJsonLine(file)
  if (bad === undefined) return undefined
  const message = `read.ndjson: line ${bad.line} of ${originalOf(file)}: ${bad.reason} (${bad.text}).`
  return new ShardbookError('data', message, { cause })
}

/** DuckDB's report on a bad CSV line, cut down to file, line and reason. */
function explainCsv(text: string): string | undefined {
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1]
  if (line === undefined) return undefined
  const original = /Original Line:\s*([^\n]*)/.exec(text)?.[1]
  const file = /file\s*=\s*([^\n]+)/.exec(text)?.[1]?.trim()
  const shown = original === undefined ? '' : ` (${original.slice(0, 120)})`
  return `read.csv: line ${line}${file === undefined ? '' : ` of ${originalOf(file)}`}: ${csvReason(text)}${shown}.`
}

/** A reason of the CSV reader in our words. */
export function csvReason(text: string): string {
  const counts = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text)
  if (counts !== null) return `expected ${counts[1]} columns, got ${counts[2]}`
  const conversion = /converting column "([^"]*)"\. Could not convert string "([^"]*)" to '(\w+)'/.exec(text)
  if (conversion !== null) {
    const [, column = '', value = '', type = ''] = conversion
    return `expected ${typeFromSql(type).type.kind} in column '${column}', as in the lines before, got "${value}"; give its type: schema: { ${column}: 'string' }`
  }
  if (text.includes('Invalid unicode'))
    return `expected UTF-8 text, got other bytes; give the file's encoding, such as encoding: 'latin1'`
  if (text.includes('unterminated quote')) return 'expected a closing quote for the value that begins here, got none'
  const reason = /Original Line:[^\n]*\n([^\n]+)/.exec(text)?.[1] ?? text.split('\n')[1] ?? 'it cannot be read'
  return lowerFirst(reason.trim().replace(/\.$/, ''))
}

function sentence(text: string): string {
  return `${lowerFirst(text)}${/[.!?]$/.test(text) ? '' : '.'}`
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}
