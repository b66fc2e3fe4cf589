/**
 * The notebook format: nbformat 4 as typed data, read and written without losing what we do not know.
 *
 * In memory every source and every text is one string; in the file they are lists of lines, as Jupyter writes them.
 */
import { readFile } from 'node:fs/promises'
import { UsageError } from '../command.js'

type Json = Record<string, unknown>

export interface Notebook extends Json {
  nbformat: 4
  nbformat_minor: number
  metadata: Json
  cells: Cell[]
}

export interface TextCell extends Json {
  cell_type: 'markdown' | 'raw'
  metadata: Json
  source: string
}

export interface CodeCell extends Json {
  cell_type: 'code'
  metadata: Json
  source: string
  outputs: Output[]
  execution_count: number | null
}

export type Cell = TextCell | CodeCell

export interface StreamOutput {
  output_type: 'stream'
  name: string
  text: string
}

export interface DataOutput {
  output_type: 'display_data' | 'execute_result'
  data: Json
  metadata: Json
  execution_count?: number | null
}

export interface ErrorOutput {
  output_type: 'error'
  ename: string
  evalue: string
  traceback: string[]
}

export type Output = StreamOutput | DataOutput | ErrorOutput

/**
 * Reads a notebook file.
 *
 * @throws UsageError when it is missing, unreadable, not JSON, not a notebook, or not nbformat 4.
 */
export async function readNotebook(path: string): Promise<Notebook> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String(error)
    throw new UsageError(`readNotebook: expected a notebook at ${path}, but ${reason}.`, { cause: error })
  }
  return parseNotebook(text, path)
}

/** The notebook that `text` holds; `path` names it in errors. */
export function parseNotebook(text: string, path: string): Notebook {
  const fail = (what: string, options: { hint?: string; cause?: unknown } = {}): never => {
    throw new UsageError(`readNotebook: expected an nbformat 4 notebook in ${path}, got ${what}.`, options)
  }
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch (error) {
    return fail(`text that is not JSON (${error instanceof Error ? error.message : String(error)})`, { cause: error })
  }
  if (!isObject(raw)) return fail('JSON that is not a notebook: no object at the top')
  if (typeof raw['nbformat'] !== 'number') return fail('JSON that is not a notebook: no number "nbformat"')
  if (raw['nbformat'] !== 4) {
    const hint = 'Convert it with: jupyter nbconvert --to notebook --nbformat 4'
    return fail(`nbformat ${raw['nbformat']}`, { hint })
  }
  if (!Array.isArray(raw['cells'])) return fail('JSON that is not a notebook: no list "cells"')
  const cells = raw['cells'].map((cell, index) => readCell(cell) ?? fail(`a malformed cell (number ${index + 1})`))
  return {
    ...raw,
    nbformat: 4,
    nbformat_minor: typeof raw['nbformat_minor'] === 'number' ? raw['nbformat_minor'] : 0,
    metadata: isObject(raw['metadata']) ? raw['metadata'] : {},
    cells,
  }
}

/** The language that a notebook says its cells are in, if it says so. */
export function languageOf(notebook: Notebook): string | undefined {
  const { kernelspec, language_info: info } = notebook.metadata
  const named =
    (isObject(info) ? info['name'] : undefined) ?? (isObject(kernelspec) ? kernelspec['language'] : undefined)
  return typeof named === 'string' ? named.toLowerCase() : undefined
}

/** The text of a notebook file. */
export function printNotebook(notebook: Notebook): string {
  const cells = notebook.cells.map((cell) => {
    const source = lines(cell.source)
    return cell.cell_type === 'code' ? { ...cell, source, outputs: cell.outputs.map(printOutput) } : { ...cell, source }
  })
  return `${JSON.stringify({ ...notebook, cells }, null, 1)}\n`
}

/** Whether a cell carries a tag. */
export function hasTag(cell: Cell, tag: string): boolean {
  const { tags } = cell.metadata
  return Array.isArray(tags) && tags.includes(tag)
}

function readCell(cell: unknown): Cell | undefined {
  if (!isObject(cell)) return undefined
  const source = joined(cell['source'])
  const metadata = isObject(cell['metadata']) ? cell['metadata'] : {}
  const type = cell['cell_type']
  if (source === undefined) return undefined
  if (type === 'markdown' || type === 'raw') return { ...cell, cell_type: type, source, metadata }
  if (type !== 'code') return undefined
  const list = cell['outputs'] ?? []
  if (!Array.isArray(list)) return undefined
  const outputs = list.map(readOutput)
  if (!outputs.every((output) => output !== undefined)) return undefined
  const count = cell['execution_count']
  return {
    ...cell,
    cell_type: 'code',
    source,
    metadata,
    outputs,
    execution_count: typeof count === 'number' ? count : null,
  }
}

function readOutput(output: unknown): Output | undefined {
  if (!isObject(output)) return undefined
  const type = output['output_type']
  if (type === 'stream') {
    return { output_type: type, name: String(output['name'] ?? 'stdout'), text: joined(output['text']) ?? '' }
  }
  if (type === 'error') {
    const trace = output['traceback']
    return {
      output_type: type,
      ename: String(output['ename'] ?? ''),
      evalue: String(output['evalue'] ?? ''),
      traceback: Array.isArray(trace) ? trace.map(String) : [],
    }
  }
  if (type !== 'display_data' && type !== 'execute_result') return undefined
  const data: Json = {}
  for (const [mime, value] of Object.entries(isObject(output['data']) ? output['data'] : {})) {
    data[mime] = isJsonMime(mime) ? value : (joined(value) ?? value)
  }
  const metadata = isObject(output['metadata']) ? output['metadata'] : {}
  const count = output['execution_count']
  return type === 'display_data'
    ? { output_type: type, data, metadata }
    : { output_type: type, data, metadata, execution_count: typeof count === 'number' ? count : null }
}

function printOutput(output: Output): Json {
  if (output.output_type === 'stream') return { ...output, text: lines(output.text) }
  if (output.output_type === 'error') return { ...output }
  const data: Json = {}
  for (const [mime, value] of Object.entries(output.data)) {
    const isText = typeof value === 'string' && (mime.startsWith('text/') || mime === 'image/svg+xml')
    data[mime] = isText ? lines(value) : value
  }
  return { ...output, data }
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** JSON MIME types hold any JSON value, so a list there is data and not the lines of a text. */
function isJsonMime(mime: string): boolean {
  return mime === 'application/json' || mime.endsWith('+json')
}

function joined(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return Array.isArray(value) && value.every((line) => typeof line === 'string') ? value.join('') : undefined
}

function lines(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/)
}
