/**
 * What a worker's training loop needs from the pool: rows, sums over all workers, when to wait, whom to tell. One loop has one;
 * it goes through several rings.
 *
 * With local SGD the loop's steps are the worker's own: gradients of its share stand for those of the batch, only loss and metrics
 * are added up, and every so many steps the states are averaged. Between two averages the states differ, so whoever has
 * lost a peer goes back to the last one, where all agree.
 */
import { join } from 'node:path'
import { sizeOf, type TensorData } from '../core/dtype.js'
import type { TrainingEvent } from '../nn/train/event.js'
import type { TrainingJob, TrainingState } from '../nn/train/job.js'
import type { Loop, LoopContext } from '../nn/train/loop.js'
import { floatBounds } from '../nn/train/state-shard.js'
import { withoutValues } from '../nn/train/step-state.js'
import type { Checkpointer } from './checkpointer.js'
import { CompressedReduce } from './compression.js'
import type { Control, ControlLog } from './control.js'
import { LoadMeter } from './load-meter.js'
import type { RunOptions, WorkerLoad } from './messages.js'
import type { Ring } from './ring.js'
import { SampleLog } from './sample-log.js'

/** What changes from ring to ring. */
export interface RingPart {
  readonly ring: Ring
  readonly control: ControlLog
  readonly checkpointer: Checkpointer | undefined
  onPaused(version: number): void
}

export interface ContextOptions {
  readonly job: TrainingJob
  readonly options: RunOptions
  readonly owned: readonly number[]
  readonly workers: number
  /** Its place among the workers. */
  readonly index: number
  readonly engine: LoopContext['engine']
  readonly openFeed: LoopContext['open']
  readonly rank: number
  report(event: TrainingEvent): void
  /** Whether this worker saves the states of the training. */
  writes(): boolean
  tellLoad(load: WorkerLoad): void
}

export class RunContext implements LoopContext {
  readonly engine: LoopContext['engine']
  readonly owned: readonly number[]
  readonly workers: number
  readonly shard: LoopContext['shard']
  /** The loop that this serves. */
  loop: Loop | undefined
  readonly #options: ContextOptions
  readonly #meter: LoadMeter
  readonly #compressed: CompressedReduce | undefined
  readonly #samples: SampleLog | undefined
  /** Steps between two averages; 0 without local SGD. */
  readonly #everySteps: number
  /** Floats in front of the gradients: loss and metrics. */
  readonly #exact: number
  /** Where the gradients of each shard begin. */
  readonly #bounds: readonly number[]
  /** With shards: whether the state is to be saved after the step in flight, and the whole state, where it was brought together. */
  #saves = false
  #whole: TrainingState | undefined
  #part: RingPart | undefined
  #isPaused = false
  /** The state at the last average. */
  #agreed: TrainingState

  constructor(options: ContextOptions) {
    const { job, owned, workers, options: run } = options
    // The loop has what it begins from.
    this.#options = { ...options, job: { ...job, start: withoutValues(job.start) } }
    this.engine = options.engine
    this.owned = owned
    this.workers = workers
    this.#meter = new LoadMeter(owned.length / job.slices, (load) => options.tellLoad(load))
    this.#compressed = run.compression === undefined ? undefined : new CompressedReduce(run.compression)
    this.#everySteps = run.strategy?.kind === 'localSgd' ? run.strategy.everySteps : 0
    const { gradients } = job.programs
    const results = gradients.outputs.slice(0, gradients.outputs.length - job.start.weights.length)
    this.#exact = results.reduce((n, { value }) => n + sizeOf(gradients.values[value]!.shape), 0)
    const { sampleLogs } = run
    this.#samples = sampleLogs === undefined ? undefined : new SampleLog(join(sampleLogs, `rank-${options.rank}.log`))
    this.#agreed = this.#everySteps > 0 ? job.start : this.#options.job.start
    const isSharded = run.strategy?.kind === 'zero1' && workers > 1
    this.shard = isSharded ? { index: options.index, count: workers, gather: this.#gather } : undefined
    this.#bounds = isSharded ? floatBounds(job, workers) : []
  }

  /** A new ring was built. */
  enter(part: RingPart): void {
    this.#part = part
    this.#saves = false
    this.#whole = undefined
    this.#compressed?.reset()
    this.#meter.reset()
  }

  /** The ring is gone, or the steps are done: where the states may differ, goes back to where they did not. */
  leave(): void {
    if (this.#everySteps > 0 && this.loop !== undefined && this.loop.step !== this.#agreed.step) {
      this.loop.restore(this.#agreed)
    }
  }

  /** The state was set from outside. */
  restored(state: TrainingState): void {
    this.#agreed = state
  }

  /** Saves the state before the next step, in a pause at once. */
  async saveSoon(): Promise<void> {
    const { checkpointer } = this.#part!
    checkpointer?.ask()
    const { loop } = this
    if (this.#isPaused && loop !== undefined) await checkpointer?.offer(loop.step, async () => this.snapshot())
  }

  /** The state, for who rests. */
  async snapshot(): Promise<TrainingState> {
    return this.#whole ?? (await this.loop!.snapshot())
  }

  /** All steps are done. */
  async finish(): Promise<void> {
    if (this.#everySteps > 0 && this.loop!.step !== this.#agreed.step) await this.#average()
    // From now on nobody needs the others to tell it.
    if (this.shard !== undefined) this.#whole = await this.loop!.snapshot()
  }

  open: LoopContext['open'] = async (source, options) => {
    const feed = await this.#options.openFeed(source, options)
    const { job } = this.#options
    if (this.#samples === undefined || source !== job.data) return feed
    return this.#samples.watch(feed, options.slice, options.slices, job.batchRows / job.slices)
  }

  reduce: LoopContext['reduce'] = async (step, vector, what = 'sums') => {
    const { control } = this.#part!
    this.#samples?.computed(step)
    control.agree(await this.#meter.communicating(this.#addUp(step, vector, what, control.latest)))
  }

  gate = async (step: number, underWay: Promise<void>): Promise<'go' | 'stop'> => {
    const part = this.#part!
    const { control, checkpointer } = part
    this.#meter.batchCame()
    if (this.#everySteps > 0 && step > this.#agreed.step && step % this.#everySteps === 0) await this.#average()
    if (this.shard !== undefined) await this.#bringTogether(step)
    // Without local SGD all states agree after every step.
    else if (this.#everySteps === 0 || step === this.#agreed.step) {
      await checkpointer?.offer(step, async () => this.loop!.snapshot())
    }
    // A rank that is alone need not ask anyone.
    if (this.workers === 1) control.agree(control.latest)
    try {
      return await control.gate(async (version) => {
        await underWay
        this.#isPaused = true
        part.onPaused(version)
      })
    } finally {
      if (this.#isPaused) this.#meter.reset()
      this.#isPaused = false
      this.#whole = undefined
    }
  }

  writes = (): boolean => this.#options.writes()

  report = (event: TrainingEvent): void => {
    if (event.kind === 'step') this.#meter.stepDone(event.rows)
    this.#options.report(event)
  }

  async #addUp(step: number, vector: Float32Array, what: 'sums' | 'gradients', control: Control): Promise<Control> {
    const { ring } = this.#part!
    const isLocal = this.#everySteps > 0
    if (what === 'gradients' && this.shard !== undefined) return await this.#scatter(step, vector, control)
    // What is not gradients is always exact.
    if ((!isLocal && this.#compressed === undefined) || what === 'sums') {
      return await ring.allReduce(step, vector, control)
    }
    const newest = await ring.allReduce(step, vector.subarray(0, this.#exact), control)
    const gradients = vector.subarray(this.#exact)
    if (!isLocal) return await this.#compressed!.run(ring, step, gradients, newest)
    // The share of the batch stands for the whole.
    const factor = this.#options.job.slices / this.owned.length
    for (let i = 0; i < gradients.length; i++) gradients[i]! *= factor
    return newest
  }

  /** The sums of loss and metrics, and those of the own shard's gradients. With them goes whether the lead is to save the state. */
  async #scatter(step: number, vector: Float32Array, control: Control): Promise<Control> {
    const { ring, checkpointer } = this.#part!
    const head = new Float32Array(this.#exact + 1)
    head.set(vector.subarray(0, this.#exact))
    head[this.#exact] = checkpointer?.isDue(step + 1) ? 1 : 0
    const newest = await ring.allReduce(step, head, control)
    vector.set(head.subarray(0, this.#exact))
    this.#saves = head[this.#exact]! > 0
    await ring.reduceScatter(step, vector.subarray(this.#exact), this.#bounds, newest)
    return newest
  }

  #gather = async (step: number, vector: Float32Array, bounds: readonly number[]): Promise<void> => {
    const { ring, control } = this.#part!
    // What it hears of newer controls may be different on other ranks.
    await this.#meter.communicating(ring.gatherParts(step, vector, bounds, control.latest))
  }

  /** Between two steps, on all ranks alike: the whole state for the lead to save, at once or, in a pause, when it is asked to. */
  async #bringTogether(step: number): Promise<void> {
    const { control, checkpointer } = this.#part!
    if (!this.#saves && !control.isPausing) return
    this.#saves = false
    const whole = await this.loop!.snapshot()
    await checkpointer?.offer(step, async () => whole)
    if (control.isPausing && checkpointer !== undefined) this.#whole = whole
  }

  /** Sets the state to the mean over all workers, each by its share of the rows. */
  async #average(): Promise<void> {
    const { ring, control } = this.#part!
    const state = await this.loop!.snapshot()
    const share = this.owned.length / this.#options.job.slices
    const tensors = [...state.weights, ...state.slots].filter(({ dtype }) => dtype === 'float32')
    const flat = new Float32Array(tensors.reduce((n, { values }) => n + values.length, 0))
    let at = 0
    for (const { values } of tensors) {
      for (let i = 0; i < values.length; i++) flat[at + i] = values[i]! * share
      at += values.length
    }
    control.agree(await this.#meter.communicating(ring.allReduce(state.step, flat, control.latest)))
    at = 0
    const averaged = (data: TensorData): TensorData => {
      if (data.dtype !== 'float32') return data
      const values = flat.slice(at, (at += data.values.length))
      return { ...data, values }
    }
    this.#agreed = { ...state, weights: state.weights.map(averaged), slots: state.slots.map(averaged) }
    this.loop!.restore(this.#agreed)
  }
}
