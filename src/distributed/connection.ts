/** A connection: whole messages over an authenticated socket, in order. */
import type { Socket } from 'node:net'
import { ShardbookError } from '../core/errors.js'
import { encode, FrameReader, openLimits } from './codec.js'
import { dial } from './endpoint.js'
import { introduce } from './handshake.js'
import type { Claim } from './messages.js'

export class Connection<Incoming, Outgoing> {
  /** Resolves when the connection is over, with the error if one ended it. */
  readonly closed: Promise<Error | undefined>
  readonly #socket: Socket
  #error: Error | undefined

  /** Messages are delivered from now on; `socket` comes paused out of the handshake. */
  constructor(socket: Socket, onMessage: (message: Incoming) => void) {
    this.#socket = socket
    const reader = new FrameReader(openLimits)
    socket.on('data', (bytes: Buffer) => {
      try {
        let rest: Uint8Array = bytes
        while (rest.length > 0) {
          const { used, message } = reader.take(rest)
          rest = rest.subarray(used)
          if (message !== undefined) onMessage(message as Incoming)
        }
      } catch (error) {
        this.close(error instanceof Error ? error : new Error(String(error)))
      }
    })
    socket.on('error', (error) => (this.#error ??= error))
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        if (reader.midFrame)
          this.#error ??= new ShardbookError('pool', 'connection: closed in the middle of a message.')
        resolve(this.#error)
      })
      if (socket.destroyed) resolve(this.#error)
    })
    socket.resume()
  }

  /** Bytes that are not sent yet. */
  get backlogBytes(): number {
    return this.#socket.writableLength
  }

  /** Sends a message; leave its typed arrays unchanged. Sending on a closed connection does nothing: `closed` tells. */
  send(message: Outgoing): void {
    const chunks = encode(message)
    if (this.#socket.destroyed || !this.#socket.writable) return
    this.#socket.cork()
    for (const chunk of chunks) this.#socket.write(chunk)
    this.#socket.uncork()
  }

  /** Resolves when everything sent so far is on its way. */
  async drained(): Promise<void> {
    if (this.#socket.writableLength === 0 || this.#socket.destroyed) return
    await new Promise<void>((resolve) => this.#socket.write('', () => resolve()))
  }

  close(error?: Error): void {
    this.#error ??= error
    this.#socket.destroy()
  }

  /** Whether the connection alone keeps the process alive. */
  hold(keep: boolean): void {
    if (keep) this.#socket.ref()
    else this.#socket.unref()
  }
}

/** Connects to an endpoint and proves `claim`. The socket comes back paused. */
export async function connect(endpoint: string, secret: Buffer, claim: Claim): Promise<Socket> {
  const socket = await dial(endpoint, secret)
  await introduce(socket, secret, claim)
  return socket
}
