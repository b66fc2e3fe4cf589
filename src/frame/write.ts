/** Writing frames to files, whole or not at all, in bounded memory. */
import { resolve } from 'node:path'
import { ShardbookError } from '../core/errors.js'
import { localStore, putFile } from '../store/index.js'
import { copyPlan } from './engine/duckdb/index.js'
import { prepare } from './execute.js'
import type { Plan } from './plan.js'
import { describeType } from './schema-spec.js'

export interface FrameWriter {
  /** A Parquet file; tensors as lists, which `read.parquet` makes tensors again. */
  parquet(path: string): Promise<void>
  /** An Arrow IPC file, made in memory. */
  arrow(path: string): Promise<void>
  /** A CSV file with a header; null as nothing. @throws `column` for a tensor column */
  csv(path: string, options?: { readonly separator?: string }): Promise<void>
}

export function writer(plan: Plan): FrameWriter {
  return {
    parquet: (path) => write(plan, path, { format: 'parquet' }),
    arrow: async (path) => {
      const { toArrow } = await import('./arrow/to-arrow.js')
      const { toIpc } = await import('./arrow/from-arrow.js')
      await localStore().put(resolve(path), toIpc(await toArrow(plan)))
    },
    csv: async (path, { separator = ',' } = {}) => {
      const tensor = plan.schema.find(({ type }) => type.kind === 'tensor')
      if (tensor !== undefined) {
        throw new ShardbookError(
          'column',
          `write.csv: expected plain columns, got '${tensor.name}' of type ${describeType(tensor)}.`,
          {
            hint: 'Use write.parquet, or drop the column.',
          },
        )
      }
      await write(plan, path, { format: 'csv', separator })
    },
  }
}

async function write(plan: Plan, path: string, format: Parameters<typeof copyPlan>[2]): Promise<void> {
  const prepared = await prepare(plan)
  await putFile(resolve(path), (temporary) => copyPlan(prepared, temporary, format))
}
