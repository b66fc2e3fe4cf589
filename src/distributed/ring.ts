/**
 * The ring all-reduce: adds a vector up over all ranks, in place, with the same bits on every rank and in every run.
 *
 * The vector is cut into as many segments as there are ranks. In the first W - 1 turns (reduce-scatter) each rank sends
 * one segment on and adds the one that arrives, so that it ends with one segment summed over all; in the next W - 1
 * turns (all-gather) the sums go round. A segment is always added up in the order of the ring, whatever the timing.
 *
 * Each segment travels behind a prefix that names generation, turn, step and size: a rank that is elsewhere is found out
 * before a number is added. The prefix also carries the newest control of any rank (see `control.ts`), which has been
 * everywhere when the first half is over. When a link breaks, the pending call and all later ones reject.
 *
 * Patarasuk, Yuan: Bandwidth optimal all-reduce algorithms for clusters of workstations (2009).
 */
import type { Socket } from 'node:net'
import { ShardbookError } from '../core/errors.js'
import { modes, type Control } from './control.js'

/** Sockets to the next rank (written) and from the previous one (read). */
export interface RingLinks {
  readonly next: Socket
  readonly previous: Socket
}

/** The ring is gone: a peer died or the coordinator halted it. The step in flight is repeated on the next ring. */
export class RingBroken extends ShardbookError {
  constructor(reason: string, cause?: unknown) {
    super('pool', `ring: ${reason}`, { cause })
  }
}

const prefixWords = 8
const magic = 0x474e4952
/** Floats that are added at once: small enough to overlap with the transfer of those behind them. */
const blockFloats = 32_768

export class Ring {
  readonly #rank: number
  readonly #workers: number
  readonly #generation: number
  readonly #links: RingLinks | undefined
  readonly #incoming: ExactReader | undefined
  readonly #block = new Float32Array(blockFloats)
  #turn = 0
  #broken: RingBroken | undefined

  /** `links` is left out for a ring of one. */
  constructor(options: { rank: number; workers: number; generation: number; links?: RingLinks | undefined }) {
    this.#rank = options.rank
    this.#workers = options.workers
    this.#generation = options.generation
    this.#links = options.links
    if (options.links === undefined) return
    const { next, previous } = options.links
    this.#incoming = new ExactReader(previous)
    for (const socket of [next, previous]) {
      socket.on('error', (error) => this.break(`a peer's connection failed: ${error.message}`, error))
      socket.on('close', () => this.break('a peer closed its connection.'))
    }
    // Nothing arrives on `next`; reading it is how its end is noticed.
    next.resume()
  }

  /**
   * Adds `vector` up over all ranks, in place. All ranks call it for the same step with the same length.
   *
   * @returns the newest control that any rank knew when it called.
   * @throws RingBroken when a peer is lost; the contents of `vector` are then undefined.
   */
  async allReduce(step: number, vector: Float32Array, control: Control): Promise<Control> {
    if (this.#broken !== undefined) throw this.#broken
    const workers = this.#workers
    let newest = control
    const segment = (index: number): Float32Array => {
      const i = ((index % workers) + workers) % workers
      return vector.subarray(Math.floor((i * vector.length) / workers), Math.floor(((i + 1) * vector.length) / workers))
    }
    for (let turn = 0; turn < 2 * (workers - 1); turn++) {
      const scatter = turn < workers - 1
      const round = scatter ? turn : turn - workers + 1
      const outgoing = segment(this.#rank - round + (scatter ? 0 : 1))
      const target = segment(this.#rank - round - (scatter ? 1 : 0))
      const sent = this.#send(step, outgoing, newest)
      const [received] = await Promise.all([this.#receive(step, target, scatter), sent])
      if (received.version > newest.version) newest = received
      this.#turn++
    }
    return newest
  }

  get broken(): boolean {
    return this.#broken !== undefined
  }

  /** Breaks the ring: calls in flight and later ones reject. */
  break(reason: string, cause?: unknown): void {
    if (this.#broken !== undefined) return
    this.#broken = new RingBroken(reason, cause)
    this.#incoming?.fail(this.#broken)
    this.#links?.next.destroy()
    this.#links?.previous.destroy()
  }

  async #send(step: number, segment: Float32Array, control: Control): Promise<void> {
    const prefix = new Uint32Array(prefixWords)
    prefix.set([
      magic,
      this.#generation,
      this.#turn,
      step,
      segment.length,
      control.version,
      modes.indexOf(control.mode),
    ])
    const next = this.#links!.next
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error | null): void => {
        if (error === undefined || error === null) return resolve()
        this.break(`sending to the next rank failed: ${error.message}`, error)
        reject(this.#broken)
      }
      next.cork()
      next.write(bytesOf(prefix), segment.length === 0 ? done : undefined)
      if (segment.length > 0) next.write(bytesOf(segment), done)
      next.uncork()
    })
  }

  async #receive(step: number, target: Float32Array, add: boolean): Promise<Control> {
    const incoming = this.#incoming!
    const prefix = new Uint32Array(prefixWords)
    await incoming.read(bytesOf(prefix))
    const expected = [magic, this.#generation, this.#turn, step, target.length]
    if (expected.some((word, i) => prefix[i] !== word)) {
      this.break(
        `expected generation, turn, step and length ${expected.slice(1).join(', ')}, got ${prefix.subarray(1, 5).join(', ')}.`,
      )
      throw this.#broken!
    }
    if (!add) {
      await incoming.read(bytesOf(target))
    } else {
      for (let start = 0; start < target.length; start += blockFloats) {
        const sum = target.subarray(start, start + blockFloats)
        const block = this.#block.subarray(0, sum.length)
        await incoming.read(bytesOf(block))
        for (let i = 0; i < sum.length; i++) sum[i]! += block[i]!
      }
    }
    return { version: prefix[5]!, mode: modes[prefix[6]!] ?? 'run' }
  }
}

/** Fills arrays of exact length from a socket; holds back what came too early. */
class ExactReader {
  readonly #socket: Socket
  #held: Uint8Array[] = []
  #want: { target: Uint8Array; filled: number; resolve: () => void; reject: (error: Error) => void } | undefined
  #error: Error | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.resume()
  }

  async read(target: Uint8Array): Promise<void> {
    if (this.#error !== undefined) throw this.#error
    if (target.length === 0) return
    await new Promise<void>((resolve, reject) => {
      this.#want = { target, filled: 0, resolve, reject }
      const held = this.#held
      this.#held = []
      for (const bytes of held) this.#take(bytes)
      if (this.#held.length === 0) this.#socket.resume()
    })
  }

  fail(error: Error): void {
    this.#error ??= error
    this.#want?.reject(this.#error)
    this.#want = undefined
  }

  #take(bytes: Uint8Array): void {
    const want = this.#want
    if (want === undefined) {
      this.#held.push(bytes)
      this.#socket.pause()
      return
    }
    const count = Math.min(bytes.length, want.target.length - want.filled)
    want.target.set(bytes.subarray(0, count), want.filled)
    want.filled += count
    if (count < bytes.length) {
      this.#held.push(bytes.subarray(count))
      this.#socket.pause()
    }
    if (want.filled < want.target.length) return
    this.#want = undefined
    want.resolve()
  }
}

function bytesOf(array: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
