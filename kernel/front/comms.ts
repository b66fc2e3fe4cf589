/**
 * The comms that are open between the session and clients, as both sides must find them whatever happens to either.
 *
 * Comm messages do not queue behind cells: the session takes them whenever its main thread is free. Only a comm for a
 * target that nobody has registered yet waits, until a cell registers it or no cell is left that could.
 * When a session dies, open comms stay open, and a session that registers their target anew gets them again. Until then
 * there is nobody behind them, which a client that sends to one is told.
 */
import type { CommMessage } from '../channel.js'
import type { Request } from './protocol/message.js'

interface OpenComm {
  readonly opening: CommMessage
  /** The request that it was opened by, or in; absent where none is known. */
  readonly request: Request | undefined
  /** Whether the session that runs has an object for it. */
  isOwned: boolean
  /** Whether a client was told that there is none. */
  isTold: boolean
}

export interface CommsPort {
  /** Gives a message to the session; resolves when it is handled. */
  deliver(message: CommMessage, request: Request | undefined): Promise<void>
  /** Sends a message to all clients. */
  publish(message: CommMessage, request: Request | undefined): void
  /** Tells the one who sent the request what is wrong. */
  complain(text: string, request: Request): void
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
    return new Map([...this.open].map(([id, { opening }]) => [id, opening.target]))
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
      this.open.set(id, { opening: message, request, isOwned: true, isTold: false })
      return this.port.deliver(message, request)
    }
    await this.opening.get(id)
    const comm = this.open.get(id)
    if (comm === undefined) return this.port.log(`dropped a message to the comm ${JSON.stringify(id)}: it is not open`)
    if (step === 'close') this.open.delete(id)
    if (!comm.isOwned) await this.untilRegistered(comm.opening.target)
    if (comm.isOwned) return this.port.deliver(message, request)
    if (step === 'message' && !comm.isTold) {
      comm.isTold = true
      this.port.complain('The session that this belonged to has ended. Run its cell again.\n', request)
    }
  }

  /** Takes the session's message. */
  fromSession(message: CommMessage, request: Request | undefined): void {
    if (message.step === 'open') this.open.set(message.id, { opening: message, request, isOwned: true, isTold: false })
    else if (message.step === 'close') this.open.delete(message.id)
    this.port.publish(message, request)
  }

  /** The session takes comms of this name from now on, or no longer. */
  setTarget(name: string, isRegistered: boolean): void {
    if (!isRegistered) return void this.targets.delete(name)
    this.targets.add(name)
    for (const comm of this.open.values()) {
      if (comm.opening.target !== name || comm.isOwned) continue
      comm.isOwned = true
      void this.port.deliver(comm.opening, comm.request)
    }
    for (const tell of this.registered.get(name) ?? []) tell()
    this.registered.delete(name)
  }

  /** The session is gone; returns how many comms are open that nobody stands behind now. */
  sessionEnded(): number {
    this.targets.clear()
    for (const comm of this.open.values()) Object.assign(comm, { isOwned: false, isTold: false })
    return this.open.size
  }

  private async untilRegistered(target: string): Promise<void> {
    if (this.targets.has(target)) return
    const tells = this.registered.get(target) ?? new Set()
    this.registered.set(target, tells)
    let tell = (): void => {}
    const told = new Promise<void>((resolve) => tells.add((tell = resolve)))
    await Promise.race([told, this.port.quiet()])
    tells.delete(tell)
  }
}
