/**
 * The comms that are open between the session and clients, as both sides must find them whatever happens to either.
 *
 * Comm messages do not queue behind cells: the session takes them whenever its main thread is free. Only a comm for a
 * target that nobody has registered yet waits, until a cell registers it or no cell is left that could.
 * When a session dies, the comms that it opened are closed, since the objects behind them are gone; those that a client
 * opened stay, and a session that registers their target anew gets them again.
 */
import type { CommMessage } from '../channel.js'
import type { Request } from './protocol/message.js'

interface OpenComm {
  readonly target: string
  /** The client's opening; absent where the session opened it. */
  readonly opening?: { readonly message: CommMessage; readonly request: Request }
}

export interface CommsPort {
  /** Gives a message to the session; resolves when it is handled. */
  deliver(message: CommMessage, request: Request): Promise<void>
  /** Sends a message to all clients. */
  publish(message: CommMessage, request: Request | undefined): void
  /** Resolves when no cell runs or waits. */
  quiet(): Promise<void>
  log(text: string): void
}

export class Comms {
  private readonly port: CommsPort
  private readonly open = new Map<string, OpenComm>()
  private readonly targets = new Set<string>()
  private readonly registered = new Map<string, Set<() => void>>()
  /** Openings that wait for their target, by comm. */
  private readonly opening = new Map<string, Promise<void>>()

  constructor(port: CommsPort) {
    this.port = port
  }

  /** The open comms: their targets by their ids. */
  list(): Map<string, string> {
    return new Map([...this.open].map(([id, { target }]) => [id, target]))
  }

  /** Takes a client's message; resolves when the session has handled it. */
  async fromClient(message: CommMessage, request: Request): Promise<void> {
    const { step, id, target } = message
    if (step === 'open') {
      const opening = this.untilRegistered(target)
      this.opening.set(id, opening)
      await opening
      this.opening.delete(id)
      if (!this.targets.has(target)) {
        this.port.log(`closed a comm for ${JSON.stringify(target)}: no such target is registered`)
        return this.port.publish({ ...message, step: 'close', data: {}, metadata: {}, buffers: [] }, request)
      }
      this.open.set(id, { target, opening: { message, request } })
      return this.port.deliver(message, request)
    }
    await this.opening.get(id)
    const comm = this.open.get(id)
    if (comm === undefined) return this.port.log(`dropped a message to the comm ${JSON.stringify(id)}: it is not open`)
    if (step === 'close') this.open.delete(id)
    await this.untilRegistered(comm.opening === undefined ? undefined : comm.target)
    return this.port.deliver(message, request)
  }

  /** Takes the session's message. */
  fromSession(message: CommMessage, request: Request | undefined): void {
    if (message.step === 'open') this.open.set(message.id, { target: message.target })
    else if (message.step === 'close') this.open.delete(message.id)
    this.port.publish(message, request)
  }

  /** The session takes comms of this name from now on, or no longer. */
  setTarget(name: string, isRegistered: boolean): void {
    if (!isRegistered) return void this.targets.delete(name)
    const isNew = !this.targets.has(name)
    this.targets.add(name)
    if (isNew) {
      for (const { target, opening } of this.open.values()) {
        if (target === name && opening !== undefined) void this.port.deliver(opening.message, opening.request)
      }
    }
    for (const tell of this.registered.get(name) ?? []) tell()
    this.registered.delete(name)
  }

  /** The session is gone: closes what it had opened; returns how many comms that were. */
  sessionEnded(): number {
    this.targets.clear()
    const lost = [...this.open].filter(([, { opening }]) => opening === undefined)
    for (const [id, { target }] of lost) {
      this.open.delete(id)
      this.port.publish({ step: 'close', id, target, data: {}, metadata: {}, buffers: [] }, undefined)
    }
    return lost.length
  }

  private async untilRegistered(target: string | undefined): Promise<void> {
    if (target === undefined || this.targets.has(target)) return
    const tells = this.registered.get(target) ?? new Set()
    this.registered.set(target, tells)
    let tell = (): void => {}
    const told = new Promise<void>((resolve) => tells.add((tell = resolve)))
    await Promise.race([told, this.port.quiet()])
    tells.delete(tell)
  }
}
