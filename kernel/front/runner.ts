/**
 * Runs cells: checks them, hands them to the session, and passes on what the session says.
 *
 * One cell at a time. A session is started ahead of the first cell and, when one has died, for the next cell; the names
 * of the old one are then forgotten. Nothing here knows of Jupyter's messages.
 */
import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { ShardbookError } from '../../src/core/errors.js'
import type { CellError, Outcome, SessionEvent, ToSession } from '../channel.js'
import { compile } from '../compile/compile.js'
import type { Magic } from '../compile/magics.js'
import { blankMagics, findMagics, isBlank } from '../compile/magics.js'
import { NotebookNames } from '../compile/names.js'
import { deathError, problemsError, simpleError } from './cell-errors.js'
import type { CellModule } from './language/cells.js'
import type { NotebookLanguage } from './language/notebook.js'
import type { StreamName } from './merge.js'
import { PrintLimit } from './print-limit.js'
import { SessionProcess } from './session-process.js'

export interface RunnerTarget {
  stream(name: StreamName, text: string): void
  display(event: Extract<SessionEvent, { kind: 'display' }>): void
  /** Asks the user; rejects with the reason where nobody can answer. */
  prompt(text: string, password: boolean): Promise<string>
}

export interface RunResult {
  readonly result?: Outcome['result']
  readonly error?: CellError
  /** Text that the client should put in the place of the cell. */
  readonly replacement?: string
}

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
  /** What waits for the end of the running cell, or for the session to be idle. */
  private readonly waiting = new Map<'done' | 'idle', (ended: Ended) => void>()
  /** Interrupts the running cell while the session does not work on it. */
  private stop: AbortController | undefined
  private isClosing = false
  private names = new NotebookNames()
  private readonly printLimit = new PrintLimit()
  /** The number of the last script that was sent. */
  private serial = 0

  constructor(options: RunnerOptions) {
    this.options = options
  }

  /** Starts the session and the language server ahead of their use. */
  prepare(): void {
    this.start()
    // A server that cannot start is told by the first check.
    this.options.language.prepare().catch(() => {})
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
        await this.ask({ kind: 'sync' })
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

  /** Checks and runs a cell. Never rejects: whatever goes wrong is the cell's error. */
  async run(code: string, label: string): Promise<RunResult> {
    this.printLimit.begin()
    this.stop = new AbortController()
    try {
      const magics = findMagics(code, (name) => this.names.has(name))
      const problem = magics.find((magic) => magic.problem !== undefined)?.problem
      if (problem !== undefined) throw problem
      return (await this.runAlone(magics)) ?? (await this.runMagics(code, label, magics))
    } catch (error) {
      const { name, message } = error as Error
      return { error: simpleError(name, message) }
    } finally {
      this.stop = undefined
    }
  }

  /** Interrupts what runs: the check of a cell, or its code. With no cell there is nothing to interrupt. */
  interrupt(): void {
    if (this.waiting.has('done')) this.session?.interrupt(this.serial)
    else this.stop?.abort()
  }

  /** Ends the session. */
  async close(): Promise<void> {
    this.isClosing = true
    await this.session?.end()
  }

  /** Magics that are the whole cell and run in the front. */
  private async runAlone(magics: readonly Magic[]): Promise<RunResult | undefined> {
    const { name, argument = '' } = magics[0] ?? {}
    if (name === 'load') {
      const path = isAbsolute(argument) ? argument : join(this.options.cwd, argument)
      const text = await readFile(path, 'utf8').catch((cause: unknown) => {
        throw new ShardbookError('io', `%load: expected a readable file, got ${path}.`, { cause })
      })
      return { replacement: text }
    }
    if (name !== 'reset') return undefined
    this.forget()
    await this.ask({ kind: 'reset' })
    return {}
  }

  /** Installs packages first where the cell begins with that: the rest may import them. */
  private async runMagics(code: string, label: string, magics: readonly Magic[]): Promise<RunResult> {
    const count = leadingInstalls(code, magics)
    if (count > 0) {
      const { error } = await this.runCell(code.slice(0, magics[count - 1]!.end), label, magics.slice(0, count))
      await this.options.language.reload()
      if (error !== undefined || (count === magics.length && isBlank(blankMagics(code, magics))))
        return error === undefined ? {} : { error }
    }
    const left = magics.map((magic, index) => (index < count ? { ...magic, isDone: true } : magic))
    const ended = await this.runCell(code, label, left)
    if (magics.slice(count).some(({ name }) => name === 'npm')) await this.options.language.reload()
    return ended
  }

  private async runCell(code: string, label: string, magics: readonly Magic[]): Promise<RunResult> {
    const { language, cwd } = this.options
    const plain = blankMagics(code, magics)
    const module = language.moduleOf(plain)
    const refused = await this.check(code, module, label)
    if (refused !== undefined) return { error: refused }
    const serial = ++this.serial
    const { names } = this
    const script = compile(code, { label, filename: join(cwd, `__cell_${serial}.ts`), names, magics })
    const ended = await this.ask({ kind: 'execute', serial, script })
    this.tellCut()
    if ('died' in ended) {
      this.forget()
      return { error: deathError(ended.died) }
    }
    const { result, error, defined, types } = ended.outcome
    names.define(defined)
    language.accept(module, new Set(defined), types)
    return { ...(result === undefined ? {} : { result }), ...(error === undefined ? {} : { error }) }
  }

  private print(name: StreamName, text: string): void {
    const shown = this.printLimit.take(text)
    if (shown !== '') this.options.target.stream(name, shown)
  }

  private tellCut(): void {
    const notice = this.printLimit.notice()
    if (notice !== undefined) this.options.target.stream('stderr', notice)
  }

  private forget(): void {
    this.names = new NotebookNames()
    this.options.language.forget()
  }

  /** The error of a cell that must not run, if there is one. */
  private async check(code: string, module: CellModule, label: string): Promise<CellError | undefined> {
    const { signal } = this.stop!
    const interrupted = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)))
    try {
      const problems = signal.aborted
        ? undefined
        : await Promise.race([this.options.language.check(module), interrupted])
      if (signal.aborted) return simpleError('KeyboardInterrupt', 'The cell was interrupted.')
      return problems !== undefined && problems.length > 0 ? problemsError(code, label, problems) : undefined
    } catch (error) {
      const text = `This cell runs without a type check: ${error instanceof Error ? error.message : String(error)}\n`
      this.options.target.stream('stderr', text)
      return undefined
    }
  }

  /** Sends something that ends with a `done` or `idle` event, or with the session's death. */
  private ask(message: Exclude<ToSession, { kind: 'input' }>): Promise<Ended> {
    const session = this.start()
    return new Promise((resolve) => {
      this.waiting.set(message.kind === 'execute' ? 'done' : 'idle', resolve)
      session.send(message)
    })
  }

  private start(): SessionProcess {
    if (this.session !== undefined) return this.session
    const session = new SessionProcess(this.options, {
      text: (name, text) => this.print(name, text),
      event: (event) => this.event(session, event),
      work: (id, label) => {
        if (label === undefined) this.work.delete(id)
        else this.work.set(id, label)
        if (label === undefined) for (const watcher of this.watchers) watcher()
      },
      exit: (reason) => this.exited(session, reason),
    })
    this.session = session
    return session
  }

  private event(session: SessionProcess, event: SessionEvent): void {
    switch (event.kind) {
      case 'display':
        return this.options.target.display(event)
      case 'input':
        this.options.target.prompt(event.text, event.password).then(
          (text) => session.send({ kind: 'input', id: event.id, text }),
          (error: unknown) => {
            const reason = error instanceof Error ? error.message : String(error)
            session.send({ kind: 'input', id: event.id, reason })
          },
        )
        return
      case 'done':
        return this.settle('done', { outcome: event.outcome })
      case 'idle':
        return this.settle('idle', { outcome: { defined: [], types: {} } })
      default:
        event satisfies never
    }
  }

  private settle(kind: 'done' | 'idle', ended: Ended): void {
    const resolve = this.waiting.get(kind)
    this.waiting.delete(kind)
    resolve?.(ended)
  }

  private exited(session: SessionProcess, reason: string): void {
    if (this.session !== session) return
    this.session = undefined
    this.work.clear()
    for (const watcher of this.watchers) watcher()
    const wasRunning = this.waiting.has('done')
    this.settle('done', { died: reason })
    this.settle('idle', { died: reason })
    if (wasRunning || this.isClosing) return
    this.forget()
    this.options.target.stream('stderr', `${deathError(reason).evalue}\n`)
  }
}

type Ended = { readonly outcome: Outcome } | { readonly died: string }

/** How many of a cell's first magics install packages, with nothing but comments and blanks before them. */
function leadingInstalls(code: string, magics: readonly Magic[]): number {
  let count = 0
  for (const { name, start } of magics) {
    if (name !== 'npm' || !isBlank(blankMagics(code.slice(0, start), magics.slice(0, count)))) break
    count++
  }
  return count
}
