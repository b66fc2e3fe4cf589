/**
 * Runs cells: finds their magics, checks their types, compiles them, and hands them to the session.
 *
 * Cells of one shell come one after the other, those of subshells beside them. When a session has died, its names are
 * forgotten. Nothing here knows of Jupyter's messages.
 */
import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ShardbookError } from '../../src/core/errors.js'
import type { CellError, CommMessage, Expressions, Outcome } from '../channel.js'
import type { Script } from '../compile/compile.js'
import { compile } from '../compile/compile.js'
import type { Magic } from '../compile/magics.js'
import { blankMagics, findMagics, isBlank } from '../compile/magics.js'
import { NotebookNames } from '../compile/names.js'
import { deathError, problemsError, simpleError } from './cell-errors.js'
import type { CellModule } from './language/cells.js'
import type { NotebookLanguage } from './language/notebook.js'
import { PrintLimit } from './print-limit.js'
import type { SessionsTarget } from './sessions.js'
import { Sessions } from './sessions.js'

export interface RunnerTarget extends Omit<SessionsTarget, 'sessionEnded'> {
  /** The session is gone; the next cell starts a new one. */
  sessionEnded(): void
}

/** A cell to run. */
export interface Cell {
  readonly origin: number
  /** `Cell[3]` */
  readonly label: string
  readonly code: string
  /** Whether the debugger takes it before it runs. */
  readonly isDebugged: boolean
  /** Expressions to evaluate when it has ended well, by name. */
  readonly expressions: Readonly<Record<string, string>>
}

export interface RunResult extends Pick<Outcome, 'result' | 'error' | 'payload'> {
  /** The values of the cell's expressions, where it ended well. */
  readonly expressions?: Expressions
}

export interface RunnerOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly language: NotebookLanguage
  readonly target: RunnerTarget
}

export class Runner {
  readonly sessions: Sessions
  private readonly options: RunnerOptions
  /** Interrupts the cells that are under way, wherever they are. */
  private readonly stops = new Set<AbortController>()
  private names = new NotebookNames()
  private readonly printLimit = new PrintLimit()
  /** The number of the last script. */
  private lastScript = 0

  constructor(options: RunnerOptions) {
    this.options = options
    const { target } = options
    this.sessions = new Sessions(options, {
      ...target,
      stream: (name, text, origin) => {
        const shown = this.printLimit.take(text)
        if (shown !== '') target.stream(name, shown, origin)
      },
      sessionEnded: (reason, isKnown) => {
        target.sessionEnded()
        // The cell that ran tells of it.
        if (isKnown) return
        this.forget()
        target.stream('stderr', `${deathError(reason).evalue}\n`)
      },
    })
  }

  /** Starts the session and the language server ahead of their use. */
  prepare(): void {
    this.sessions.start()
    // A server that cannot start is told by the first check.
    this.options.language.prepare().catch(() => {})
  }

  /** Checks and runs a cell. Never rejects: whatever goes wrong is the cell's error. */
  async run(cell: Cell): Promise<RunResult> {
    const stop = new AbortController()
    this.stops.add(stop)
    this.printLimit.begin()
    try {
      const magics = findMagics(cell.code, (name) => this.names.has(name))
      const problem = magics.find((magic) => magic.problem !== undefined)?.problem
      if (problem !== undefined) throw problem
      return (await this.runAlone(cell, magics)) ?? (await this.runMagics(cell, magics, stop.signal))
    } catch (error) {
      const { name, message } = error as Error
      return { error: simpleError(isInterrupt(error) ? 'KeyboardInterrupt' : name, message) }
    } finally {
      this.stops.delete(stop)
    }
  }

  /** Hands a client's comm message to the session; resolves when its listeners have ended. */
  async comm(comm: CommMessage, origin: number): Promise<void> {
    await this.sessions.ask({ kind: 'comm', origin, comm })
  }

  /** Interrupts what is under way: checks of cells, code of cells and of comms. With none there is nothing to interrupt. */
  interrupt(): void {
    for (const stop of this.stops) stop.abort(new ShardbookError('interrupted', 'The cell was interrupted.'))
    this.sessions.interrupt()
  }

  /** Magics that are the whole cell and run in the front. */
  private async runAlone({ origin }: Cell, magics: readonly Magic[]): Promise<RunResult | undefined> {
    const { name, argument = '' } = magics[0] ?? {}
    if (name === 'load') {
      const path = isAbsolute(argument) ? argument : join(this.options.cwd, argument)
      const text = await readFile(path, 'utf8').catch((cause: unknown) => {
        throw new ShardbookError('io', `%load: expected a readable file, got ${path}.`, { cause })
      })
      return { payload: [{ source: 'set_next_input', text, replace: true }] }
    }
    if (name !== 'reset') return undefined
    this.forget()
    await this.sessions.ask({ kind: 'reset', origin })
    return {}
  }

  /** Installs packages first where the cell begins with that: the rest may import them. */
  private async runMagics(cell: Cell, magics: readonly Magic[], signal: AbortSignal): Promise<RunResult> {
    const { code } = cell
    const { language } = this.options
    const count = leadingInstalls(code, magics)
    if (count > 0) {
      const installs = { ...cell, code: code.slice(0, magics[count - 1]!.end), expressions: {} }
      const { error } = await this.runCell(installs, magics.slice(0, count), signal)
      await unlessStopped(signal, () => language.reload())
      if (error !== undefined || (count === magics.length && isBlank(blankMagics(code, magics))))
        return error === undefined ? {} : { error }
    }
    const left = magics.map((magic, index) => (index < count ? { ...magic, isDone: true } : magic))
    const ended = await this.runCell(cell, left, signal)
    if (magics.slice(count).some(({ name }) => name === 'npm')) await language.reload()
    return ended
  }

  private async runCell(cell: Cell, magics: readonly Magic[], signal: AbortSignal): Promise<RunResult> {
    const { origin, code, isDebugged } = cell
    const { language, target } = this.options
    const module = language.moduleOf(blankMagics(code, magics))
    const { names } = this
    const checked = this.check(cell, module, signal)
    // The server has its question by then, and works on it meanwhile.
    const compiled = nextTurn().then(() => this.compile(cell, code, magics))
    // What the check says comes first.
    compiled.catch(() => {})
    const refused = await checked
    if (refused !== undefined) return { error: refused }
    const script = await compiled
    const ended = await this.sessions.ask({ kind: 'execute', origin, script, aliases: language.aliases, isDebugged })
    const notice = this.printLimit.notice()
    if (notice !== undefined) target.stream('stderr', notice, origin)
    if ('died' in ended) {
      this.forget()
      return { error: deathError(ended.died) }
    }
    const { defined, types, ...shown } = ended.outcome ?? { defined: [], types: {} }
    names.define(defined)
    language.accept(module, new Set(defined), types)
    return { ...shown, ...(shown.error === undefined ? { expressions: await this.evaluate(cell) } : {}) }
  }

  /** The values of a cell's expressions. */
  private async evaluate(cell: Cell): Promise<Expressions> {
    const scripts: Record<string, Script> = {}
    const failed: Record<string, Expressions[string]> = {}
    for (const [key, code] of Object.entries(cell.expressions)) {
      try {
        scripts[key] = this.compile(cell, code, [])
      } catch (error) {
        const { name, message } = error as Error
        failed[key] = { error: simpleError(name, message) }
      }
    }
    if (Object.keys(scripts).length === 0) return failed
    const ended = await this.sessions.ask({ kind: 'evaluate', origin: cell.origin, scripts })
    if (!('died' in ended)) return { ...failed, ...ended.values }
    const error = deathError(ended.died)
    return { ...failed, ...Object.fromEntries(Object.keys(scripts).map((key) => [key, { error }])) }
  }

  private compile({ label }: Cell, code: string, magics: readonly Magic[]): Script {
    const filename = join(this.options.cwd, `__cell_${++this.lastScript}.ts`)
    return compile(code, { label, filename, names: this.names, magics })
  }

  private forget(): void {
    this.names = new NotebookNames()
    this.options.language.forget()
  }

  /** The error of a cell that must not run, if there is one. */
  private async check(cell: Cell, module: CellModule, signal: AbortSignal): Promise<CellError | undefined> {
    try {
      const problems = await unlessStopped(signal, () => this.options.language.check(module))
      return problems.length > 0 ? problemsError(cell.code, cell.label, problems) : undefined
    } catch (error) {
      if (isInterrupt(error)) throw error
      const text = `This cell runs without a type check: ${error instanceof Error ? error.message : String(error)}\n`
      this.options.target.stream('stderr', text, cell.origin)
      return undefined
    }
  }
}

/** What `work` gives, unless an interrupt comes first. */
function unlessStopped<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
    work().then(resolve, reject)
  })
}

function isInterrupt(error: unknown): boolean {
  return error instanceof ShardbookError && error.code === 'interrupted'
}

/** How many of a cell's first magics install packages, with nothing but comments and blanks before them. */
function leadingInstalls(code: string, magics: readonly Magic[]): number {
  let count = 0
  for (const { name, start } of magics) {
    if (name !== 'npm' || !isBlank(blankMagics(code.slice(0, start), magics.slice(0, count)))) break
    count++
  }
  return count
}
