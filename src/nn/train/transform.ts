/** Inference over rows: what a process does with a `TransformJob`, or with a slice of one. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/dtype.js'
import type { TensorData } from '../../core/dtype.js'
import type { Engine } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import type { Feed, FrameSource } from '../../frame/index.js'
import type { TransformJob } from '../strategy.js'
import { BatchReader } from './batch-reader.js'

export interface TransformContext {
  readonly open: (source: FrameSource, options: { slices: number; slice: number }) => Promise<Feed>
  readonly engine: Engine
  /** Of the source's batches, those whose number is `slice` modulo `slices`. */
  readonly slices: number
  readonly slice: number
  /** Batches to leave out at the beginning. Default 0. */
  readonly skip?: number
}

/** The rows of one batch, in source order. */
export interface TransformedRows {
  readonly rows: number
  readonly outputs: readonly TensorData[]
}

/** Runs the job's program over a slice's batches, one after the other. */
export async function* openTransform(
  tf: Tf,
  { program, weights, data, batchRows }: TransformJob,
  { engine, open, slices, slice, skip = 0 }: TransformContext,
): AsyncGenerator<TransformedRows, void, undefined> {
  const reader = await BatchReader.open(tf, data, { open, owned: [0] }, { slices: 1, rowsPerSlice: batchRows, program })
  const runner = new BatchProgram(tf, engine, program, weights, batchRows)
  try {
    const first = slice + skip * slices
    for await (const { columns, globalRows: rows } of reader.batches({ skip: first, every: slices })) {
      yield { rows, outputs: await runner.run(columns, rows) }
    }
  } finally {
    runner.dispose()
    await reader.close()
  }
}

/**
 * An inference program with its weights on the engine. It takes whole batches of `batchRows` rows, a multiple of the rows
 * that it was recorded with: the engine runs that many slices at once.
 */
export class BatchProgram {
  readonly #weights: readonly Tensor[]
  readonly #program: ReturnType<Engine['load']>

  constructor(
    tf: Tf,
    engine: Engine,
    program: TransformJob['program'],
    weights: readonly TensorData[],
    batchRows: number,
  ) {
    const input = program.inputs.find(({ split }) => split)!
    const rows = program.values[input.value]!.shape[0]!
    this.#program = engine.load(program, { slices: batchRows / rows })
    this.#weights = weights.map(({ values, shape, dtype }) => tf.tensor(values.slice(), [...shape], dtype))
  }

  /** The first `rows` rows of each output. The columns stay the caller's. */
  async run(columns: readonly Tensor[], rows: number): Promise<TensorData[]> {
    const results: TensorData[] = []
    for (const output of this.#program.run([...this.#weights, ...columns])) {
      const [, ...shape] = output.shape
      const values = (await output.data<'float32' | 'int32'>()).slice(0, rows * sizeOf(shape))
      results.push({ shape: [rows, ...shape], dtype: output.dtype as TensorData['dtype'], values })
      output.dispose()
    }
    return results
  }

  dispose(): void {
    this.#program.dispose()
    for (const tensor of this.#weights) tensor.dispose()
  }
}
