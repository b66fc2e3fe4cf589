/**
 * The door of a worker: the endpoint on which the previous rank of a ring calls.
 *
 * Peers may call before this worker knows of the new ring; their sockets wait for it. Calls for an older ring are
 * turned away, so a process that was replaced cannot get back in.
 */
import type { Socket } from 'node:net'
import { connect } from './connection.js'
import { listen, type Listener } from './endpoint.js'
import { greet } from './handshake.js'
import { RingBroken, type RingLinks } from './ring.js'

const joinMs = 30_000

export class RingDoor {
  /** Where it is reached. */
  readonly endpoint: string
  readonly #secret: Buffer
  readonly #listener: Listener
  #generation = 0
  /** Callers of the present and later rings, by generation and rank. */
  #callers = new Map<string, Socket>()
  #expected: { caller: string; resolve: (socket: Socket) => void } | undefined

  private constructor(listener: Listener, secret: Buffer) {
    this.endpoint = listener.endpoint
    this.#listener = listener
    this.#secret = secret
  }

  static async open(endpoint: string, secret: Buffer): Promise<RingDoor> {
    const opened: RingDoor[] = []
    const listener = await listen(endpoint, secret, (socket) => {
      for (const door of opened) void door.#admit(socket)
    })
    opened.push(new RingDoor(listener, secret))
    return opened[0]!
  }

  /** Joins the ring of a generation: calls the next rank and waits for the previous one. */
  async join(options: {
    generation: number
    rank: number
    peers: readonly string[]
    signal: AbortSignal
  }): Promise<RingLinks | undefined> {
    const { generation, rank, peers, signal } = options
    this.#generation = generation
    this.#forgetOlder()
    const workers = peers.length
    if (workers === 1) return undefined
    const previousRank = (rank + workers - 1) % workers
    const limit = AbortSignal.any([signal, AbortSignal.timeout(joinMs)])
    const opened: Socket[] = []
    try {
      const keep = (socket: Socket): Socket => {
        opened.push(socket)
        if (limit.aborted) socket.destroy()
        return socket
      }
      const [next, previous] = await Promise.race([
        Promise.all([
          connect(peers[(rank + 1) % workers]!, this.#secret, { role: 'ring', rank, generation }).then(keep),
          this.#caller(`${generation} ${previousRank}`).then(keep),
        ]),
        new Promise<never>((_, reject) => {
          limit.addEventListener('abort', () => reject(new RingBroken('halted, or a peer did not call in time.')), {
            once: true,
          })
        }),
      ])
      return { next, previous }
    } catch (error) {
      for (const socket of opened) socket.destroy()
      throw error instanceof RingBroken ? error : new RingBroken('could not be built.', error)
    } finally {
      this.#expected = undefined
    }
  }

  close(): void {
    this.#listener.close()
    for (const socket of this.#callers.values()) socket.destroy()
    this.#callers.clear()
  }

  async #admit(socket: Socket): Promise<void> {
    try {
      const claim = await greet(socket, this.#secret, (claimed) => {
        if (claimed.role !== 'ring') return `expected a rank of a ring, got a ${claimed.role}.`
        return claimed.generation < this.#generation
          ? `expected a ring of generation ${this.#generation}, got ${claimed.generation}.`
          : undefined
      })
      if (claim.role !== 'ring') return
      const caller = `${claim.generation} ${claim.rank}`
      if (this.#expected?.caller === caller) {
        this.#expected.resolve(socket)
        this.#expected = undefined
        return
      }
      this.#callers.get(caller)?.destroy()
      this.#callers.set(caller, socket)
    } catch (error) {
      process.stderr.write(`turned a caller away: ${error instanceof Error ? error.message : String(error)}\n`)
    }
  }

  async #caller(caller: string): Promise<Socket> {
    const waiting = this.#callers.get(caller)
    this.#callers.delete(caller)
    return waiting ?? (await new Promise<Socket>((resolve) => (this.#expected = { caller, resolve })))
  }

  #forgetOlder(): void {
    for (const [caller, socket] of this.#callers) {
      if (Number(caller.split(' ')[0]) >= this.#generation) continue
      socket.destroy()
      this.#callers.delete(caller)
    }
  }
}
