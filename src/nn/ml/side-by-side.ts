/** Several columns side by side in a default network: each through a branch of its own, then one behind the other. */
import { concatenate } from '../layers/composite.js'
import { dense } from '../layers/dense.js'
import { embedding } from '../layers/embedding.js'
import { inputs } from '../layers/input.js'
import type { Layer } from '../layers/layer.js'
import { globalAveragePooling } from '../layers/pooling.js'
import { flatten } from '../layers/shape.js'
import { embeddingOf, inputsOf } from './input.js'
import type { ColumnInput, Several } from './input.js'

/**
 * The branches of columns, joined. What `ofColumn` has no layers for is taken as it is: of text and tokens the mean of their
 * vectors, of sparse vectors a dense layer, of other tensors and numbers themselves.
 */
export function sideBySide(several: Several, ofColumn: (column: ColumnInput) => Layer[] | undefined): Layer[] {
  const each = inputs(Object.fromEntries(inputsOf(several)))
  const branches = several.columns.map((column) => [each[column.name]!, ...(ofColumn(column) ?? asTheyAre(column))])
  return [concatenate({ branches, name: 'inputs' })]
}

function asTheyAre(column: ColumnInput): Layer[] {
  const tokens = embeddingOf(column)
  if (tokens !== undefined) return [embedding({ ...tokens, outputDim: 32 }), globalAveragePooling()]
  if (column.kind !== 'sparse') return [flatten()]
  return [dense({ units: 32, activation: 'relu', sparseSize: column.components.length })]
}
