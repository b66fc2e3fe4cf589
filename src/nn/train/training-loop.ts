/**
 * The loop behind `createLoop`.
 *
 * Invariants: weights and slots change only when a step is applied as a whole; `step` counts those whose results are known. What
 * happens between two steps depends on the state alone, so that after a failure a fresh worker and the survivors call
 * `reduce` in the same order; what was decided already is not decided again.
 *
 * A whole step is begun before the results of the one before are read, so that the engine never waits for this process. While a
 * step runs the next batch is read. Before anything looks at the state, no step is under way.
 */
import type { TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import type { Program, Step } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import type { Batch, BatchReader } from './batch-reader.js'
import { saveCheckpoint } from './checkpoint.js'
import { divergence } from './divergence.js'
import { finishSums, LoopProgress, sumSize } from './loop-progress.js'
import type { TrainingJob, TrainingState } from './job.js'
import type { Loop, LoopContext } from './loop.js'
import { read, StepRunner } from './step-runner.js'
import { StateShard } from './state-shard.js'
import { checkShapes, readState, withoutValues, writeState } from './step-state.js'

export class TrainingLoop implements Loop {
  #step = 0
  #started = false
  #disposed = false
  /** When the last step ended. */
  #stepEnded = 0
  /** Weights and slots of the best epoch. */
  #best: readonly TensorData[] | undefined
  #saving: Promise<void> = Promise.resolve()
  readonly #tf: Tf
  readonly #job: TrainingJob
  readonly #context: LoopContext
  readonly #data: BatchReader
  readonly #validation: BatchReader | undefined
  readonly #shard: StateShard | undefined
  /** Owns weights and slots, those of the shard. */
  readonly #program: Step
  readonly #runner: StepRunner
  readonly #progress: LoopProgress
  /** Absent without validation data and on a worker that owns no slice. */
  readonly #evaluate: Program | undefined

  constructor(tf: Tf, job: TrainingJob, context: LoopContext, data: BatchReader, validation: BatchReader | undefined) {
    const { engine, owned } = context
    const { gradients, update, evaluate } = job.programs
    if (data.totalRows === 0)
      throw new ShardbookError('data', 'training: expected rows to train on, got an empty frame.')
    this.#tf = tf
    // Where it begins is on the engine from now on, and may be large.
    this.#job = { ...job, start: withoutValues(job.start) }
    this.#context = context
    this.#data = data
    this.#validation = validation
    this.#progress = new LoopProgress(this.#job, data.totalRows)
    const slices = { slices: owned.length }
    const reads = job.start.weights.length + (job.scalesLoss ? 1 : 0)
    this.#shard = context.shard === undefined ? undefined : new StateShard(this.#job, context.shard)
    const traces = { gradients, update: this.#shard?.update ?? update, reads, results: 1 + job.metrics.length }
    this.#program = engine.loadStep(traces, { slices: Math.max(owned.length, 1) })
    this.#runner = new StepRunner(tf, this.#job, context, { program: this.#program, traces, shard: this.#shard })
    this.#evaluate = owned.length === 0 || validation === undefined ? undefined : engine.load(evaluate, slices)
    this.restore(job.start)
  }

  get step(): number {
    return this.#step
  }

  get stopped(): string | undefined {
    return this.#progress.stopped
  }

  async run(): Promise<'done' | 'stopped'> {
    const { epochs, maxSteps = Infinity } = this.#job
    const last = Math.min(epochs * this.#data.stepsPerEpoch, maxSteps)
    this.#reportStart()
    // Where several workers begin again, some may have done what comes between the steps, and some not.
    if (this.#step > 0) await this.#between(this.#step !== this.#job.start.step)
    let going = true
    while (going && this.#step < last && this.stopped === undefined) going = await this.#runEpoch(last)
    await this.#saving
    if (this.#best !== undefined) writeState(this.#tf, this.#program, this.#best)
    return this.#step < last ? 'stopped' : 'done'
  }

  async snapshot(): Promise<TrainingState> {
    const [step, progress] = [this.#step, this.#progress.snapshot()]
    const whole = async (own: readonly TensorData[]): Promise<readonly TensorData[]> =>
      this.#shard === undefined ? own : this.#shard.widen(step, own)
    const best = this.#best === undefined ? undefined : await whole(this.#best)
    const state = await whole(await readState(this.#program))
    const count = this.#job.start.weights.length
    return {
      step,
      weights: state.slice(0, count),
      slots: state.slice(count),
      progress,
      ...(best === undefined ? {} : { best }),
    }
  }

  restore({ step, weights, slots, progress, best }: TrainingState): void {
    const { start } = this.#job
    checkShapes('weights', start.weights, weights)
    checkShapes('slots', start.slots, slots)
    this.#progress.restore(progress)
    const own = (state: readonly TensorData[]): readonly TensorData[] => this.#shard?.narrow(state) ?? state
    writeState(this.#tf, this.#program, own([...weights, ...slots]))
    this.#best = best === undefined ? undefined : own(best)
    this.#step = step
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    this.#runner.dispose()
    this.#program.dispose()
    this.#evaluate?.dispose()
    await Promise.all([this.#data.close(), this.#validation?.close()])
  }

  /** Runs what is left of the epoch; gives whether to go on. */
  async #runEpoch(last: number): Promise<boolean> {
    const { stepsPerEpoch } = this.#data
    const epoch = Math.floor(this.#step / stepsPerEpoch)
    let begun = this.#step
    let underWay: Promise<void> = Promise.resolve()
    let asked = (this.#stepEnded = performance.now())
    try {
      for await (const batch of this.#data.batches({ seed: this.#job.seed, epoch, skip: begun % stepsPerEpoch })) {
        const came = performance.now()
        // A step that is cut in two ends before the next begins; it computes while the batch is read.
        if (!this.#runner.overlaps) await underWay
        const inputMs = Math.max(0, came - Math.max(asked, this.#stepEnded))
        if ((await this.#context.gate(begun, underWay)) === 'stop') {
          await underWay
          return false
        }
        const before = underWay
        const next = this.#runStep(batch, begun++, before, inputMs)
        // Awaited below, or when all is over.
        next.catch(() => undefined)
        underWay = next
        if (this.#rests(begun) || begun === last) {
          await next
          if (begun % stepsPerEpoch !== 0) await this.#between(true)
          this.#stepEnded = performance.now()
          if (begun === last) break
        } else {
          await before
        }
        asked = performance.now()
        await nextTurn()
      }
      await underWay
    } finally {
      const [end] = await Promise.allSettled([underWay])
      if (end.status === 'rejected') this.#runner.recover()
    }
    if (this.#step % stepsPerEpoch === 0) await this.#between(true)
    return true
  }

  /** One step: begun at once, told of after the one before. */
  async #runStep(batch: Batch, step: number, before: Promise<void>, inputMs: number): Promise<void> {
    const learningRate = this.#progress.rate(step)
    const { globalRows } = batch
    const running = this.#runner.run(batch, step, learningRate)
    const [earlier, result] = await Promise.allSettled([before, running])
    if (earlier.status === 'rejected') throw earlier.reason
    if (result.status === 'rejected') throw result.reason
    const { numbers, reduceMs, gradientNorm, phases } = result.value
    const [loss, ...sums] = numbers as [number, ...number[]]
    if (!Number.isFinite(loss)) throw divergence(step, loss, learningRate)
    this.#step = step + 1
    this.#progress.add(globalRows, [loss * globalRows, ...sums])
    const { loss: _, ...metrics } = finishSums(this.#job, numbers, globalRows)
    const now = performance.now()
    this.#context.report({
      kind: 'step',
      step: step + 1,
      epoch: Math.floor(step / this.#data.stepsPerEpoch) + 1,
      loss,
      metrics,
      learningRate,
      rows: globalRows,
      stepMs: now - this.#stepEnded,
      inputMs,
      reduceMs,
      ...(gradientNorm === undefined ? {} : { gradientNorm }),
      ...(phases === undefined ? {} : { phases }),
    })
    this.#stepEnded = now
  }

  /** Whether something is due after `step` steps. */
  #rests(step: number): boolean {
    const { validateEvery } = this.#job
    return (validateEvery !== undefined && step % validateEvery === 0) || this.#savesAt(step)
  }

  #savesAt(step: number): boolean {
    const { checkpoint } = this.#job
    if (checkpoint === undefined) return false
    const every = checkpoint.everySteps ?? (checkpoint.everyEpochs ?? 1) * this.#data.stepsPerEpoch
    return step % every === 0
  }

  /** What is due between two steps: validation, decisions, a checkpoint. `fresh`: after steps of this run. */
  async #between(fresh: boolean): Promise<void> {
    const { validateEvery } = this.#job
    const { stepsPerEpoch } = this.#data
    const step = this.#step
    const ends = step % stepsPerEpoch === 0
    const reader = this.#validation
    const validates = reader !== undefined && (ends || (validateEvery !== undefined && step % validateEvery === 0))
    const validation = validates ? await this.#validate(reader) : undefined
    if (ends) await this.#endEpoch(step / stepsPerEpoch, validation)
    else if (validation !== undefined && fresh) {
      this.#context.report({ kind: 'validation', step, epoch: Math.floor(step / stepsPerEpoch) + 1, validation })
    }
    if (!fresh || !this.#savesAt(step)) return
    if (this.#context.writes?.() ?? this.#context.workers === 1) await this.#save()
    else if (this.#shard !== undefined) await this.snapshot()
  }

  async #endEpoch(epoch: number, validation: Readonly<Record<string, number>> | undefined): Promise<void> {
    const end = this.#progress.endEpoch(epoch, this.#step, validation)
    if (end === undefined) return
    if (end.keepBest) this.#best = await readState(this.#program)
    this.#context.report({ kind: 'epoch', ...end.result, ...(end.stop === undefined ? {} : { stop: end.stop }) })
  }

  /** Writes a checkpoint while the training goes on; a failure shows at the next one or at the end. */
  async #save(): Promise<void> {
    const { path: folder, keep } = this.#job.checkpoint!
    await this.#saving
    const state = await this.snapshot()
    this.#saving = saveCheckpoint(folder, this.#job, state, { keep }).then((path) =>
      this.#context.report({ kind: 'checkpoint', step: state.step, path }),
    )
    this.#saving.catch(() => undefined)
  }

  /** Means of loss and metrics over all rows of the validation data. */
  async #validate(reader: BatchReader): Promise<Readonly<Record<string, number>>> {
    const { metrics, programs, start } = this.#job
    const sums = new Float32Array(metrics.reduce((n, _, i) => n + sumSize(programs.evaluate, i + 1), 1))
    if (this.#evaluate !== undefined) {
      const state = this.#program.state()
      const weights = state.slice(0, start.weights.length)
      try {
        for await (const batch of reader.batches()) {
          const numbers = await read(this.#evaluate.run([...weights, ...batch.columns, batch.rowWeight]))
          for (const [i, value] of numbers.entries()) sums[i]! += value
          await nextTurn()
        }
      } finally {
        for (const tensor of state) tensor.dispose()
      }
    }
    if (this.#context.workers > 1) await this.#context.reduce(this.#step, sums)
    return finishSums(this.#job, [...sums], reader.totalRows)
  }

  #reportStart(): void {
    if (this.#started) return
    this.#started = true
    const { name, epochs } = this.#job
    const { engine, workers } = this.#context
    const { stepsPerEpoch } = this.#data
    this.#context.report({ kind: 'start', name, epochs, stepsPerEpoch, workers, engine: engine.name })
  }
}

/** Lets input, output and timers of the process have their turn. */
async function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
