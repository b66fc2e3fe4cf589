/**
 * A worker's part of a training run: the loop, on one ring after the other.
 *
 * Orders come in order and are carried out in order, but for `control` and `halt`, which act on a loop that runs.
 */
import type { Engine } from '../engine/index.js'
import type { Feed, FrameSource } from '../frame/feed.js'
import type { TrainingEvent } from '../nn/train/event.js'
import type { TrainingJob } from '../nn/train/job.js'
import type { Loop, LoopContext } from '../nn/train/loop.js'
import { withoutValues } from '../nn/train/step-state.js'
import { Checkpointer } from './checkpointer.js'
import { ControlLog } from './control.js'
import { EventBatch, maxWaiting } from './event-batch.js'
import type { OrderMessage, WorkerMessage } from './messages.js'
import type { RingDoor } from './ring-door.js'
import { Ring, RingBroken } from './ring.js'
import { RunContext } from './run-context.js'
import type { SegmentFolder } from './segment-file.js'
import { toWire } from './wire-error.js'

/** What a worker works with. */
export interface WorkerParts {
  readonly rank: number
  readonly engine: Engine
  readonly door: RingDoor
  /** Shared memory, where all workers are on one host. */
  readonly shared: SegmentFolder | undefined
  createLoop(job: TrainingJob, context: LoopContext): Promise<Loop>
  openFeed(source: FrameSource, options: { slices: number; slice: number }): Promise<Feed>
  send(message: WorkerMessage): void
}

const maxUntold = 2 * maxWaiting

type RunOrder = Extract<
  OrderMessage,
  { type: 'assign' | 'ring' | 'control' | 'halt' | 'snapshot' | 'save' | 'restore' | 'release' }
>

export class WorkerRun {
  readonly #id: number
  readonly #parts: WorkerParts
  #loop: Loop | undefined
  #context: RunContext | undefined
  #job: TrainingJob | undefined
  #checkpointer: Checkpointer | undefined
  #ring: Ring | undefined
  #control: ControlLog | undefined
  #halt = new AbortController()
  #lead = false
  readonly #events: EventBatch
  /** The last events, of one that does not lead. */
  #untold: TrainingEvent[] = []
  /** Orders one after the other. */
  #orders: Promise<void> = Promise.resolve()
  /** The loop while it runs. */
  #running: Promise<void> = Promise.resolve()

  constructor(id: number, parts: WorkerParts) {
    this.#id = id
    this.#parts = parts
    this.#events = new EventBatch((events) => parts.send({ type: 'events', run: id, events }))
  }

  take(order: RunOrder): void {
    if (order.type === 'control') return this.#control?.append(order.control)
    if (order.type === 'save') return void this.#context?.saveSoon()
    if (order.type === 'halt' || order.type === 'release') this.#break('halted.')
    this.#orders = this.#orders.then(async () => {
      try {
        await this.#carryOut(order)
      } catch (error) {
        this.#fail(error)
      }
    })
  }

  async #carryOut(order: Exclude<RunOrder, { type: 'control' | 'save' }>): Promise<void> {
    const run = this.#id
    const send = (message: WorkerMessage): void => this.#send(message)
    switch (order.type) {
      case 'assign':
        await this.#loop?.dispose()
        this.#job = { ...order.job, start: withoutValues(order.job.start) }
        this.#context = this.#contextOf(order)
        this.#loop = await this.#parts.createLoop(order.job, this.#context)
        this.#context.loop = this.#loop
        return send({ type: 'ready', run, generation: 0, step: this.#loop.step })
      case 'ring':
        this.#halt = new AbortController()
        this.#control = new ControlLog(order.control)
        this.#lead = order.lead
        this.#checkpointer = order.lead
          ? new Checkpointer(this.#job!, order.checkpoint, {
              begin: () => this.#events.flush(),
              tell: (saved) => send({ type: 'saved', run, ...saved }),
            })
          : undefined
        if (order.lead) for (const event of this.#untold.splice(0)) this.#report(event)
        this.#ring = undefined
        this.#running = this.#run(order)
        return
      case 'halt':
        // Once more: the ring may have been built between the order's arrival and now.
        this.#break('halted.')
        await this.#running
        return send({ type: 'ready', run, generation: order.generation, step: this.#loop!.step })
      case 'snapshot':
        await this.#running
        return send({ type: 'state', run, state: await this.#context!.snapshot() })
      case 'restore':
        this.#loop!.restore(order.state)
        this.#context!.restored(order.state)
        return send({ type: 'ready', run, generation: 0, step: this.#loop!.step })
      case 'release':
        this.#break('released.')
        await this.#running
        await this.#checkpointer?.idle()
        await this.#loop?.dispose()
        return
      default:
        order satisfies never
    }
  }

  /** Runs the loop on a new ring, to the end or until the ring breaks. */
  async #run(order: RunOrder & { type: 'ring' }): Promise<void> {
    const { generation, rank, peers } = order
    const run = this.#id
    const halt = this.#halt.signal
    try {
      const links = await this.#parts.door.join({ generation, rank, peers, signal: halt })
      this.#ring = new Ring({ rank, workers: peers.length, generation, links, shared: this.#parts.shared })
      if (halt.aborted) this.#ring.break('halted.')
      this.#context!.enter({
        ring: this.#ring,
        control: this.#control!,
        checkpointer: this.#checkpointer,
        onPaused: (version) => this.#send({ type: 'paused', run, generation, version }),
      })
      const reason = await this.#loop!.run()
      await this.#context!.finish()
      this.#send({ type: 'finished', run, generation, step: this.#loop!.step, reason })
    } catch (error) {
      this.#context?.leave()
      // After a halt nobody waits for more than the answer to the halt.
      if (halt.aborted) return
      if (this.#ring === undefined || this.#ring.broken || error instanceof RingBroken) {
        this.#send({ type: 'broken', run, generation, step: this.#loop!.step })
      } else {
        this.#fail(error)
      }
      this.#break('the loop ended.')
    }
  }

  #contextOf({ job, options, owned, workers, index }: RunOrder & { type: 'assign' }): RunContext {
    const { engine, rank } = this.#parts
    return new RunContext({
      job,
      options,
      owned,
      workers,
      index,
      engine,
      rank,
      openFeed: async (source, how) => this.#parts.openFeed(source, how),
      report: (event) => this.#report(event),
      writes: () => {
        // Asked before the state is saved.
        this.#events.flush()
        return this.#lead
      },
      tellLoad: (load) => this.#send({ type: 'load', run: this.#id, load }),
    })
  }

  /** Sends what is told besides events, behind these. */
  #send(message: WorkerMessage): void {
    this.#events.flush()
    this.#parts.send(message)
  }

  /**
   * Only the lead's events are sent. The others keep their last ones: whoever leads next tells what the last lead may have
   * left untold when it died (what waited to be told, and what belonged to the step in which it was behind).
   */
  #report(event: TrainingEvent): void {
    if (this.#lead) return this.#events.add(event)
    this.#untold.push(event)
    if (this.#untold.length > 2 * maxUntold) this.#untold = this.#untold.slice(-maxUntold)
  }

  #break(reason: string): void {
    this.#halt.abort()
    this.#ring?.break(reason)
    this.#control?.break(new RingBroken(reason))
  }

  #fail(error: unknown): void {
    const step = this.#loop?.step ?? -1
    this.#send({ type: 'failed', run: this.#id, step, error: toWire(error, `worker rank ${this.#parts.rank}: `) })
  }
}
