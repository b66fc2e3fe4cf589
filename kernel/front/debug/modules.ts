/**
 * The user's own modules under the debugger: files that cells import. What runs was emitted from the file when it was
 * imported; emitting it once more gives the same text and its map.
 *
 * Breakpoints are set by the module's URL, so they hold before it is loaded, and in each of its versions.
 */
import { readFileSync, statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Place } from '../../code-frame.js'
import { emit } from '../../compile/emit.js'
import { packageRoot } from '../package-root.js'
import { originalPlaces } from '../../source-map.js'
import type { Inspector } from './inspector.js'
import type { Breakpoint } from './scripts.js'

interface Emitted {
  readonly mtimeMs: number
  original(place: Place): Place | undefined
  /** Where lines of what runs begin, and the user's line there. */
  readonly starts: readonly { readonly at: Place; readonly line: number }[]
}

/** Whether a path is that of a module of the user's. */
export function isModule(path: string): boolean {
  if (!/\.m?[jt]s$/.test(path) || path.includes('/node_modules/') || path.startsWith(`${packageRoot}dist/`))
    return false
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

export class Modules {
  private readonly emitted = new Map<string, Emitted>()
  /** V8's ids of the breakpoints that are set, and for which version of the file. */
  private readonly set = new Map<string, { readonly ids: readonly string[]; readonly mtimeMs: number }>()

  /** The user's place at a place of what runs. */
  original(path: string, place: Place): Place | undefined {
    return isModule(path) ? this.emit(path).original(place) : place
  }

  /** Sets a module's breakpoints, unless they are set; returns the lines at which it will stop. */
  async place(inspector: Inspector, path: string, wanted: readonly Breakpoint[], isNew: boolean): Promise<number[]> {
    const before = this.set.get(path)
    const { mtimeMs, starts } = this.emit(path)
    const lines = wanted.map(({ line }) => nearest(starts, line)?.line ?? line)
    if (!isNew && before?.mtimeMs === mtimeMs) return lines
    for (const breakpointId of before?.ids ?? []) await inspector.post('Debugger.removeBreakpoint', { breakpointId })
    const ids: string[] = []
    const urlRegex = `^${pathToFileURL(path).href.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(\\?v=.*)?$`
    for (const { line, condition = '' } of wanted) {
      const start = nearest(starts, line)
      if (start === undefined) continue
      const { at } = start
      const asked = { urlRegex, lineNumber: at.line - 1, columnNumber: at.column - 1, condition }
      const { breakpointId } = await inspector.post<{ breakpointId: string }>('Debugger.setBreakpointByUrl', asked)
      // Two that mean one place are one.
      if (!ids.includes(breakpointId)) ids.push(breakpointId)
    }
    this.set.set(path, { ids, mtimeMs })
    return lines
  }

  /** The session is gone, and what was set in it. */
  forget(): void {
    this.set.clear()
  }

  private emit(path: string): Emitted {
    const { mtimeMs } = statSync(path)
    const known = this.emitted.get(path)
    if (known?.mtimeMs === mtimeMs) return known
    const text = readFileSync(path, 'utf8')
    const { code, map } = path.endsWith('ts') ? emit(path, text) : { code: text, map: undefined }
    const original = map === undefined ? (place: Place) => place : originalPlaces([map])
    const starts = code.split('\n').flatMap((line, index) => {
      const at = { line: index + 1, column: line.search(/\S|$/) + 1 }
      const own = line.trim() === '' ? undefined : original(at)
      return own === undefined ? [] : [{ at, line: own.line }]
    })
    const emitted = { mtimeMs, original, starts }
    this.emitted.set(path, emitted)
    return emitted
  }
}

/** The first start at or behind a line of the user's. */
function nearest(starts: Emitted['starts'], line: number): Emitted['starts'][number] | undefined {
  return starts
    .filter((one) => one.line >= line)
    .reduce<Emitted['starts'][number] | undefined>((a, b) => (a === undefined || b.line < a.line ? b : a), undefined)
}
