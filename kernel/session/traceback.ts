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
import type { Script } from '../compile/compile.js'
import type { emit } from '../compile/emit.js'
import { originalPlaces } from '../source-map.js'

type Scripts = ReadonlyMap<string, Script>

const kernelFolder = new URL('..', import.meta.url).href

let emitModule: typeof emit | undefined

/** From now on, places in TypeScript modules on disk are found by `emit`, which is costly to load. */
export function mapModules(by: typeof emit): void {
  emitModule = by
}

/** Makes every stack name `Cell[3]:2:5` where the user's text in `scripts` is meant. */
export function mapStacks(scripts: Scripts): void {
  Error.prepareStackTrace = (error, frames) => {
    const lines = frames.filter((frame) => !isInside(frame.getFileName())).map((frame) => mapFrame(frame, scripts))
    return [headOf(error), ...lines.map((line) => `    at ${line}`)].join('\n')
  }
}

function isInside(file: string | null | undefined): boolean {
  return file?.startsWith(kernelFolder) === true || file?.startsWith('node:') === true
}

/** What a cell's error says. */
export function describeError(error: unknown, scripts: Scripts): CellError {
  try {
    return describe(error, scripts)
  } catch {
    // A proxy, or an error whose own properties throw: at least its title.
    const text = titleOf(error)
    return { ename: 'Thrown', evalue: text, traceback: [errorTitle('Thrown', text)] }
  }
}

/** The cell whose code is the nearest in an error's stack: `Cell[3]`. */
export function cellOf(error: unknown): string | undefined {
  try {
    return error instanceof Error ? /Cell\[\d+\]/.exec(error.stack ?? '')?.[0] : undefined
  } catch {
    // Its stack throws: there is nothing to say.
    return undefined
  }
}

function describe(error: unknown, scripts: Scripts): CellError {
  if (!(error instanceof Error)) {
    const text = typeof error === 'string' ? error : inspect(error)
    return { ename: 'Thrown', evalue: text, traceback: [errorTitle('Thrown', text)] }
  }
  const ename = nameOf(error)
  const evalue = error.message
  const details = detailsOf(error)
  return { ename, evalue, traceback: [errorTitle(ename, evalue), ...frameOf(details, scripts), ...details] }
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
function frameOf(details: readonly string[], scripts: Scripts): string[] {
  const [, label, line, column] = /(Cell\[\d+\]):(\d+):(\d+)/.exec(details.join('\n')) ?? []
  const source = [...scripts.values()].findLast((one) => one.label === label)
  return source === undefined ? [] : [codeFrame(source.source, { line: Number(line), column: Number(column) })]
}

function titleOf(error: unknown): string {
  try {
    return String(error)
  } catch (failure) {
    return `a value that cannot be shown: ${String(failure)}`
  }
}

/** The first line of a stack. Node traces plain objects too (`console.trace`), so it is what errors say, of whatever it is. */
function headOf(error: unknown): string {
  try {
    return Error.prototype.toString.call(error)
  } catch {
    return titleOf(error)
  }
}

function mapFrame(frame: NodeJS.CallSite, scripts: Scripts): string {
  const text = String(frame)
  const file = frame.getFileName()
  const at = { line: frame.getLineNumber() ?? 0, column: frame.getColumnNumber() ?? 0 }
  if (typeof file !== 'string') return text
  // The user's own modules carry the time of their last change.
  const path = file.replace(/\?v=[\d.]+$/, '')
  if (!/\.m?ts$/.test(path)) return text
  const script = scripts.get(path)
  const own = script === undefined ? moduleLine(path, at) : originalPlaces(script.maps)(at)
  if (own === undefined) return text
  return text.replace(`${file}:${at.line}:${at.column}`, `${script?.label ?? path}:${own.line}:${own.column}`)
}

/** The place in a TypeScript module on disk: emitted once more for its map, since that happened on another thread. */
function moduleLine(file: string, at: Place): Place | undefined {
  const path = file.startsWith('file:') ? fileURLToPath(file) : file
  if (path.includes('/node_modules/') || emitModule === undefined) return undefined
  try {
    return originalPlaces([emitModule(path, readFileSync(path, 'utf8')).map])(at)
  } catch {
    // The file is gone or broken by now: the place in the emitted code has to do.
    return undefined
  }
}
