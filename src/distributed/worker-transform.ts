/** A worker's part of a transform: one shard of the rows, batch after batch, as it is asked for them. */
import { loadTf } from '../engine/index.js'
import type { LoopContext } from '../nn/train/loop.js'
import { openTransform, type TransformedRows } from '../nn/train/transform.js'
import type { OrderMessage } from './messages.js'
import { toWire } from './wire-error.js'
import type { WorkerParts } from './worker-run.js'

type TransformOrder = Extract<OrderMessage, { type: 'transform' | 'pull' | 'release' }>

export class WorkerTransform {
  readonly #id: number
  readonly #parts: WorkerParts
  #shard: (OrderMessage & { type: 'transform' }) | undefined
  #batches: AsyncGenerator<TransformedRows, void, undefined> | undefined
  #nextBlock = 0
  #orders: Promise<void> = Promise.resolve()

  constructor(id: number, parts: WorkerParts) {
    this.#id = id
    this.#parts = parts
  }

  take(order: TransformOrder): void {
    this.#orders = this.#orders.then(async () => {
      try {
        await this.#carryOut(order)
      } catch (error) {
        const prefixed = toWire(error, `worker rank ${this.#parts.rank}: `)
        this.#parts.send({ type: 'failed', run: this.#id, step: -1, error: prefixed })
      }
    })
  }

  async #carryOut(order: TransformOrder): Promise<void> {
    switch (order.type) {
      case 'transform':
        this.#shard = order
        return
      case 'pull': {
        const { rows, outputs } = await this.#block(order.block)
        return this.#parts.send({ type: 'rows', run: this.#id, block: order.block, shard: { rows, outputs } })
      }
      case 'release':
        await this.#batches?.return()
        return
      default:
        order satisfies never
    }
  }

  /** A block of the shard; a replacement begins with the first one that is owed. */
  async #block(block: number): Promise<TransformedRows> {
    if (this.#batches === undefined || block !== this.#nextBlock) {
      await this.#batches?.return()
      const { job, slices, slice } = this.#shard!
      const { engine } = this.#parts
      const open: LoopContext['open'] = async (source, options) => this.#parts.openFeed(source, options)
      this.#batches = openTransform(await loadTf(), job, { engine, open, slices, slice, skip: block })
    }
    this.#nextBlock = block + 1
    const next = await this.#batches.next()
    return next.done === true ? { rows: 0, outputs: [] } : next.value
  }
}
