/**
 * The cells that run under the debugger, and the breakpoints in them.
 *
 * A client sets breakpoints on a cell's text, whether it has run or not; each script that is compiled from that text gets
 * them, at the first place where V8 can stop that belongs to the line or to one behind it. A breakpoint in a module of the
 * user's is one of `Modules`.
 */
import { fileURLToPath } from 'node:url'
import type { Place } from '../../code-frame.js'
import type { Script } from '../../compile/compile.js'
import { originalPlaces } from '../../source-map.js'
import { cellPath } from './cell-path.js'
import type { Inspector, Location } from './inspector.js'
import { isModule, Modules } from './modules.js'

export interface Breakpoint {
  readonly line: number
  readonly condition?: string
}

export interface DebuggedScript extends Script {
  /** The client's name of the cell. */
  readonly path: string
  original(place: Place): Place | undefined
  /** V8's ids of the breakpoints that are set. */
  set: readonly string[]
}

/** V8's id of a script, once it has parsed it. */
interface ScriptId {
  readonly promise: Promise<string>
  resolve(id: string): void
}

interface Found {
  readonly file: string
  readonly cell: DebuggedScript | undefined
  readonly place: Place
  /** Whether the user wrote it. */
  readonly isOwn: boolean
}

export class Scripts {
  private readonly modules = new Modules()
  /** What clients want, by path. It outlives sessions. */
  readonly wanted = new Map<string, readonly Breakpoint[]>()
  private readonly byFile = new Map<string, DebuggedScript>()
  /** By V8's ids. */
  private readonly files = new Map<string, string>()
  private readonly ids = new Map<string, ScriptId>()

  /** The file of a script, the cell that it is, and the user's place at one of the script; absent for code of Node's. */
  find(scriptId: string, at: Place): Found | undefined {
    const file = this.files.get(scriptId)
    if (file === undefined) return undefined
    const cell = this.byFile.get(file)
    const place = cell === undefined ? this.modules.original(file, at) : cell.original(at)
    return place === undefined ? undefined : { file, cell, place, isOwn: cell !== undefined || isModule(file) }
  }

  /** The modules of the user's that are loaded. */
  loadedModules(): string[] {
    return [...new Set(this.files.values())].filter(isModule)
  }

  /** The text of the cell with this path. */
  codeOf(path: string): string | undefined {
    return [...this.byFile.values()].find((script) => script.path === path)?.source
  }

  /** V8 has parsed a script. */
  parsed(url: string, scriptId: string): void {
    const file = fileOf(url)
    this.files.set(scriptId, file)
    this.idOf(file).resolve(scriptId)
  }

  /** Takes a compiled cell and sets the breakpoints that are wanted in it. */
  async add(inspector: Inspector, script: Script): Promise<void> {
    const debugged = { ...script, path: cellPath(script.source), original: originalPlaces(script.maps), set: [] }
    this.byFile.set(script.filename, debugged)
    await this.place(inspector, debugged)
    // A new session has none, and a file that has changed has them elsewhere.
    for (const [path, wanted] of this.wanted) {
      if (isModule(path)) await this.modules.place(inspector, path, wanted, false)
    }
  }

  /** Replaces the breakpoints of a path; returns the lines at which it will stop. */
  async replace(inspector: Inspector | undefined, path: string, breakpoints: readonly Breakpoint[]): Promise<number[]> {
    this.wanted.set(path, breakpoints)
    const lines = breakpoints.map(({ line }) => line)
    if (inspector === undefined) return lines
    if (isModule(path)) return this.modules.place(inspector, path, breakpoints, true)
    let placed = lines
    for (const script of this.byFile.values()) if (script.path === path) placed = await this.place(inspector, script)
    return placed
  }

  /** The session with its scripts is gone. */
  forget(): void {
    this.modules.forget()
    this.byFile.clear()
    this.ids.clear()
    this.files.clear()
  }

  private async place(inspector: Inspector, script: DebuggedScript): Promise<number[]> {
    for (const breakpointId of script.set) await inspector.post('Debugger.removeBreakpoint', { breakpointId })
    script.set = []
    const wanted = this.wanted.get(script.path) ?? []
    if (wanted.length === 0) return []
    const scriptId = await this.idOf(script.filename).promise
    const start = { scriptId, lineNumber: 0, columnNumber: 0 }
    const { locations } = await inspector.post<{ locations: readonly Location[] }>('Debugger.getPossibleBreakpoints', {
      start,
    })
    const stops = locations.map((location) => ({ location, line: lineOf(script, location) }))
    const lines: number[] = []
    for (const { line, condition } of wanted) {
      const stop = stops
        .filter((one) => one.line !== undefined && one.line >= line)
        .reduce<(typeof stops)[number] | undefined>((a, b) => (a === undefined || b.line! < a.line! ? b : a), undefined)
      lines.push(stop?.line ?? line)
      if (stop === undefined) continue
      const { breakpointId } = await inspector.post<{ breakpointId: string }>('Debugger.setBreakpoint', {
        location: stop.location,
        ...(condition === undefined ? {} : { condition }),
      })
      script.set = [...script.set, breakpointId]
    }
    return lines
  }

  private idOf(file: string): ScriptId {
    const known = this.ids.get(file)
    if (known !== undefined) return known
    let resolve: ScriptId['resolve'] = () => {}
    const promise = new Promise<string>((one) => (resolve = one))
    const id = { promise, resolve }
    this.ids.set(file, id)
    return id
  }
}

/** The inspector names a file by its URL. */
function fileOf(url: string): string {
  return url.startsWith('file:') ? fileURLToPath(url) : url
}

/** The user's line at a place of a script. */
function lineOf(script: DebuggedScript, { lineNumber, columnNumber = 0 }: Location): number | undefined {
  return script.original({ line: lineNumber + 1, column: columnNumber + 1 })?.line
}
