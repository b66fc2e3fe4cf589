/**
 * Errors as a notebook shows them: the cell's own lines, a code frame, no frames of the kernel or of Node's inside.
 *
 * Stacks are put right where V8 formats them, so `error.stack`, `console.error` and inspected errors all read alike.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { ShardbookError } from '../../src/core/errors.js'
import type { CellError } from '../channel.js'
import type { Place } from '../code-frame.js'
import { codeFrame, errorTitle } from '../code-frame.js'
import { originalPlaces } from '../source-map.js'
import { emit } from './emit.js'
import type { CellSource } from './evaluator.js'

type Sources = ReadonlyMap<string, CellSource>

const kernelFolder = new URL('..', import.meta.url).href

/** Makes every stack name `Cell[3]:2:5` where the user's text in `sources` is meant. */
export function mapStacks(sources: Sources): void {
  Error.prepareStackTrace = (error, frames) => {
    const lines = frames.filter((frame) => !isInside(frame.getFileName())).map((frame) => mapFrame(frame, sources))
    return [titleOf(error), ...lines.map((line) => `    at ${line}`)].join('\n')
  }
}

function isInside(file: string | null | undefined): boolean {
  return file?.startsWith(kernelFolder) === true || file?.startsWith('node:') === true
}

/** What a cell's error says. */
export function describeError(error: unknown, sources: Sources): CellError {
  if (!(error instanceof Error)) {
    const text = typeof error === 'string' ? error : inspect(error)
    return { ename: 'Thrown', evalue: text, traceback: [errorTitle('Thrown', text)] }
  }
  const ename = nameOf(error)
  const evalue = error.message
  const details = detailsOf(error)
  return { ename, evalue, traceback: [errorTitle(ename, evalue), ...frameOf(details, sources), ...details] }
}

function nameOf(error: Error): string {
  if (error instanceof ShardbookError && error.code === 'interrupted') return 'KeyboardInterrupt'
  return error.name || error.constructor.name
}

/** The stack, the causes and the extra properties: all that inspecting shows beyond the title. */
function detailsOf(error: Error): string[] {
  try {
    const lines = inspect(error, { depth: 4 }).split('\n')
    const first = lines.findIndex((line) => /^\s+(at |\[)/.test(line))
    return first < 0 ? [] : [lines.slice(first).join('\n')]
  } catch (failure) {
    return [`and it cannot be shown: ${String(failure)}`]
  }
}

/** The code around the first place that lies in a cell. */
function frameOf(details: readonly string[], sources: Sources): string[] {
  const [, label, line, column] = /(Cell\[\d+\]):(\d+):(\d+)/.exec(details.join('\n')) ?? []
  const source = [...sources.values()].findLast((one) => one.label === label)
  return source === undefined ? [] : [codeFrame(source.code, { line: Number(line), column: Number(column) })]
}

function titleOf(error: Error): string {
  try {
    return String(error)
  } catch (failure) {
    return `Error that cannot be shown: ${String(failure)}`
  }
}

function mapFrame(frame: NodeJS.CallSite, sources: Sources): string {
  const text = String(frame)
  const file = frame.getFileName()
  const at = { line: frame.getLineNumber() ?? 0, column: frame.getColumnNumber() ?? 0 }
  if (typeof file !== 'string' || !/\.m?ts$/.test(file)) return text
  const cell = sources.get(file)
  const own = cell === undefined ? moduleLine(file, at) : originalPlaces(cell.maps)(at)
  if (own === undefined) return text
  return text.replace(`${file}:${at.line}:${at.column}`, `${cell?.label ?? file}:${own.line}:${own.column}`)
}

/** The place in a TypeScript module on disk: emitted once more for its map, since that happened on another thread. */
function moduleLine(file: string, at: Place): Place | undefined {
  const path = file.startsWith('file:') ? fileURLToPath(file) : file
  if (path.includes('/node_modules/')) return undefined
  try {
    return originalPlaces([emit(path, readFileSync(path, 'utf8')).map])(at)
  } catch {
    // The file is gone or broken by now: the place in the emitted code has to do.
    return undefined
  }
}
