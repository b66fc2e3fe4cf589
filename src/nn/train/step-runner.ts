/**
 * Runs steps on an engine: whole ones, begun before the results of the one before are there, or in two halves with a look at the
 * gradients in between (to add them up over workers, for their norm, or to take times).
 *
 * Invariant: a step whose loss is not finite changes nothing, and neither does a step that was begun after it (see `Step`).
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/dtype.js'
import { fold, keyOf } from '../../core/random.js'
import { loadSpreadGradients } from '../../engine/index.js'
import type { SpreadGradients, Step, StepTraces } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import type { Batch } from './batch-reader.js'
import type { PhaseTimes } from './event.js'
import type { TrainingJob } from './job.js'
import type { LoopContext } from './loop.js'
import { sumSize } from './loop-progress.js'
import type { StateShard } from './state-shard.js'

export interface StepResult {
  /** Mean of the loss over the global batch, then the sums of the metrics. */
  readonly numbers: readonly number[]
  readonly reduceMs: number
  readonly gradientNorm?: number
  readonly phases?: PhaseTimes
}

/** A step whose gradients are there, over all workers. */
interface HalfStep {
  readonly numbers: readonly number[]
  readonly reduceMs: number
  /** Euclidean norm of the gradients but for some. */
  norm(without: readonly number[]): Promise<number>
  /** Applies them with these inputs of the update, or with none leaves them. */
  end(scalars: readonly Tensor[] | undefined): Promise<void>
}

export class StepRunner {
  readonly #tf: Tf
  readonly #job: TrainingJob
  readonly #context: LoopContext
  readonly #program: Step
  /** Whether a step may begin before the one before has ended: it is not cut in two. */
  readonly overlaps: boolean
  /** Numbers and outputs before the gradients. */
  readonly #numbers: number
  readonly #results: number
  /** Loss, metrics and gradients of one step, flat: what is reduced. Unused with one worker. */
  readonly #vector: Float32Array
  /** Of the owned slices, where there are other workers. */
  readonly #spread: SpreadGradients | undefined
  readonly #shard: StateShard | undefined

  constructor(
    tf: Tf,
    job: TrainingJob,
    context: LoopContext,
    { program, traces, shard }: { program: Step; traces: StepTraces; shard: StateShard | undefined },
  ) {
    const { gradients } = job.programs
    this.#tf = tf
    this.#job = job
    this.#context = context
    this.#program = program
    this.#shard = shard
    this.overlaps = context.workers === 1 && job.gradientNorm === undefined && job.profile !== true
    this.#results = 1 + job.metrics.length
    this.#numbers = job.metrics.reduce((n, _, i) => n + sumSize(gradients, i + 1), 1)
    const floats = gradients.outputs.reduce((n, { value }) => n + sizeOf(gradients.values[value]!.shape), 0)
    this.#vector = new Float32Array(context.workers === 1 ? 0 : floats)
    this.#spread =
      context.workers === 1 ? undefined : loadSpreadGradients(context.engine, program, traces, context.owned.length)
  }

  /** Begins step `step` (from 0). What is computed with is taken before this returns. */
  async run(batch: Batch, step: number, rate: number): Promise<StepResult> {
    return this.overlaps ? this.#runWhole(batch, step, rate) : this.#runHalves(batch, step, rate)
  }

  /** Makes steps count again after one whose loss was not finite. */
  recover(): void {
    const state = this.#program.state()
    this.#program.restore(state)
    this.#tf.dispose(state)
  }

  dispose(): void {
    this.#spread?.dispose()
  }

  async #runWhole(batch: Batch, step: number, rate: number): Promise<StepResult> {
    const shared = [...this.#gradientScalars(batch, step), ...this.#updateScalars(step, rate)]
    const outputs = this.#program.run([...batch.columns, batch.rowWeight, batch.rowIndex, ...shared])
    for (const tensor of shared) tensor.dispose()
    return { numbers: await read(outputs), reduceMs: 0 }
  }

  async #runHalves(batch: Batch, step: number, rate: number): Promise<StepResult> {
    const { gradientNorm, profile } = this.#job
    const clock = new Clock()
    const half =
      this.#context.workers === 1 ? await this.#beginAlone(batch, step) : await this.#beginReduced(batch, step)
    const { numbers, reduceMs } = half
    const norm = gradientNorm === undefined ? undefined : await half.norm(gradientNorm.without)
    const compute = clock.lap() - reduceMs
    const shared = Number.isFinite(numbers[0]) ? this.#updateScalars(step, rate) : undefined
    await half.end(shared).finally(() => this.#tf.dispose([...(shared ?? [])]))
    // The state is there once the update is done.
    if (profile) for (const tensor of this.#program.state()) tensor.dispose()
    return {
      numbers,
      reduceMs,
      ...(norm === undefined ? {} : { gradientNorm: norm }),
      ...(profile ? { phases: { ...batch.times, compute, reduce: reduceMs, update: clock.lap() } } : {}),
    }
  }

  /** Gradients of all slices, which stay on the engine. */
  async #beginAlone(batch: Batch, step: number): Promise<HalfStep> {
    const tf = this.#tf
    const shared = this.#gradientScalars(batch, step)
    const outputs = this.#program.gradients([...batch.columns, batch.rowWeight, batch.rowIndex, ...shared])
    for (const tensor of shared) tensor.dispose()
    const gradients = outputs.slice(this.#results)
    return {
      numbers: await read(outputs.slice(0, this.#results)),
      reduceMs: 0,
      norm: async (without) => {
        const trained = gradients.filter((_, i) => !without.includes(i))
        const norm = tf.tidy(() => tf.sqrt(tf.addN(trained.map((gradient) => tf.sum(tf.square(gradient))))))
        return (await read([norm]))[0]!
      },
      end: async (scalars) => {
        if (scalars !== undefined) this.#program.update([...gradients, ...scalars])
        for (const tensor of gradients) tensor.dispose()
      },
    }
  }

  /** Gradients of the owned slices, added up over all workers. */
  async #beginReduced(batch: Batch, step: number): Promise<HalfStep> {
    const vector = this.#vector
    let reduceMs = 0
    const reduce = async (sums: Float32Array, what?: 'gradients'): Promise<void> => {
      const clock = new Clock()
      await this.#context.reduce(step, sums, what)
      reduceMs += clock.lap()
    }
    const shared = this.#gradientScalars(batch, step)
    const inputs = [...batch.columns, batch.rowWeight, batch.rowIndex, ...shared]
    await this.#spread!.run(inputs, vector, async (sums) => reduce(sums)).finally(() => this.#tf.dispose(shared))
    await reduce(vector, 'gradients')
    return {
      numbers: [...vector.subarray(0, this.#numbers)],
      reduceMs,
      norm: async (without) => {
        const squares = Float32Array.of(this.#squares(without))
        if (this.#shard !== undefined) await reduce(squares)
        return Math.sqrt(squares[0]!)
      },
      end: async (scalars) => {
        if (scalars === undefined) return
        this.#program.flatUpdate(vector, scalars)
        await this.#shard?.spreadWeights(step, this.#program, vector.subarray(this.#numbers))
      },
    }
  }

  /** The sum of the squares of the gradients that are added up here. */
  #squares(without: readonly number[]): number {
    const { first, end: last } = this.#shard ?? { first: 0, end: Infinity }
    const { outputs, values } = this.#job.programs.gradients
    let [at, sum] = [this.#numbers, 0]
    for (const [i, { value }] of outputs.slice(this.#results).entries()) {
      const end = at + sizeOf(values[value]!.shape)
      if (i >= first && i < last && !without.includes(i)) for (let j = at; j < end; j++) sum += this.#vector[j]! ** 2
      at = end
    }
    return sum
  }

  #gradientScalars(batch: Batch, step: number): Tensor[] {
    const tf = this.#tf
    return [tf.scalar(1 / batch.globalRows), tf.scalar(fold(keyOf(this.#job.seed), step) | 0, 'int32')]
  }

  #updateScalars(step: number, rate: number): Tensor[] {
    return [this.#tf.scalar(rate), this.#tf.scalar(step + 1)]
  }
}

/** All numbers of tensors, one after the other; disposes them. */
export async function read(tensors: readonly Tensor[]): Promise<number[]> {
  const values = await Promise.all(tensors.map(async (tensor) => tensor.data()))
  for (const tensor of tensors) tensor.dispose()
  return values.flatMap((numbers) => [...numbers])
}

/** Milliseconds between laps. */
class Clock {
  #last = performance.now()

  lap(): number {
    const now = performance.now()
    const ms = now - this.#last
    this.#last = now
    return ms
  }
}
