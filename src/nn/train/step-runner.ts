/**
 * Runs steps on an engine: whole ones, begun before the results of the one before are there, or in two halves with a look at the
 * gradients in between (to add them up over workers, for their norm, or to take times).
 *
 * Invariant: a step whose loss is not finite changes nothing, and neither does a step that was begun after it: its scale is made
 * from the loss before, so that it is not finite either.
 */
import type { Scalar, Tensor } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/dtype.js'
import { fold, keyOf } from '../../core/random.js'
import type { Step } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import type { Batch } from './batch-reader.js'
import type { PhaseTimes } from './event.js'
import type { TrainingJob } from './job.js'
import type { LoopContext } from './loop.js'
import { sumSize } from './loop-progress.js'

export interface StepResult {
  /** Mean of the loss over the global batch, then the sums of the metrics. */
  readonly numbers: readonly number[]
  readonly reduceMs: number
  readonly gradientNorm?: number
  readonly phases?: PhaseTimes
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
  /** The loss of the whole step that was begun last. */
  #lastLoss: Tensor | undefined

  constructor(tf: Tf, job: TrainingJob, context: LoopContext, program: Step) {
    const { gradients } = job.programs
    this.#tf = tf
    this.#job = job
    this.#context = context
    this.#program = program
    this.overlaps = context.workers === 1 && job.gradientNorm === undefined && job.profile !== true
    this.#results = 1 + job.metrics.length
    this.#numbers = job.metrics.reduce((n, _, i) => n + sumSize(gradients, i + 1), 1)
    const floats = gradients.outputs.reduce((n, { value }) => n + sizeOf(gradients.values[value]!.shape), 0)
    this.#vector = new Float32Array(context.workers === 1 ? 0 : floats)
  }

  /** Begins step `step` (from 0). What is computed with is taken before this returns. */
  async run(batch: Batch, step: number, rate: number): Promise<StepResult> {
    return this.overlaps ? this.#runWhole(batch, step, rate) : this.#runHalves(batch, step, rate)
  }

  dispose(): void {
    this.#lastLoss?.dispose()
    this.#lastLoss = undefined
  }

  async #runWhole(batch: Batch, step: number, rate: number): Promise<StepResult> {
    const shared = [...this.#gradientScalars(batch, step), ...this.#updateScalars(step, rate)]
    const outputs = this.#program.run([...batch.columns, batch.rowWeight, batch.rowIndex, ...shared])
    for (const tensor of shared) tensor.dispose()
    this.#lastLoss?.dispose()
    this.#lastLoss = outputs[0]!.clone()
    return { numbers: await read(outputs), reduceMs: 0 }
  }

  async #runHalves(batch: Batch, step: number, rate: number): Promise<StepResult> {
    const { gradientNorm, profile } = this.#job
    const clock = new Clock()
    const { numbers, gradients, reduceMs } =
      this.#context.workers === 1 ? await this.#gradientsAlone(batch, step) : await this.#gradientsReduced(batch, step)
    try {
      const norm = gradientNorm === undefined ? undefined : await this.#norm(gradients, gradientNorm.without)
      const compute = clock.lap() - reduceMs
      if (Number.isFinite(numbers[0])) {
        const shared = this.#updateScalars(step, rate)
        this.#program.update([...gradients, ...shared])
        for (const tensor of shared) tensor.dispose()
        // The state is there once the update is done.
        if (profile) for (const tensor of this.#program.state()) tensor.dispose()
      }
      return {
        numbers,
        reduceMs,
        ...(norm === undefined ? {} : { gradientNorm: norm }),
        ...(profile ? { phases: { ...batch.times, compute, reduce: reduceMs, update: clock.lap() } } : {}),
      }
    } finally {
      for (const tensor of gradients) tensor.dispose()
    }
  }

  async #gradientsAlone(batch: Batch, step: number) {
    const shared = this.#gradientScalars(batch, step)
    const outputs = this.#program.gradients([...batch.columns, batch.rowWeight, batch.rowIndex, ...shared])
    for (const tensor of shared) tensor.dispose()
    const numbers = await read(outputs.slice(0, this.#results))
    return { numbers, gradients: outputs.slice(this.#results), reduceMs: 0 }
  }

  /** Gradients of the owned slices, added up over all workers. */
  async #gradientsReduced(batch: Batch, step: number) {
    const vector = this.#vector
    vector.fill(0)
    if (this.#context.owned.length > 0) {
      const shared = this.#gradientScalars(batch, step)
      const outputs = this.#program.gradients([...batch.columns, batch.rowWeight, batch.rowIndex, ...shared])
      for (const tensor of shared) tensor.dispose()
      let at = 0
      for (const output of outputs) {
        vector.set(await output.data(), at)
        at += output.size
        output.dispose()
      }
    }
    const clock = new Clock()
    await this.#context.reduce(step, vector)
    const reduceMs = clock.lap()
    return { numbers: [...vector.subarray(0, this.#numbers)], gradients: this.#split(), reduceMs }
  }

  /** The gradients in the reduced vector as tensors. */
  #split(): Tensor[] {
    const { outputs, values } = this.#job.programs.gradients
    let at = this.#numbers
    return outputs.slice(this.#results).map(({ value }) => {
      const { shape, dtype } = values[value]!
      const size = sizeOf(shape)
      const tensor = this.#tf.tensor(this.#vector.slice(at, at + size), [...shape], dtype)
      at += size
      return tensor
    })
  }

  async #norm(gradients: readonly Tensor[], without: readonly number[]): Promise<number> {
    const tf = this.#tf
    const trained = gradients.filter((_, i) => !without.includes(i))
    const [norm] = await read([tf.tidy(() => tf.sqrt(tf.addN(trained.map((gradient) => tf.sum(tf.square(gradient))))))])
    return norm!
  }

  #gradientScalars(batch: Batch, step: number): Tensor[] {
    const tf = this.#tf
    const last = this.#lastLoss
    const scale = tf.scalar(1 / batch.globalRows)
    const key = tf.scalar(fold(keyOf(this.#job.seed), step) | 0, 'int32')
    if (last === undefined) return [scale, key]
    // Zero times a loss is 0, or not a number where the loss is not finite.
    const guarded = tf.tidy(() => tf.add<Scalar>(scale, tf.mul(last, 0)))
    scale.dispose()
    return [guarded, key]
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
