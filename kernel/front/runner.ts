/**
 * Runs cells: checks them, hands them to the session, and passes on what the session says.
 *
 * One cell at a time. A session is started ahead of the first cell and, when one has died, for the next cell; the names
 * of the old one are then forgotten. Nothing here knows of Jupyter's messages.
 */
import type { Duplex } from 'node:stream'
import type { CellError, CellTask, CompiledCell, CommMessage, Outcome, SessionEvent, Task } from '../channel.js'
import { codeFrame, errorTitle } from '../code-frame.js'
import type { CellModule } from './language/cells.js'
import type { NotebookLanguage, Problem } from './language/notebook.js'
import type { StreamName } from './merge.js'
import { SessionProcess } from './session-process.js'

/** Where a session's output goes. Origins are the numbers that tasks were given, absent where none is known. */
export interface RunnerTarget {
  stream(name: StreamName, text: string, origin?: number): void
  display(event: Extract<SessionEvent, { kind: 'display' }>): void
  clear(wait: boolean, origin: number | undefined): void
  /** Asks the user; rejects with the reason where nobody can answer. */
  prompt(text: string, password: boolean, origin: number | undefined): Promise<string>
  comm(message: CommMessage, origin: number | undefined): void
  /** The session takes comms of this name from now on, or no longer. */
  commTarget(name: string, isRegistered: boolean): void
  /** A session has begun. */
  sessionStarted(): void
  /** Takes a cell before it runs, where it was asked to say so; resolves when it may. */
  compiled(cell: CompiledCell): Promise<void>
  /** The session is gone; the next cell starts a new one. */
  sessionEnded(): void
}

export type RunResult = Pick<Outcome, 'result' | 'error' | 'payload' | 'expressions'>

export interface RunnerOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly language: NotebookLanguage
  readonly target: RunnerTarget
}

export class Runner {
  private readonly options: RunnerOptions
  private session: SessionProcess | undefined
  private readonly work = new Map<number, string>()
  /** Called when background work ends, and when the session does. */
  private readonly watchers = new Set<() => void>()
  /** What the session was asked to do and has not ended yet, by origin. */
  private readonly tasks = new Map<number, { readonly kind: Task['kind']; end(ended: Ended): void }>()
  private readonly checks = new Set<() => void>()
  private lastOrigin = 0
  private isClosing = false

  constructor(options: RunnerOptions) {
    this.options = options
  }

  /** Starts the session and the language server ahead of their use. */
  prepare(): void {
    this.start()
    // A server that cannot start is told by the first check.
    this.options.language.prepare().catch(() => {})
  }

  /** The debugger's pipe to the session, which is started if need be. */
  debugPipe(): Duplex {
    return this.start().debug
  }

  /** Labels of background work that is still open. */
  openWork(): string[] {
    return [...this.work.values()]
  }

  /** Resolves true when no background work is open, and its output is passed on; false after `timeoutMs`. */
  async settled(timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      if (this.work.size === 0) {
        await this.ask({ kind: 'sync', origin: this.newOrigin() })
        // What just ended may have begun something else.
        if (this.work.size === 0) return true
      }
      const left = deadline - Date.now()
      if (left <= 0) return false
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer)
          this.watchers.delete(done)
          resolve()
        }
        const timer = setTimeout(done, Math.min(left, 2 ** 31 - 1))
        this.watchers.add(done)
      })
    }
  }

  /** A number for a request: what it causes in the session comes back with it. */
  newOrigin(): number {
    return ++this.lastOrigin
  }

  /** Checks and runs a cell. Never rejects: whatever goes wrong is the cell's error. */
  async run(cell: CellTask): Promise<RunResult> {
    const { code, label } = cell
    const { language } = this.options
    const module = language.moduleOf(code)
    const refused = await this.check(code, module, label)
    if (refused !== undefined) return { error: refused }
    const ended = await this.ask({ kind: 'execute', ...cell })
    if ('died' in ended) {
      language.forget()
      return { error: deathError(ended.died) }
    }
    const { defined, types, ...shown } = ended.outcome ?? { defined: [], types: {} }
    language.accept(module, new Set(defined), types)
    return shown
  }

  /** Hands a client's comm message to the session; resolves when its listeners have ended. */
  async comm(comm: CommMessage, origin: number): Promise<void> {
    await this.ask({ kind: 'comm', origin, comm })
  }

  /** Interrupts what runs: checks of cells, code of cells and of comms. With none there is nothing to interrupt. */
  interrupt(): void {
    for (const interrupt of this.checks) interrupt()
    if (this.isRunning()) this.session?.interrupt()
  }

  /** Ends the session. */
  async close(): Promise<void> {
    this.isClosing = true
    await this.session?.end()
  }

  /** The error of a cell that must not run, if there is one. */
  private async check(code: string, module: CellModule, label: string): Promise<CellError | undefined> {
    let interrupt = (): void => {}
    const interrupted = new Promise<'interrupted'>((resolve) => {
      interrupt = () => resolve('interrupted')
    })
    this.checks.add(interrupt)
    try {
      const problems = await Promise.race([this.options.language.check(code, module), interrupted])
      if (problems === 'interrupted') return simpleError('KeyboardInterrupt', 'The cell was interrupted.')
      return problems.length > 0 ? problemsError(code, label, problems) : undefined
    } catch (error) {
      const text = `This cell runs without a type check: ${error instanceof Error ? error.message : String(error)}\n`
      this.options.target.stream('stderr', text)
      return undefined
    } finally {
      this.checks.delete(interrupt)
    }
  }

  /** Whether code runs that an interrupt would end. */
  private isRunning(): boolean {
    return [...this.tasks.values()].some(({ kind }) => kind !== 'sync')
  }

  /** Gives the session a task; resolves when it has ended, or the session has. */
  private ask(task: Task): Promise<Ended> {
    const session = this.start()
    return new Promise((resolve) => {
      this.tasks.set(task.origin, { kind: task.kind, end: resolve })
      session.send(task)
    })
  }

  private start(): SessionProcess {
    if (this.session !== undefined) return this.session
    const session = new SessionProcess(this.options, {
      text: (name, text, origin) => this.options.target.stream(name, text, origin),
      event: (event) => this.event(session, event),
      work: (id, label) => {
        if (label === undefined) this.work.delete(id)
        else this.work.set(id, label)
        if (label === undefined) for (const watcher of this.watchers) watcher()
      },
      commTarget: (name, isRegistered) => this.options.target.commTarget(name, isRegistered),
      exit: (reason) => this.exited(session, reason),
    })
    this.session = session
    this.options.target.sessionStarted()
    return session
  }

  private event(session: SessionProcess, event: SessionEvent): void {
    switch (event.kind) {
      case 'display':
        return this.options.target.display(event)
      case 'input':
        this.options.target.prompt(event.text, event.password, event.origin).then(
          (text) => session.send({ kind: 'input', id: event.id, text }),
          (error: unknown) => {
            const reason = error instanceof Error ? error.message : String(error)
            session.send({ kind: 'input', id: event.id, reason })
          },
        )
        return
      case 'clear':
        return this.options.target.clear(event.wait, event.origin)
      case 'comm':
        return this.options.target.comm(event.comm, event.origin)
      case 'compiled':
        return void this.release(session, event)
      case 'done':
        return this.end(event.origin, { outcome: event.outcome })
      case 'handled':
        return this.end(event.origin, {})
      default:
        event satisfies never
    }
  }

  private async release(
    session: SessionProcess,
    { cell, origin = 0 }: Extract<SessionEvent, { kind: 'compiled' }>,
  ): Promise<void> {
    try {
      await this.options.target.compiled(cell)
    } catch (error) {
      this.options.target.stream('stderr', `This cell runs without breakpoints: ${String(error)}\n`, origin)
    }
    session.send({ kind: 'go', origin })
  }

  private end(origin: number | undefined, ended: Ended): void {
    const task = this.tasks.get(origin ?? 0)
    this.tasks.delete(origin ?? 0)
    task?.end(ended)
  }

  private exited(session: SessionProcess, reason: string): void {
    if (this.session !== session) return
    this.session = undefined
    this.work.clear()
    for (const watcher of this.watchers) watcher()
    const wasRunning = [...this.tasks.values()].some(({ kind }) => kind === 'execute')
    for (const origin of this.tasks.keys()) this.end(origin, { died: reason })
    this.options.target.sessionEnded()
    if (wasRunning || this.isClosing) return
    this.options.language.forget()
    this.options.target.stream('stderr', `${deathError(reason).evalue}\n`)
  }
}

type Ended = { readonly outcome?: Outcome } | { readonly died: string }

function simpleError(ename: string, evalue: string): CellError {
  return { ename, evalue, traceback: [errorTitle(ename, evalue)] }
}

function deathError(reason: string): CellError {
  return simpleError(
    'SessionEnded',
    `The session ended: ${reason}. All variables are lost; the next cell starts a new one.`,
  )
}

/** At most so many problems are shown in full: the first ones are usually the cause of the others. */
const shownProblems = 10

function problemsError(code: string, label: string, problems: readonly Problem[]): CellError {
  const first = problems[0]!
  const place = (problem: Problem): string => `${label}:${problem.start.line}:${problem.start.column}`
  const blocks = problems.slice(0, shownProblems).map((problem) => {
    const title = errorTitle(`${place(problem)} - ${problem.code}`, problem.message)
    return `${title}\n${codeFrame(code, problem.start, problem.end)}`
  })
  const more = problems.length - blocks.length
  return {
    ename: 'TypeScriptError',
    evalue: `${place(first)} - ${first.code}: ${first.message}`,
    traceback: [...blocks, ...(more > 0 ? [`… and ${more} more`] : [])],
  }
}
