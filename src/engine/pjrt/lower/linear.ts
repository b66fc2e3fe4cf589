/** Products of matrices. */
import { type Builder, type Value, broadcastShape } from './builder.js'
import { activate } from './elementwise.js'
import { type Given, type Lowerings, input } from './lowering.js'

/** `[..., m, k] x [..., k, n] -> [..., m, n]`, either transposed; batches are broadcast. */
function product(b: Builder, given: Given): Value {
  const { transposeA, transposeB } = given.attrs as { transposeA?: boolean; transposeB?: boolean }
  const [left, right] = [input(given, 'a'), input(given, 'b')]
  const batches = broadcastShape(left.shape.slice(0, -2), right.shape.slice(0, -2))
  const a = b.expand(left, [...batches, ...left.shape.slice(-2)])
  const c = b.expand(right, [...batches, ...right.shape.slice(-2)])
  const rank = batches.length
  return b.dot(a, c, rank, [rank + (transposeA === true ? 0 : 1), rank + (transposeB === true ? 1 : 0)])
}

export const linear: Lowerings = {
  BatchMatMul: product,
  _FusedMatMul: (b, given) => fused(b, given, product(b, given)),
}

/** Adds the bias of a fused kernel and applies its activation. */
export function fused(b: Builder, given: Given, result: Value): Value {
  const { bias, preluActivationWeights } = given.inputs as { bias?: Value; preluActivationWeights?: Value }
  const { activation = 'linear', leakyreluAlpha } = given.attrs as { activation?: string; leakyreluAlpha?: number }
  const shifted = bias == null ? result : b.binary('add', result, bias)
  return activate(b, shifted, activation, {
    ...(leakyreluAlpha !== undefined && { alpha: leakyreluAlpha }),
    ...(preluActivationWeights != null && { weights: preluActivationWeights }),
  })
}
