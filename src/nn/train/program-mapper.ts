/**
 * How a model's transform reaches a frame: the frame's plan names this mapper and carries a recorded program with its
 * weights, plain data, so that the plan runs in any process that has provided the mapper.
 */
import { sizeOf } from '../../core/dtype.js'
import type { TensorData } from '../../core/dtype.js'
import { currentEngine, loadTf, openEngine } from '../../engine/index.js'
import type { Trace } from '../../engine/index.js'
import { provideMapper } from '../../frame/index.js'
import type { FeedBatch, FeedColumn } from '../../frame/index.js'
import { BatchProgram } from './transform.js'

/** What the plan carries. */
export interface ProgramPayload {
  /** weights..., columns... [rows, ...] split -> a tensor for each added column, named like it, by concat. */
  readonly program: Trace
  readonly weights: readonly TensorData[]
  /** Rows a call: a multiple of the rows that the program was recorded with. */
  readonly batchRows: number
}

export const programMapper = 'nn.program'

/** Makes the mapper known in this process; again does nothing. Whatever builds or runs plans with models calls it first. */
export function provideProgramMapper(): void {
  provideMapper(programMapper, async (payload) => openProgram(payload as ProgramPayload))
}

async function openProgram({ program, weights, batchRows }: ProgramPayload) {
  const engine = currentEngine() ?? (await openEngine('auto'))
  const tf = await loadTf()
  const runner = new BatchProgram(tf, engine, program, weights, batchRows)
  const columns = program.inputs.filter(({ split }) => split)

  const runRows = async (batch: FeedBatch, from: number, rows: number): Promise<TensorData[]> => {
    const tensors = columns.map(({ name, value }) => {
      const { dtype, shape } = program.values[value]!
      const size = sizeOf(shape.slice(1))
      // Rows that the batch lacks stay zero; their results are dropped.
      const values = dtype === 'float32' ? new Float32Array(batchRows * size) : new Int32Array(batchRows * size)
      values.set(batch.columns[name]!.values.subarray(from * size, (from + rows) * size))
      return tf.tensor(values, [batchRows, ...shape.slice(1)], dtype)
    })
    try {
      return await runner.run(tensors, rows)
    } finally {
      for (const tensor of tensors) tensor.dispose()
    }
  }

  const map = async (batch: FeedBatch): Promise<Readonly<Record<string, FeedColumn>>> => {
    const results = program.outputs.map(({ name, value }) => {
      const { shape, dtype } = program.values[value]!
      const own = shape.slice(1)
      const length = batch.rows * sizeOf(own)
      const values = dtype === 'float32' ? new Float32Array(length) : new Int32Array(length)
      return { name, shape: own, dtype: dtype === 'float32' ? 'float32' : 'int32', values } as const
    })
    for (let from = 0; from < batch.rows; from += batchRows) {
      const parts = await runRows(batch, from, Math.min(batchRows, batch.rows - from))
      for (const [i, { values, shape }] of results.entries()) values.set(parts[i]!.values, from * sizeOf(shape))
    }
    return Object.fromEntries(results.map(({ name, dtype, shape, values }) => [name, { dtype, shape, values }]))
  }
  return { map, close: async () => runner.dispose() }
}
