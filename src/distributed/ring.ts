/**
 * The ring all-reduce: adds a vector up over all ranks, in place, with the same bits on every rank and in every run.
 *
 * The vector is cut into as many segments as there are ranks. In the first W - 1 turns (reduce-scatter) each rank sends
 * one segment on and adds the one that arrives, so that it ends with one segment summed over all; in the next W - 1
 * turns (all-gather) the sums go round. A segment is always added up in the order of the ring, whatever the timing.
 *
 * Each segment travels behind a prefix that names generation, turn, step, size and checksum: a rank that is elsewhere, and bytes
 * that changed on the way, are found out before a step is applied. Between processes of one host a large segment goes through
 * shared memory (`segment-file.ts`) and only its prefix through the socket. The prefix also carries the newest control of any rank (see `control.ts`), which has been
 * everywhere when the first half is over. When a link breaks, the pending call and all later ones reject.
 *
 * Patarasuk, Yuan: Bandwidth optimal all-reduce algorithms for clusters of workstations (2009).
 */
import type { Socket } from 'node:net'
import { ShardbookError } from '../core/errors.js'
import { checksum } from './checksum.js'
import { packHalves, toHalf, unpackHalves } from './compression.js'
import { modes, type Control } from './control.js'
import { ExactReader } from './exact-reader.js'
import { type SegmentFolder, type SegmentReader, type SegmentWriter, sharedFloats } from './segment-file.js'

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

const prefixWords = 12
/** Bytes in front of the prefix's own checksum, its last word. */
const checkedBytes = 4 * (prefixWords - 1)
const magic = 0x474e4952
/** Floats that are read and added at once: they stay in the processor's cache. */
const blockFloats = 32_768

export class Ring {
  readonly #rank: number
  readonly #workers: number
  readonly #generation: number
  readonly #links: RingLinks | undefined
  readonly #incoming: ExactReader | undefined
  readonly #shared: SegmentFolder | undefined
  #writer: SegmentWriter | undefined
  #reader: SegmentReader | undefined
  readonly #block = new Float32Array(blockFloats)
  #arrived = new Float32Array(0)
  #turn = 0
  #broken: RingBroken | undefined

  /** `links` is left out for a ring of one; `shared` is given where all ranks are on one host. */
  constructor(options: {
    rank: number
    workers: number
    generation: number
    links?: RingLinks | undefined
    shared?: SegmentFolder | undefined
  }) {
    this.#rank = options.rank
    this.#workers = options.workers
    this.#generation = options.generation
    this.#links = options.links
    this.#shared = options.shared
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
   * Adds `vector` up over all ranks, in place. All ranks call it for the same step with the same length. With `half`, numbers
   * travel as halves of 16 bits: partial sums are rounded on the way, alike for all.
   *
   * @returns the newest control that any rank knew when it called.
   * @throws RingBroken when a peer is lost; the contents of `vector` are then undefined.
   */
  async allReduce(step: number, vector: Float32Array, control: Control, { half = false } = {}): Promise<Control> {
    const bounds = Array.from({ length: this.#workers + 1 }, (_, i) => Math.floor((i * vector.length) / this.#workers))
    return await this.#circulate(step, (i) => vector.subarray(bounds[i], bounds[i + 1]), control, { half })
  }

  /**
   * The first half of an all-reduce: afterwards each rank has the sums of its own part, `[bounds[rank], bounds[rank + 1])`, and
   * anything in the others. For the rest as `allReduce`.
   */
  async reduceScatter(step: number, vector: Float32Array, bounds: readonly number[], control: Control) {
    return await this.#circulate(step, this.#partsOf(vector, bounds), control, { to: this.#workers - 1 })
  }

  /** The second half: brings each rank's own part to all. */
  async gatherParts(step: number, vector: Float32Array, bounds: readonly number[], control: Control) {
    return await this.#circulate(step, this.#partsOf(vector, bounds), control, { from: this.#workers - 1 })
  }

  /** Segments by which each rank ends the first half with its own part. */
  #partsOf(vector: Float32Array, bounds: readonly number[]): (index: number) => Float32Array {
    return (index) => {
      const part = (index + this.#workers - 1) % this.#workers
      return vector.subarray(bounds[part], bounds[part + 1])
    }
  }

  /** The turns of an all-reduce, or one half of them. */
  async #circulate(
    step: number,
    segmentOf: (index: number) => Float32Array,
    control: Control,
    { half = false, from = 0, to = 2 * (this.#workers - 1) }: { half?: boolean; from?: number; to?: number },
  ): Promise<Control> {
    if (this.#broken !== undefined) throw this.#broken
    const workers = this.#workers
    let newest = control
    const segment = (index: number): Float32Array => segmentOf(((index % workers) + workers) % workers)
    for (let turn = from; turn < to; turn++) {
      const scatter = turn < workers - 1
      const round = scatter ? turn : turn - workers + 1
      const outgoing = segment(this.#rank - round + (scatter ? 0 : 1))
      const target = segment(this.#rank - round - (scatter ? 1 : 0))
      if (!half) {
        newest = await this.#exchange(step, outgoing, target, scatter, newest)
        continue
      }
      toHalf(outgoing, outgoing)
      const arrived = new Float32Array(Math.ceil(target.length / 2))
      newest = await this.#exchange(step, packHalves(outgoing), arrived, false, newest)
      const numbers = new Float32Array(target.length)
      unpackHalves(arrived, numbers)
      if (scatter) addTo(target, numbers)
      else target.set(numbers)
    }
    return newest
  }

  /** Brings what each rank has, of the same length everywhere, to all; `parts` in the order of ranks. */
  async allGather(
    step: number,
    own: Float32Array,
    control: Control,
  ): Promise<{ parts: readonly Float32Array[]; newest: Control }> {
    if (this.#broken !== undefined) throw this.#broken
    const workers = this.#workers
    const parts = Array.from({ length: workers }, (_, rank) =>
      rank === this.#rank ? own : new Float32Array(own.length),
    )
    let newest = control
    for (let turn = 0; turn < workers - 1; turn++) {
      const at = (back: number): Float32Array => parts[(this.#rank - back + 2 * workers) % workers]!
      newest = await this.#exchange(step, at(turn), at(turn + 1), false, newest)
    }
    return { parts, newest }
  }

  /** One turn: sends to the next rank, receives from the previous one; the newest control. */
  async #exchange(
    step: number,
    outgoing: Float32Array,
    target: Float32Array,
    add: boolean,
    control: Control,
  ): Promise<Control> {
    const sent = this.#send(step, outgoing, control)
    const [received] = await Promise.all([this.#receive(step, target, add), sent])
    this.#turn++
    return received.version > control.version ? received : control
  }

  get broken(): boolean {
    return this.#broken !== undefined
  }

  /** Breaks the ring: calls in flight and later ones reject. */
  break(reason: string, cause?: unknown): void {
    if (this.#broken !== undefined) return
    this.#broken = new RingBroken(reason, cause)
    this.#incoming?.fail(this.#broken)
    this.#writer?.close()
    this.#reader?.close()
    this.#links?.next.destroy()
    this.#links?.previous.destroy()
  }

  async #send(step: number, segment: Float32Array, control: Control): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken
    const shared = segment.length >= sharedFloats ? this.#shared : undefined
    if (shared !== undefined) this.#writer ??= shared.writer(this.#generation, this.#rank, this.#workers)
    const place = shared === undefined ? undefined : this.#writer?.write(this.#turn, segment)
    const isShared = place !== undefined
    const offset = place ?? 0
    const prefix = new Uint32Array(prefixWords)
    const { version, mode } = control
    const head = [magic, this.#generation, this.#turn, step, segment.length, version, modes.indexOf(mode)]
    const sum = isShared ? 0 : checksum(bytesOf(segment))
    prefix.set([...head, isShared ? 1 : 0, offset % 2 ** 32, Math.floor(offset / 2 ** 32), sum])
    prefix[prefixWords - 1] = checksum(bytesOf(prefix).subarray(0, checkedBytes))
    const next = this.#links!.next
    const isInline = !isShared && segment.length > 0
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error | null): void => {
        if (error === undefined || error === null) return resolve()
        this.break(`sending to the next rank failed: ${error.message}`, error)
        reject(this.#broken)
      }
      next.cork()
      next.write(bytesOf(prefix), isInline ? undefined : done)
      if (isInline) next.write(bytesOf(segment), done)
      next.uncork()
    })
  }

  async #receive(step: number, target: Float32Array, add: boolean): Promise<Control> {
    const prefix = new Uint32Array(prefixWords)
    await this.#incoming!.read(bytesOf(prefix))
    if (prefix[prefixWords - 1] !== checksum(bytesOf(prefix).subarray(0, checkedBytes))) {
      throw this.#breakBy('expected a prefix with its checksum, got one that was damaged on the way.')
    }
    const expected = [magic, this.#generation, this.#turn, step, target.length]
    if (expected.some((word, i) => prefix[i] !== word)) {
      throw this.#breakBy(
        `expected generation, turn, step and length ${expected.slice(1).join(', ')}, got ${prefix.subarray(1, 5).join(', ')}.`,
      )
    }
    if (prefix[7] === 1) this.#readShared(prefix[8]! + prefix[9]! * 2 ** 32, target, add)
    else await this.#readInline(prefix[10]!, target, add)
    return { version: prefix[5]!, mode: modes[prefix[6]!] ?? 'run' }
  }

  async #readInline(expected: number, target: Float32Array, add: boolean): Promise<void> {
    // What is added is added as a whole, once its checksum is known: into room of its own.
    if (add && this.#arrived.length < target.length) this.#arrived = new Float32Array(target.length)
    const arriving = add ? this.#arrived.subarray(0, target.length) : target
    await this.#incoming!.read(bytesOf(arriving))
    if (checksum(bytesOf(arriving)) !== expected) {
      throw this.#breakBy('expected a segment with its checksum, got one that was damaged on the way.')
    }
    if (add) addTo(target, arriving)
  }

  #readShared(offset: number, target: Float32Array, add: boolean): void {
    if (this.#broken !== undefined) throw this.#broken
    const previous = (this.#rank + this.#workers - 1) % this.#workers
    try {
      this.#reader ??= this.#shared!.reader(this.#generation, previous)
      if (!add) return this.#reader.read(offset, target)
      for (let start = 0; start < target.length; start += blockFloats) {
        const sum = target.subarray(start, start + blockFloats)
        const block = this.#block.subarray(0, sum.length)
        this.#reader.read(offset + 4 * start, block)
        addTo(sum, block)
      }
    } catch (error) {
      throw this.#breakBy('a segment in shared memory could not be read.', error)
    }
  }

  #breakBy(reason: string, cause?: unknown): RingBroken {
    this.break(reason, cause)
    return this.#broken!
  }
}

function addTo(sum: Float32Array, other: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += other[i]!
}

function bytesOf(array: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
