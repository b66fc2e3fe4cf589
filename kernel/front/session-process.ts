/**
 * One session process as the front sees it: it starts it, owns its fd 1 and 2, interrupts it, and tells how it ended.
 */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Duplex, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { FromSession, ToSession } from '../channel.js'
import { markVariable } from '../channel.js'
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

export class SessionProcess {
  readonly pid: number | undefined
  /** Resolves when the process is gone and what it printed is passed on. */
  readonly ended: Promise<void>
  private readonly child: ChildProcess
  /** The debugger's pipe. */
  readonly debug: Duplex
  private readonly interrupts: Duplex
  private errorTail = ''

  constructor(options: SessionOptions, target: SessionTarget) {
    const secret = randomBytes(16).toString('hex')
    this.child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry], {
      cwd: options.cwd,
      env: { ...options.env, [markVariable]: secret },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe', 'pipe'],
      serialization: 'advanced',
    })
    this.pid = this.child.pid
    this.interrupts = this.child.stdio[4] as Duplex
    // Nothing is read from it, but its end must be noticed.
    this.interrupts.resume()
    // The pipe breaks when the session dies; its end is told by `exit`.
    this.interrupts.on('error', () => {})
    this.debug = (this.child.stdio as readonly unknown[])[5] as Duplex
    this.debug.on('error', () => {})
    const merger = new Merger(secret, target)
    const stdout = this.child.stdout as Readable
    const stderr = this.child.stderr as Readable
    stdout.on('data', (chunk: Buffer) => merger.print('stdout', chunk))
    stderr.on('data', (chunk: Buffer) => {
      this.errorTail = (this.errorTail + chunk.toString('latin1')).slice(-4096)
      merger.print('stderr', chunk)
    })
    this.child.on('message', (message) => {
      const event = message as FromSession
      if (event.kind === 'ready') return
      if (event.kind === 'track') target.work(event.id, event.label)
      else if (event.kind === 'untrack') target.work(event.id, undefined)
      else if (event.kind === 'target') target.commTarget(event.name, event.isRegistered)
      else merger.event(event)
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
      this.child.on('error', (error) => over(`it could not be started: ${error.message}`))
      // Node's own 'close' never comes once we have disconnected, hence exit and both streams.
      const streams = [stdout, stderr].map((stream) => new Promise((closed) => stream.once('close', closed)))
      this.child.on('exit', (code, signal) => {
        const reason = this.reason(code, signal)
        void Promise.all(streams).then(() => over(reason))
        // A child of the session may keep the streams open.
        setTimeout(() => over(reason), graceMs).unref()
      })
    })
  }

  send(message: ToSession): void {
    // A session that is gone tells so by its exit.
    if (this.child.connected) this.child.send(message, () => {})
  }

  interrupt(): void {
    this.interrupts.write('i')
  }

  /** Asks the session to end, and ends it. */
  async end(): Promise<void> {
    if (this.child.connected) this.child.disconnect()
    this.interrupts.end()
    const timer = setTimeout(() => this.child.kill('SIGKILL'), graceMs)
    await this.ended
    clearTimeout(timer)
  }

  private reason(code: number | null, signal: NodeJS.Signals | null): string {
    if (/heap out of memory|Array buffer allocation failed/.test(this.errorTail)) return 'it ran out of memory'
    if (signal !== null) return `it was ended by the signal ${signal}`
    return `it exited with code ${code}`
  }
}
