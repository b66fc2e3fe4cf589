/**
 * A worker's shard of the optimiser's state (ZeRO-1: Rajbhandari et al., 2020). Of N workers each keeps the slots of about 1/N
 * of the weights, those of one run of whole tensors, and updates these weights only; then all get all weights. So a worker has
 * all weights, its own slots, and of the gradients needs the sums of its own.
 *
 * Invariant: the step's state is all weights, then the own slots in their order among all.
 */
import { sizeOf, type TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { narrowUpdate, slotOwners, tensorOf, type Step, type Trace } from '../../engine/index.js'
import type { TrainingJob } from './job.js'

/** Which shard is a worker's, and how shards come together. */
export interface ShardContext {
  readonly index: number
  readonly count: number
  /**
   * Brings the part `[bounds[i], bounds[i + 1])` of worker i's vector to all workers, in place. All call it after the same number of
   * steps with the same lengths.
   */
  gather(step: number, vector: Float32Array, bounds: readonly number[]): Promise<void>
}

/** Where the shards begin and end in the list of weights: runs of as equal a size as whole tensors allow. */
export function shardBounds(sizes: readonly number[], count: number): number[] {
  const ends = startsOf(sizes)
  const total = ends.at(-1)!
  const nearest = (target: number): number =>
    ends.reduce((best, end, i) => (Math.abs(end - target) < Math.abs(ends[best]! - target) ? i : best), 0)
  return Array.from({ length: count + 1 }, (_, i) => (i === count ? sizes.length : nearest((i * total) / count)))
}

/** The same in the flat gradients and weights. */
export function floatBounds({ start }: TrainingJob, count: number): number[] {
  const sizes = start.weights.map(({ shape }) => sizeOf(shape))
  const starts = startsOf(sizes)
  return shardBounds(sizes, count).map((weight) => starts[weight]!)
}

/** Where each of some lists begins when they lie one behind the other, and the end. */
function startsOf(sizes: readonly number[]): number[] {
  let sum = 0
  return [0, ...sizes.map((size) => (sum += size))]
}

/** @throws ShardbookError `argument` for a training whose optimiser's state cannot be in shards. */
export function checkShards({ programs, start, scalesLoss }: TrainingJob): number[] {
  if (scalesLoss) {
    throw new ShardbookError('argument', 'zero1: expected an optimiser without loss scaling, got one with it.', {
      hint: 'Whether a step counts depends on all gradients there. Share by allReduce.',
    })
  }
  return slotOwners(programs.update, start.weights.length)
}

export class StateShard {
  /** The update of the own weights. */
  readonly update: Trace
  /** The own weights: from the first up to `end`. */
  readonly first: number
  readonly end: number
  readonly #context: ShardContext
  /** All slots, by shard. */
  readonly #slots: readonly (readonly number[])[]
  readonly #shapes: TrainingJob['start']
  readonly #floats: readonly number[]

  constructor(job: TrainingJob, context: ShardContext) {
    const { weights } = job.start
    const { index, count } = context
    const bounds = shardBounds(
      weights.map(({ shape }) => sizeOf(shape)),
      count,
    )
    const owners = checkShards(job)
    const isIn = (weight: number, shard: number): boolean => weight >= bounds[shard]! && weight < bounds[shard + 1]!
    this.#context = context
    this.#shapes = job.start
    this.#floats = floatBounds(job, count)
    this.#slots = Array.from({ length: count }, (_, shard) =>
      owners.flatMap((owner, slot) => (isIn(owner, shard) ? [slot] : [])),
    )
    this.first = bounds[index]!
    this.end = bounds[index + 1]!
    this.update = narrowUpdate(job.programs.update, weights.length, {
      isOwn: (weight) => isIn(weight, index),
      slots: this.#slots[index]!,
    })
  }

  /** Of weights and all slots, weights and the own slots. */
  narrow(state: readonly TensorData[]): TensorData[] {
    const count = this.#shapes.weights.length
    return [...state.slice(0, count), ...this.#slots[this.#context.index]!.map((slot) => state[count + slot]!)]
  }

  /** Of weights and the own slots, weights and all slots; all workers at once. */
  async widen(step: number, state: readonly TensorData[]): Promise<TensorData[]> {
    const count = this.#shapes.weights.length
    const { slots } = this.#shapes
    const order = this.#slots.flat()
    const starts = startsOf(order.map((slot) => sizeOf(slots[slot]!.shape)))
    const edges = startsOf(this.#slots.map(({ length }) => length))
    const bounds = edges.map((edge) => starts[edge]!)
    const flat = new Float32Array(starts.at(-1)!)
    const from = edges[this.#context.index]!
    for (const [i, { values }] of state.slice(count).entries()) flat.set(values, starts[from + i])
    await this.#context.gather(step, flat, bounds)
    const all = [...slots]
    for (const [i, slot] of order.entries()) {
      const { shape, dtype } = slots[slot]!
      all[slot] = { shape, dtype, values: flat.slice(starts[i], starts[i + 1]) }
    }
    return [...state.slice(0, count), ...all]
  }

  /** After the own weights were updated: the others' new weights. `flat`, of the length of all weights, is free for use. */
  async spreadWeights(step: number, program: Step, flat: Float32Array): Promise<void> {
    const state = program.state()
    const { weights } = this.#shapes
    const starts = startsOf(weights.map(({ shape }) => sizeOf(shape)))
    const set = [...state]
    try {
      for (let i = this.first; i < this.end; i++) flat.set(await state[i]!.data<'float32'>(), starts[i])
      await this.#context.gather(step, flat, this.#floats)
      for (const [i, { shape }] of weights.entries()) {
        if (i >= this.first && i < this.end) continue
        set[i] = tensorOf({ shape, dtype: 'float32', values: flat.subarray(starts[i], starts[i + 1]) })
      }
      program.restore(set)
    } finally {
      for (const tensor of new Set([...state, ...set])) tensor.dispose()
    }
  }
}
