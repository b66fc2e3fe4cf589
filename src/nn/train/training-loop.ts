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
import { loadSpreadGradients } from '../../engine/index.js'
import type { Program, SpreadProgram, Step } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import type { Batch, BatchReader } from './batch-reader.js'
import { EpochSums } from './epoch-sums.js'
import type { TrainingJob, TrainingState } from './job.js'
import type { Loop, LoopContext } from './loop.js'

export class TrainingLoop implements Loop {
  #step = 0
  #sums = new EpochSums()
  #started = false
  #reportedEpoch = 0
  #disposed = false
  readonly #tf: Tf
  readonly #job: TrainingJob
  readonly #context: LoopContext
  readonly #data: BatchReader
  readonly #validation: BatchReader | undefined
  /** Owns weights and slots. */
  readonly #program: Step
  /** Its gradients, where there are other workers. */
  readonly #gradients: SpreadProgram | undefined
  /** Absent without validation data and on a worker that owns no slice. */
  readonly #evaluate: Program | undefined
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
    const reads = job.start.weights.length + (job.scalesLoss ? 1 : 0)
    const traces = { gradients, update, reads, results: 1 + job.metrics.length }
    this.#program = engine.loadStep(traces, { slices: Math.max(owned.length, 1) })
    this.#gradients = workers === 1 ? undefined : loadSpreadGradients(engine, this.#program, traces, owned.length)
    this.#evaluate = owned.length === 0 || validation === undefined ? undefined : engine.load(evaluate, slices)
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
    const step = this.#step
    const state = this.#program.state()
    const read = await Promise.all(
      state.map(async (tensor) => ({
        shape: [...tensor.shape],
        dtype: tensor.dtype as TensorData['dtype'],
        values: (await tensor.data<'float32' | 'int32'>()).slice(),
      })),
    )
    for (const tensor of state) tensor.dispose()
    const count = this.#job.start.weights.length
    return { step, weights: read.slice(0, count), slots: read.slice(count) }
  }

  restore({ step, weights, slots }: TrainingState): void {
    const { start } = this.#job
    checkSame('weights', start.weights, weights)
    checkSame('slots', start.slots, slots)
    const state = [...weights, ...slots].map(({ values, shape, dtype }) =>
      this.#tf.tensor(values.slice(), [...shape], dtype),
    )
    this.#program.restore(state)
    for (const tensor of state) tensor.dispose()
    this.#step = step
    this.#sums = new EpochSums()
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    this.#gradients?.dispose()
    this.#program.dispose()
    this.#evaluate?.dispose()
    await Promise.all([this.#data.close(), this.#validation?.close()])
  }

  async #runStep(batch: Batch, epoch: number, began: number): Promise<void> {
    const { rates, metrics: names } = this.#job
    const step = this.#step
    const scale = 1 / batch.globalRows
    const learningRate = rates[Math.min(step, rates.length - 1)]!
    const { workers } = this.#context
    const scalars = await (workers === 1
      ? this.#runAlone(batch, scale, learningRate)
      : this.#runReduced(batch, scale, learningRate))
    const loss = scalars[0]!
    if (!Number.isFinite(loss)) throw diverged(step, loss, learningRate)
    this.#step++
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
  }

  /** The whole step at once; loss and metric sums. */
  async #runAlone(batch: Batch, scale: number, learningRate: number): Promise<number[]> {
    const shared = [...this.#gradientScalars(scale), ...this.#updateScalars(learningRate)]
    try {
      return await readScalars(this.#program.run([...batch.columns, batch.rowWeight, batch.rowIndex, ...shared]))
    } finally {
      for (const tensor of shared) tensor.dispose()
    }
  }

  /** Gradients of the owned slices, added up over all workers, then applied where the loss is finite. */
  async #runReduced(batch: Batch, scale: number, learningRate: number): Promise<number[]> {
    const vector = this.#vector
    vector.fill(0)
    const reduce = async (sums: Float32Array): Promise<void> => this.#context.reduce(this.#step, sums)
    const shared = this.#gradientScalars(scale)
    const given = [...batch.columns, batch.rowWeight, batch.rowIndex, ...shared]
    const outputs = await this.#gradients!.run(given, reduce).finally(() => this.#tf.dispose(shared))
    let at = 0
    for (const output of outputs) {
      vector.set(await output.data(), at)
      at += output.size
      output.dispose()
    }
    await reduce(vector)
    const count = 1 + this.#job.metrics.length
    if (Number.isFinite(vector[0])) {
      const inputs = [...this.#split(count), ...this.#updateScalars(learningRate)]
      this.#program.update(inputs)
      for (const tensor of inputs) tensor.dispose()
    }
    return [...vector.subarray(0, count)]
  }

  #gradientScalars(scale: number): Tensor[] {
    const key = fold(keyOf(this.#job.seed), this.#step) | 0
    return [this.#tf.scalar(scale), this.#tf.scalar(key, 'int32')]
  }

  #updateScalars(learningRate: number): Tensor[] {
    return [this.#tf.scalar(learningRate), this.#tf.scalar(this.#step + 1)]
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
      const state = this.#program.state()
      const weights = state.slice(0, this.#job.start.weights.length)
      try {
        for await (const batch of reader.batches()) {
          const outputs = this.#evaluate.run([...weights, ...batch.columns, batch.rowWeight])
          for (const [i, value] of (await readScalars(outputs)).entries()) sums[i]! += value
          await nextTurn()
        }
      } finally {
        for (const tensor of state) tensor.dispose()
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
