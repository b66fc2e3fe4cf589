/**
 * One session process as the front sees it: it starts it, owns its fd 1 and 2, interrupts it, and tells how it ended.
 */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Duplex, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { FromSession, ToSession } from '../channel.js'
import { Decoder, descriptors, encode, markVariable } from '../channel.js'
import type { MergerTarget } from './merge.js'
import { Merger } from './merge.js'

export interface SessionTarget extends MergerTarget {
  /** Background work of the session began (`label` given) or ended. */
  work(id: number, label: string | undefined): void
  /** The session takes comms of this name from now on, or no longer. */
  commTarget(name: string, isRegistered: boolean): void
  /** The session is gone; `reason` says why. Nothing follows. */
  exit(reason: string): void
}

export interface SessionOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

const entry = fileURLToPath(new URL('../session/main.js', import.meta.url))

/** How long a session that was asked to end, or whose streams are still open after its end, is waited for. */
const graceMs = 1000

function spawnSession({ cwd, env }: SessionOptions): { readonly child: ChildProcess; readonly secret: string } {
  const secret = randomBytes(16).toString('hex')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry], {
    cwd,
    env: { ...env, [markVariable]: secret },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  })
  // Told when somebody asks: it has no process then.
  child.on('error', () => {})
  return { child, secret }
}

export class SessionProcess {
  readonly pid: number | undefined
  /** Resolves when the process is gone and what it printed is passed on. */
  readonly ended: Promise<void>
  private readonly child: ChildProcess
  /** The debugger's pipe. */
  readonly debug: Duplex
  private readonly interrupts: Duplex
  private readonly requests: Duplex
  private errorTail = ''
  /** Why the session says that it ends. */
  private confession: string | undefined

  constructor(options: SessionOptions, target: SessionTarget) {
    const { child, secret } = spawnSession(options)
    this.child = child
    this.pid = this.child.pid
    const pipes: readonly unknown[] = this.child.stdio
    this.interrupts = pipes[descriptors.interrupts] as Duplex
    this.requests = pipes[descriptors.requests] as Duplex
    this.debug = pipes[descriptors.debug] as Duplex
    const messages = pipes[descriptors.messages] as Duplex
    for (const pipe of [this.interrupts, this.requests, this.debug, messages]) {
      // They break when the session dies, which is told by `exit`; else a cell has closed them.
      pipe.on('error', () => {})
      pipe.on('end', () =>
        setTimeout(() => this.condemn("a cell closed one of the session's own pipes"), graceMs).unref(),
      )
    }
    for (const pipe of [this.interrupts, this.requests]) {
      // Nothing is read from it, but its end must be noticed.
      pipe.resume()
    }
    const merger = new Merger(secret, target)
    const stdout = this.child.stdout as Readable
    const stderr = this.child.stderr as Readable
    stdout.on('data', (chunk: Buffer) => merger.print('stdout', chunk))
    stderr.on('data', (chunk: Buffer) => {
      this.errorTail = (this.errorTail + chunk.toString('latin1')).slice(-4096)
      merger.print('stderr', chunk)
    })
    for (const [name, stream] of [
      ['stdout', stdout],
      ['stderr', stderr],
    ] as const) {
      stream.on('end', () => merger.close(name))
    }
    const decoder = new Decoder<FromSession>()
    messages.on('data', (chunk: Buffer) => {
      try {
        for (const message of decoder.push(chunk)) this.receive(message, merger, target)
      } catch (error) {
        // Only a cell that writes to the descriptor itself brings that about.
        this.condemn(`a cell wrote to the session's own pipe (${String(error)})`)
      }
    })
    this.ended = new Promise((resolve) => {
      let isOver = false
      const over = (reason: string): void => {
        if (isOver) return
        isOver = true
        merger.flush()
        target.exit(reason)
        resolve()
      }
      // What was sent last is still on its way when the process has gone.
      const streams = [stdout, stderr, messages].map((stream) => new Promise((closed) => stream.once('close', closed)))
      const exited = (code: number | null, signal: NodeJS.Signals | null): void => {
        const reason = this.reason(code, signal)
        void Promise.all(streams).then(() => over(reason))
        // A child of the session may keep the streams open.
        setTimeout(() => over(reason), graceMs).unref()
      }
      if (child.pid === undefined) setImmediate(() => over('it could not be started'))
      else child.on('exit', exited)
    })
  }

  send(message: ToSession): void {
    // A session that is gone tells so by its exit.
    if (this.requests.writable) this.requests.write(encode(message))
  }

  /** Interrupts what still runs, or has not begun, of the tasks up to this serial number. */
  interrupt(serial: number): void {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(serial)
    this.interrupts.write(bytes)
  }

  /** Asks the session to end, and ends it. */
  async end(): Promise<void> {
    this.requests.end()
    this.interrupts.end()
    const timer = setTimeout(() => this.child.kill('SIGKILL'), graceMs)
    await this.ended
    clearTimeout(timer)
  }

  /** Ends a session that cannot be talked with any more. */
  private condemn(reason: string): void {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.confession ??= reason
    this.child.kill('SIGKILL')
  }

  private receive(message: FromSession, merger: Merger, target: SessionTarget): void {
    switch (message.kind) {
      case 'ready':
        return
      case 'track':
        return target.work(message.id, message.label)
      case 'untrack':
        return target.work(message.id, undefined)
      case 'target':
        return target.commTarget(message.name, message.isRegistered)
      case 'broken':
        this.confession = message.reason
        return
      default:
        merger.event(message)
    }
  }

  private reason(code: number | null, signal: NodeJS.Signals | null): string {
    if (this.confession !== undefined) return this.confession
    if (/heap out of memory|Array buffer allocation failed/.test(this.errorTail)) return outOfMemory
    if (signal === 'SIGKILL') return `${byOutside(signal)}, as the system does when memory runs out`
    if (signal !== null) return crashes.has(signal) ? `native code crashed (signal ${signal})` : byOutside(signal)
    return `it exited with code ${code}`
  }
}

const outOfMemory =
  'it ran out of memory (NODE_OPTIONS=--max-old-space-size=8192, set where the kernel starts, gives it 8 GB)'

const crashes: ReadonlySet<NodeJS.Signals> = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP'])

function byOutside(signal: NodeJS.Signals): string {
  return `it was ended by the signal ${signal}`
}
