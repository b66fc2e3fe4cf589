/** A SQL function that turns references into arrays of values: how tensors get into files. */
import type { DuckDBConnection } from '@duckdb/node-api'
import { sizeOf } from '../../../core/dtype.js'
import type { TensorType } from '../../schema.js'
import { allocateStored, type Gatherer } from '../../tensor/store.js'
import type { DuckDB } from './chunk.js'

let counter = 0

/** Registers the function for one column of one query; its name. */
export function registerGather(
  { api, bindings }: DuckDB,
  connection: DuckDBConnection,
  type: TensorType,
  gatherer: Gatherer,
): string {
  const name = `shardbook_gather_${++counter}`
  const width = sizeOf(type.shape)
  const element = { uint8: api.UTINYINT, int32: api.INTEGER, float32: api.FLOAT, float64: api.DOUBLE }[type.dtype]
  connection.registerScalarFunction(
    api.DuckDBScalarFunction.create({
      name,
      parameterTypes: [api.BIGINT],
      returnType: api.ARRAY(element, width),
      mainFunction: (_, input, output) => {
        const rows = input.rowCount
        const refs = Float64Array.from(input.getColumnVector(0).toArray(), (ref) => (ref === null ? -1 : Number(ref)))
        const values = allocateStored(type.dtype, rows * width)
        gatherer.gather(refs, 0, rows, values)
        // The output's own vector is reached through the array type's child; flush would write its unset items over ours.
        const vector = (output as unknown as { vector: Parameters<typeof bindings.array_vector_get_child>[0] }).vector
        const child = bindings.array_vector_get_child(vector)
        bindings.copy_data_to_vector(child, 0, values.buffer as ArrayBuffer, 0, values.byteLength)
      },
    }),
  )
  return name
}
