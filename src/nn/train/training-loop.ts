/**
 * The loop behind `createLoop`.
 *
 * Invariants: weights and slots change only when a step is applied as a whole; `step` counts those. What happens at an
 * epoch's end depends on `step` alone (never on what this process remembers), so that after a failure a fresh worker and
 * the survivors call `reduce` in the same order.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import type { TensorData } from '../../core/dtype.js'
import { sizeOf } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { fold, keyOf } from '../../core/random.js'
import type { Program } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import type { Batch, BatchReader } from './batch-reader.js'
import { EpochSums } from './epoch-sums.js'
import type { TrainingJob, TrainingState } from './job.js'
import type { Loop, LoopContext } from './loop.js'

export class TrainingLoop implements Loop {
  #step = 0
  #weights: Tensor[] = []
  #slots: Tensor[] = []
  #sums = new EpochSums()
  #started = false
  #reportedEpoch = 0
  #disposed = false
  readonly #tf: Tf
  readonly #job: TrainingJob
  readonly #context: LoopContext
  readonly #data: BatchReader
  readonly #validation: BatchReader | undefined
  /** Absent on a worker that owns no slice. */
  readonly #gradients: Program | undefined
  readonly #evaluate: Program | undefined
  readonly #update: Program
  /** Loss, metrics and gradients of one step, flat: what is reduced. Unused with one worker. */
  readonly #vector: Float32Array

  constructor(tf: Tf, job: TrainingJob, context: LoopContext, data: BatchReader, validation: BatchReader | undefined) {
    const { engine, owned, workers } = context
    const { gradients, update, evaluate } = job.programs
    if (data.totalRows === 0)
      throw new ShardbookError('data', 'training: expected rows to train on, got an empty frame.')
    this.#tf = tf
    this.#job = job
    this.#context = context
    this.#data = data
    this.#validation = validation
    const slices = { slices: owned.length }
    this.#gradients = owned.length === 0 ? undefined : engine.load(gradients, slices)
    this.#evaluate = owned.length === 0 || validation === undefined ? undefined : engine.load(evaluate, slices)
    this.#update = engine.load(update)
    const floats = gradients.outputs.reduce((n, { value }) => n + sizeOf(gradients.values[value]!.shape), 0)
    this.#vector = new Float32Array(workers === 1 ? 0 : floats)
    this.restore(job.start)
  }

  get step(): number {
    return this.#step
  }

  async run(): Promise<'done' | 'stopped'> {
    const { epochs, seed } = this.#job
    const { stepsPerEpoch } = this.#data
    this.#reportStart()
    if (this.#step > 0 && this.#step % stepsPerEpoch === 0) await this.#endEpoch()
    while (this.#step < epochs * stepsPerEpoch) {
      const epoch = Math.floor(this.#step / stepsPerEpoch)
      let began = performance.now()
      for await (const batch of this.#data.batches({ seed, epoch, skip: this.#step % stepsPerEpoch })) {
        if ((await this.#context.gate(this.#step)) === 'stop') return 'stopped'
        await this.#runStep(batch, epoch, began)
        began = performance.now()
        await nextTurn()
      }
      await this.#endEpoch()
    }
    return 'done'
  }

  async snapshot(): Promise<TrainingState> {
    const read = async (tensors: readonly Tensor[]): Promise<TensorData[]> =>
      Promise.all(
        tensors.map(async (tensor) => ({
          shape: [...tensor.shape],
          dtype: tensor.dtype as TensorData['dtype'],
          values: (await tensor.data<'float32' | 'int32'>()).slice(),
        })),
      )
    const step = this.#step
    const [weights, slots] = await Promise.all([read(this.#weights), read(this.#slots)])
    return { step, weights, slots }
  }

  restore({ step, weights, slots }: TrainingState): void {
    const { start } = this.#job
    checkSame('weights', start.weights, weights)
    checkSame('slots', start.slots, slots)
    this.#replace(
      weights.map((data) => this.#tensor(data)),
      slots.map((data) => this.#tensor(data)),
    )
    this.#step = step
    this.#sums = new EpochSums()
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    this.#replace([], [])
    for (const program of [this.#gradients, this.#evaluate, this.#update]) program?.dispose()
    await Promise.all([this.#data.close(), this.#validation?.close()])
  }

  async #runStep(batch: Batch, epoch: number, began: number): Promise<void> {
    const { rates, metrics: names } = this.#job
    const step = this.#step
    const scale = 1 / batch.globalRows
    const { scalars, gradients } = await this.#computeGradients(batch, scale)
    const learningRate = rates[Math.min(step, rates.length - 1)]!
    try {
      const loss = scalars[0]!
      if (!Number.isFinite(loss)) throw diverged(step, loss, learningRate)
      this.#apply(gradients, learningRate)
      const metrics = scalars.slice(1).map((sum) => sum * scale)
      this.#sums.add(batch.globalRows, [loss, ...metrics])
      this.#context.report({
        kind: 'step',
        step: this.#step,
        epoch: epoch + 1,
        loss,
        metrics: record(names, metrics),
        learningRate,
        rows: batch.globalRows,
        stepMs: performance.now() - began,
      })
    } finally {
      for (const tensor of gradients) tensor.dispose()
    }
  }

  /** Loss, metric sums and gradients of the global batch. */
  async #computeGradients(batch: Batch, scale: number): Promise<{ scalars: number[]; gradients: Tensor[] }> {
    const tf = this.#tf
    const count = 1 + this.#job.metrics.length
    const factor = this.#job.scalesLoss ? (await this.#slots[0]!.data())[0]! : 1
    const shared = [tf.scalar(scale * factor), tf.scalar(fold(keyOf(this.#job.seed), this.#step) | 0, 'int32')]
    let outputs: Tensor[] = []
    try {
      outputs =
        this.#gradients?.run([...this.#weights, ...batch.columns, batch.rowWeight, batch.rowIndex, ...shared]) ?? []
    } finally {
      for (const tensor of shared) tensor.dispose()
    }
    if (this.#context.workers === 1) {
      const [loss, ...metrics] = await readScalars(outputs.slice(0, count))
      return { scalars: [loss! / factor, ...metrics], gradients: outputs.slice(count) }
    }
    const vector = this.#vector
    vector.fill(0)
    let at = 0
    for (const output of outputs) {
      vector.set(await output.data(), at)
      at += output.size
      output.dispose()
    }
    await this.#context.reduce(this.#step, vector)
    const [loss, ...metrics] = vector.subarray(0, count)
    return { scalars: [loss! / factor, ...metrics], gradients: this.#split(count) }
  }

  /** The tensors in the reduced vector, from output `first` of the gradient program on. */
  #split(first: number): Tensor[] {
    const { outputs, values } = this.#job.programs.gradients
    let at = first // the outputs before are scalars
    return outputs.slice(first).map(({ value }) => {
      const { shape, dtype } = values[value]!
      const size = sizeOf(shape)
      const tensor = this.#tf.tensor(this.#vector.slice(at, at + size), [...shape], dtype)
      at += size
      return tensor
    })
  }

  #apply(gradients: readonly Tensor[], learningRate: number): void {
    const shared = [this.#tf.scalar(learningRate), this.#tf.scalar(this.#step + 1)]
    try {
      const next = this.#update.run([...this.#weights, ...this.#slots, ...gradients, ...shared])
      this.#replace(next.slice(0, this.#weights.length), next.slice(this.#weights.length))
      this.#step++
    } finally {
      for (const tensor of shared) tensor.dispose()
    }
  }

  async #endEpoch(): Promise<void> {
    const epoch = this.#step / this.#data.stepsPerEpoch
    const validation = this.#validation === undefined ? undefined : await this.#validate(this.#validation)
    const sums = this.#sums
    this.#sums = new EpochSums()
    if (sums.rows === 0 || epoch <= this.#reportedEpoch) return
    this.#reportedEpoch = epoch
    const [loss, ...metrics] = sums.means()
    this.#context.report({
      kind: 'epoch',
      epoch,
      step: this.#step,
      loss: loss!,
      metrics: record(this.#job.metrics, metrics),
      ...(validation === undefined ? {} : { validation }),
    })
  }

  /** Means of loss and metrics over all rows of the validation data. */
  async #validate(reader: BatchReader): Promise<Readonly<Record<string, number>>> {
    const names = ['loss', ...this.#job.metrics]
    const sums = new Float32Array(names.length)
    if (this.#evaluate !== undefined) {
      for await (const batch of reader.batches()) {
        const outputs = this.#evaluate.run([...this.#weights, ...batch.columns, batch.rowWeight])
        for (const [i, value] of (await readScalars(outputs)).entries()) sums[i]! += value
        await nextTurn()
      }
    }
    if (this.#context.workers > 1) await this.#context.reduce(this.#step, sums)
    return record(
      names,
      [...sums].map((sum) => sum / reader.totalRows),
    )
  }

  #reportStart(): void {
    if (this.#started) return
    this.#started = true
    const { name, epochs } = this.#job
    const { engine, workers } = this.#context
    const { stepsPerEpoch } = this.#data
    this.#context.report({ kind: 'start', name, epochs, stepsPerEpoch, workers, engine: engine.name })
  }

  #tensor({ values, shape, dtype }: TensorData): Tensor {
    return this.#tf.tensor(values.slice(), [...shape], dtype)
  }

  #replace(weights: Tensor[], slots: Tensor[]): void {
    for (const tensor of [...this.#weights, ...this.#slots]) tensor.dispose()
    this.#weights = weights
    this.#slots = slots
  }
}

async function readScalars(tensors: readonly Tensor[]): Promise<number[]> {
  const values: number[] = []
  for (const tensor of tensors) {
    values.push((await tensor.data())[0]!)
    tensor.dispose()
  }
  return values
}

function record(names: readonly string[], values: readonly number[]): Readonly<Record<string, number>> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]!]))
}

function checkSame(what: string, expected: readonly TensorData[], got: readonly TensorData[]): void {
  const shapes = (list: readonly TensorData[]): string => list.map(({ shape }) => `[${shape.join(', ')}]`).join(' ')
  if (shapes(expected) === shapes(got)) return
  throw new ShardbookError(
    'state',
    `training: expected ${what} of shapes ${shapes(expected)}, got ${shapes(got)}: this is the state of another model.`,
  )
}

function diverged(step: number, loss: number, learningRate: number): ShardbookError {
  return new ShardbookError(
    'data',
    `training: expected a finite loss, got ${loss} at step ${step + 1} (learning rate ${learningRate}).`,
    { hint: 'Lower stepSize, or look for NaN and infinite values in the data. The weights are as before that step.' },
  )
}

/** Lets input, output and timers of the process have their turn. */
async function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
