/**
 * The session that runs now: started ahead of the first task and, when one has died, for the next; it gets tasks, and what
 * it says is passed on. Nothing here knows of types or of Jupyter's messages.
 */
import type { Duplex } from 'node:stream'
import type { CommMessage, Expressions, Outcome, SessionEvent, Task } from '../channel.js'
import type { Script } from '../compile/compile.js'
import type { StreamName } from './merge.js'
import type { SessionOptions } from './session-process.js'
import { SessionProcess } from './session-process.js'

/** Where a session's output goes. Origins are the numbers that tasks were given, absent where none is known. */
export interface SessionsTarget {
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
  /** Takes a cell that V8 has before it runs, where it was asked to say so; resolves when it may. */
  loaded(script: Script): Promise<void>
  /** The session is gone; the next task starts a new one. */
  sessionEnded(reason: string, wasRunning: boolean): void
}

/** A task before it has its serial number. */
export type NewTask = Task extends infer T ? (T extends Task ? Omit<T, 'serial'> : never) : never

/** How a task ended. */
export type Ended = { readonly outcome?: Outcome; readonly values?: Expressions } | { readonly died: string }

export class Sessions {
  private readonly options: SessionOptions
  private readonly target: SessionsTarget
  private session: SessionProcess | undefined
  /** Labels of background work. */
  private readonly work = new Map<number, string>()
  /** Called when background work ends, and when the session does. */
  private readonly watchers = new Set<() => void>()
  /** What the session was asked to do and has not ended yet, by origin. */
  private readonly tasks = new Map<number, { readonly task: NewTask; end(ended: Ended): void }>()
  private lastOrigin = 0
  private lastSerial = 0
  private isClosing = false

  constructor(options: SessionOptions, target: SessionsTarget) {
    this.options = options
    this.target = target
  }

  /** A number for a request: what it causes in the session comes back with it. */
  newOrigin(): number {
    return ++this.lastOrigin
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

  /** Gives the session a task; resolves when it has ended, or the session has. */
  ask(task: NewTask): Promise<Ended> {
    const session = this.start()
    return new Promise((resolve) => {
      this.tasks.set(task.origin, { task, end: resolve })
      session.send({ ...task, serial: ++this.lastSerial })
    })
  }

  /** Interrupts all tasks that were given so far. */
  interrupt(): void {
    const isRunning = [...this.tasks.values()].some(({ task }) => task.kind !== 'sync')
    if (isRunning) this.session?.interrupt(this.lastSerial)
  }

  /** Ends the session. */
  async close(): Promise<void> {
    this.isClosing = true
    await this.session?.end()
  }

  /** Starts a session if none runs. */
  start(): SessionProcess {
    if (this.session !== undefined) return this.session
    const session = new SessionProcess(this.options, {
      text: (name, text, origin) => this.target.stream(name, text, origin),
      event: (event) => this.event(session, event),
      work: (id, label) => {
        if (label === undefined) this.work.delete(id)
        else this.work.set(id, label)
        if (label === undefined) for (const watcher of this.watchers) watcher()
      },
      commTarget: (name, isRegistered) => this.target.commTarget(name, isRegistered),
      exit: (reason) => this.exited(session, reason),
    })
    this.session = session
    this.target.sessionStarted()
    return session
  }

  private event(session: SessionProcess, event: SessionEvent): void {
    switch (event.kind) {
      case 'display':
        return this.target.display(event)
      case 'input':
        this.target.prompt(event.text, event.password, event.origin).then(
          (text) => session.send({ kind: 'input', id: event.id, text }),
          (error: unknown) => {
            const reason = error instanceof Error ? error.message : String(error)
            session.send({ kind: 'input', id: event.id, reason })
          },
        )
        return
      case 'clear':
        return this.target.clear(event.wait, event.origin)
      case 'comm':
        return this.target.comm(event.comm, event.origin)
      case 'loaded':
        return void this.release(session, event.origin ?? 0)
      case 'done':
        return this.end(event.origin, { outcome: event.outcome })
      case 'values':
        return this.end(event.origin, { values: event.values })
      case 'handled':
        return this.end(event.origin, {})
      default:
        event satisfies never
    }
  }

  private async release(session: SessionProcess, origin: number): Promise<void> {
    try {
      const task = this.tasks.get(origin)?.task
      if (task?.kind === 'execute') await this.target.loaded(task.script)
    } catch (error) {
      this.target.stream('stderr', `This cell runs without breakpoints: ${String(error)}\n`, origin)
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
    const wasRunning = [...this.tasks.values()].some(({ task }) => task.kind === 'execute')
    for (const origin of this.tasks.keys()) this.end(origin, { died: reason })
    this.target.sessionEnded(reason, wasRunning || this.isClosing)
  }
}
