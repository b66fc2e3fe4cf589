/**
 * A transform on all workers: rank r computes the batches whose number is r modulo the number of workers.
 *
 * The session pulls block after block; a block is one batch of every rank. A worker that is lost keeps nothing that
 * cannot be computed again: its replacement is asked for what is still owed.
 */
import type { TransformJob } from '../nn/strategy.js'
import type { Shard, WireError, WorkerMessage } from './messages.js'
import type { Loss, Roster, SlotUser } from './roster.js'
import type { Slot } from './seat.js'

export class TransformRun implements SlotUser {
  readonly #id: number
  readonly #job: TransformJob
  readonly #roster: Roster
  readonly #onBlock: (block: number, shards: readonly Shard[]) => void
  readonly #owed = new Map<number, (Shard | undefined)[]>()
  #settle: (error: WireError | undefined) => void = () => {}
  /** Resolves when the transform is over, with the error if it failed. */
  readonly outcome: Promise<WireError | undefined>
  #over = false

  constructor(options: {
    id: number
    job: TransformJob
    roster: Roster
    onBlock: (block: number, shards: readonly Shard[]) => void
  }) {
    this.#id = options.id
    this.#job = options.job
    this.#roster = options.roster
    this.#onBlock = options.onBlock
    this.outcome = new Promise((resolve) => (this.#settle = resolve))
  }

  begin(): void {
    for (const slot of this.#roster.slots) {
      this.#roster.assign(slot, this)
      if (slot.up) this.onUp(slot)
    }
  }

  pull(block: number): void {
    if (this.#over || this.#owed.has(block)) return
    this.#owed.set(
      block,
      this.#roster.slots.map(() => undefined),
    )
    for (const slot of this.#roster.slots) slot.send({ type: 'pull', run: this.#id, block })
  }

  onUp(slot: Slot): void {
    const slices = this.#roster.slots.length
    slot.send({ type: 'transform', run: this.#id, job: this.#job, slices, slice: slot.rank })
    for (const [block, shards] of this.#owed) {
      if (shards[slot.rank] === undefined) slot.send({ type: 'pull', run: this.#id, block })
    }
  }

  onLost(_slot: Slot, { final }: Loss): void {
    if (final !== undefined) this.end(final)
  }

  onMessage(slot: Slot, message: WorkerMessage): void {
    if (this.#over || !('run' in message) || message.run !== this.#id) return
    if (message.type === 'failed') return this.end(message.error)
    if (message.type !== 'rows') return
    const shards = this.#owed.get(message.block)
    if (shards === undefined) return
    shards[slot.rank] = message.shard
    if (!shards.every((shard) => shard !== undefined)) return
    this.#owed.delete(message.block)
    this.#roster.progress()
    this.#onBlock(message.block, shards)
  }

  end(error?: WireError): void {
    if (this.#over) return
    this.#over = true
    for (const slot of this.#roster.slots) {
      slot.send({ type: 'release', run: this.#id })
      this.#roster.assign(slot, undefined)
    }
    this.#settle(error)
  }
}
