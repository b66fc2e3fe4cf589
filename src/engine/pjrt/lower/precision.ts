/**
 * Computing in bfloat16 with weights, losses and statistics in single precision, as PyTorch's autocast decides it: products and
 * convolutions in the lower precision, what loses too much there (sums, exponentials, normalisation, losses) in single, and
 * everything else in that of its largest input.
 */
import { sizeOf } from '../../../core/dtype.js'
import type { Builder, Element, Value } from './builder.js'
import type { Given } from './lowering.js'

export type Precision = 'float32' | 'bfloat16'

const lower =
  /^(?:BatchMatMul|_FusedMatMul|(?:Fused)?(?:Depthwise)?Conv[23]D.*|FusedDepthwiseConv2D|DepthwiseConv2dNative.*)$/
const single =
  /^(?:Sum|Mean|Prod|Cumsum|Cumprod|Softmax|LogSoftmax|SparseSoftmaxCrossEntropy|Exp|Expm1|Log|Log1p|Pow|Rsqrt|Sqrt|Square|SquaredDifference|FusedBatchNorm|Adam|Softplus|Erf|RandomUniform|AllReduce|Resize.*|UnsortedSegmentSum|Scan|TopK|AvgPool.*)$/

/** The inputs of a call in the element type that it computes in. */
export function castInputs(b: Builder, given: Given, precision: Precision): Given {
  const values = Object.values(given.inputs).flatMap<Value>((value) => value ?? [])
  const floats = values.filter(({ element }) => element === 'f32' || element === 'bf16')
  const types = new Set(floats.map(({ element }) => element))
  if (precision === 'float32' || floats.length === 0) return given
  const wanted = elementFor(given.kernel, floats)
  if (types.size === 1 && types.has(wanted)) return given
  const cast = (value: Value): Value =>
    value.element === 'f32' || value.element === 'bf16' ? b.convert(value, wanted) : value
  return {
    ...given,
    inputs: Object.fromEntries(
      Object.entries(given.inputs).map(([name, value]) => [
        name,
        value === undefined ? undefined : Array.isArray(value) ? value.map(cast) : cast(value as Value),
      ]),
    ),
  }
}

function elementFor(kernel: string, floats: readonly Value[]): Element {
  if (lower.test(kernel)) return 'bf16'
  if (single.test(kernel)) return 'f32'
  const largest = Math.max(...floats.map(({ shape }) => sizeOf(shape)))
  const elements = floats.filter(({ shape }) => sizeOf(shape) === largest).map(({ element }) => element)
  return elements.every((element) => element === 'bf16') ? 'bf16' : 'f32'
}
