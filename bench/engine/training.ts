/** Our contestants: the training loop of the product over a workload, and the same network without any graph. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { allocate, sizeOf } from '../../src/core/dtype.js'
import type { TensorData } from '../../src/core/dtype.js'
import { type Engine, loadTf } from '../../src/engine/index.js'
import type { Feed, FeedBatch, FeedColumn } from '../../src/frame/index.js'
import { slicesOf } from '../../src/nn/ml/fit.js'
import { adam } from '../../src/nn/optimiser.js'
import type { TrainingJob } from '../../src/nn/train/job.js'
import { createLoop } from '../../src/nn/train/loop.js'
import { recordPrograms } from '../../src/nn/train/programs.js'
import { type Workload, objectiveOf } from './workloads.js'

/** A training that waits for leave to go on. */
export interface Stepper {
  /** Trains `count` steps; the loss of each. */
  run(count: number): Promise<number[]>
  close(): Promise<void>
}

/** The product's own loop, as an estimator starts it, fed from memory. The engine must be the current one. */
export async function loopStepper(engine: Engine, workload: Workload): Promise<Stepper> {
  const { batchRows, weights, learningRate } = workload
  const tf = await loadTf()
  const slices = slicesOf(workload.network, batchRows)
  const objective = objectiveOf(workload)
  const start = { step: 0, weights, slots: adam().init(weights) }
  const job: TrainingJob = {
    version: 1,
    name: workload.name,
    engine: engine.name,
    seed: 0,
    epochs: 1e9,
    batchRows,
    slices,
    metrics: [],
    programs: recordPrograms(tf, objective, adam(), start, batchRows / slices),
    start,
    data: { plan: { kind: 'memory' } as never, columns: objective.columns.map(({ name }) => name) }, // never opened: the feed below stands for it
    rates: [learningRate],
  }
  let left = 0
  let wanted = 0
  let losses: number[] = []
  let waits = false
  let wake: (leave: 'go' | 'stop') => void = () => {}
  let finished: (losses: number[]) => void = () => {}
  /** The loop waits for leave before the last step's loss is known. */
  const look = (): void => {
    if (waits && losses.length === wanted) finished(losses)
  }
  const loop = await createLoop(job, {
    engine,
    owned: Array.from({ length: slices }, (_, slice) => slice),
    workers: 1,
    open: async (_, options) => memoryFeed(workload, options),
    reduce: async () => {},
    async gate() {
      if (left-- > 0) return 'go'
      const leave = new Promise<'go' | 'stop'>((resolve) => (wake = resolve))
      waits = true
      look()
      return leave
    },
    report(event) {
      if (event.kind !== 'step') return
      losses.push(event.loss)
      look()
    },
  })
  const pause = async (begin: () => void): Promise<number[]> =>
    new Promise((resolve, reject) => {
      finished = resolve
      failed = reject
      begin()
    })
  let failed: (error: unknown) => void = () => {}
  let ended: Promise<unknown> = Promise.resolve()
  await pause(() => {
    ended = loop.run().catch((error: unknown) => failed(error))
  })
  return {
    async run(count) {
      losses = []
      waits = false
      wanted = count
      left = count - 1
      return pause(() => wake('go'))
    },
    async close() {
      wake('stop')
      await ended
      await loop.dispose()
    },
  }
}

/**
 * The same network, loss and optimiser as plain TensorFlow.js calls on the current engine: no trace. With slices the gradients
 * of a batch are added up as the loop adds them, so that losses differ by nothing else.
 */
export async function eagerStepper(workload: Workload, slices = 1): Promise<Stepper> {
  const tf = await loadTf()
  const { batchRows, learningRate } = workload
  const objective = objectiveOf(workload)
  const optimiser = adam()
  const tensorOf = ({ values, shape, dtype }: TensorData): Tensor => tf.tensor(values.slice(), [...shape], dtype)
  let weights = workload.weights.map(tensorOf)
  let slots = optimiser.init(workload.weights).map(tensorOf)
  const steps = workload.x.shape[0]! / batchRows
  const index = (batch: number, slice: number) =>
    Int32Array.from({ length: batchRows / slices }, (_, i) => batch * batchRows + slice + i * slices)
  const batches = Array.from({ length: steps }, (_, batch) =>
    Array.from({ length: slices }, (__, slice) =>
      [workload.x, workload.y].map((data) => {
        const { values, shape, dtype } = pick(data, index(batch, slice))
        return tf.tensor(values, [batchRows / slices, ...shape], dtype as 'float32')
      }),
    ),
  )
  let done = 0

  function gradients(columns: readonly Tensor[]) {
    return tf.valueAndGrads((...current: Tensor[]) => {
      const { output, target } = objective.forward({ tf }, current, columns)
      return tf.mul(tf.sum(objective.loss.rows(tf, output, target)), 1 / batchRows)
    })(weights)
  }

  function step(): number {
    const slicesOfBatch = batches[done++ % steps]!
    const [loss, next] = tf.tidy(() => {
      const parts = slicesOfBatch.map(gradients)
      const sum = (tensors: Tensor[]): Tensor => (slices === 1 ? tensors[0]! : tf.addN(tensors))
      const grads = weights.map((_, i) => sum(parts.map((part) => part.grads[i]!)))
      const value = sum(parts.map((part) => part.value))
      const updated = optimiser.update(tf, {
        weights,
        slots,
        gradients: grads,
        learningRate: tf.scalar(learningRate),
        step: tf.scalar(done),
      })
      return [value, { ...updated }]
    }) as [Tensor, { weights: Tensor[]; slots: Tensor[] }]
    const [result] = loss.dataSync()
    for (const tensor of [loss, ...weights, ...slots]) tensor.dispose()
    ;({ weights, slots } = next)
    return result!
  }

  return {
    run: async (count) => Array.from({ length: count }, step),
    async close() {
      for (const tensor of [...weights, ...slots, ...batches.flat(2)]) tensor.dispose()
    },
  }
}

/** Slice `slice` of a workload's rows, in their order. */
function memoryFeed({ x, y }: Workload, { slices, slice }: { slices: number; slice: number }): Feed {
  const totalRows = x.shape[0]!
  const index = Int32Array.from({ length: Math.ceil((totalRows - slice) / slices) }, (_, i) => slice + i * slices)
  const columns = { x: pick(x, index), y: pick(y, index) }
  return {
    rows: index.length,
    totalRows,
    async *batches({ rows, skip = 0 }) {
      for (let at = skip * rows; at < index.length; at += rows) {
        const part = ({ dtype, shape, values }: FeedColumn): FeedColumn => {
          const size = sizeOf(shape)
          return { dtype, shape, values: values.subarray(at * size, (at + rows) * size) }
        }
        const batch: FeedBatch = {
          rows: Math.min(rows, index.length - at),
          index: index.subarray(at, at + rows),
          columns: { x: part(columns.x), y: part(columns.y) },
        }
        yield batch
      }
    },
    close: async () => {},
  }
}

function pick({ values, shape, dtype }: TensorData, index: Int32Array): FeedColumn {
  const own = shape.slice(1)
  const size = sizeOf(own)
  const picked = allocate(dtype, index.length * size)
  for (const [i, row] of index.entries()) picked.set(values.subarray(row * size, (row + 1) * size), i * size)
  return { dtype: dtype as FeedColumn['dtype'], shape: own, values: picked }
}
