/** Vectors with each component shifted and scaled: what weighting and scaling stages add. */
import { ShardbookError } from '../../../core/errors.js'
import type { Column, Plan } from '../../../frame/index.js'
import { computed, withColumns } from '../column-stage.js'
import { vectorSize } from '../vectors.js'
import { scaleVector } from './kernels/vectors.js'

/** `(x - shift) * scale + offset`; without a shift sparse vectors stay sparse. `constant`: the result where a scale is 0. */
export interface Scaling {
  readonly scale?: Float64Array | undefined
  readonly shift?: Float64Array | undefined
  readonly offset?: number
  readonly constant?: number
}

/** @throws ShardbookError `column` when the vectors are of another size than the scaling. */
export function scaled(caller: string, input: Plan, column: Column, outputCol: string, scaling: Scaling): Plan {
  const expected = (scaling.scale ?? scaling.shift)?.length
  const size = vectorSize(column)
  if (expected !== undefined && expected !== size) {
    throw new ShardbookError(
      'column',
      `${caller}: expected '${column.name}' to hold vectors of ${expected} components, as were learnt from, got ${size}.`,
    )
  }
  const { type, nullable } = column
  const staysSparse = type.kind === 'sparse' && scaling.shift === undefined
  const shape = type.kind === 'tensor' ? type.shape : [size]
  const gives = staysSparse ? type : ({ kind: 'tensor', dtype: 'float64', shape, held: 'inline' } as const)
  return withColumns(caller, input, computed(outputCol, scaleVector, scaling, [column.name], { type: gives, nullable }))
}
