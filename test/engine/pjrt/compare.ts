/** The same trace on pjrt and on the native engine: what a lowering gives must be what TensorFlow gives. */
import type { Tensor } from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { type TensorData, sizeOf } from '../../../src/core/dtype.js'
import { type Engine, openEngine, record } from '../../../src/engine/index.js'
import { type Tf, dataOf, tensorOf, tfCore } from '../../../src/engine/tf.js'
import type { Trace } from '../../../src/engine/trace.js'

export type Compute = (tf: Tf, inputs: readonly Tensor[]) => readonly Tensor[]

/** The results of both engines. Recorded on the native one. */
export async function both(
  given: readonly TensorData[],
  compute: Compute,
): Promise<[pjrt: TensorData[], native: TensorData[]]> {
  const native = await openEngine('native', { threads: 2 })
  const tf = tfCore()
  const inputs = given.map(tensorOf)
  let trace: Trace
  try {
    trace = record(
      inputs.map((tensor, i) => ({ name: `x${i}`, tensor, split: false })),
      () =>
        // A truth value as a number: results need not have rows then.
        compute(tf, inputs).map((tensor, i) => ({
          name: `y${i}`,
          tensor: tensor.dtype === 'bool' ? tf.cast(tensor, 'int32') : tensor,
          merge: 'sum',
        })),
    )
  } finally {
    tf.dispose(inputs)
  }
  const expected = run(native, trace, given)
  return [run(await openEngine('pjrt'), trace, given), expected]
}

function run(engine: Engine, trace: Trace, given: readonly TensorData[]): TensorData[] {
  const program = engine.load(trace)
  const inputs = given.map(tensorOf)
  const outputs = program.run(inputs)
  try {
    return outputs.map(dataOf)
  } finally {
    tfCore().dispose([...inputs, ...outputs])
    program.dispose()
  }
}

/** The first result of pjrt that is not native's, if any, in words. */
export async function firstDifference(
  given: readonly TensorData[],
  compute: Compute,
  tolerance = 2e-5,
): Promise<string | undefined> {
  const [got, expected] = await both(given, compute)
  for (const [i, { values, shape, dtype }] of expected.entries()) {
    const own = got[i]!
    if (own.dtype !== dtype || own.shape.join() !== shape.join()) {
      return `result ${i}: expected ${dtype}[${shape.join()}], got ${own.dtype}[${own.shape.join()}]`
    }
    const scale = Math.max(1, ...values.filter(Number.isFinite).map(Math.abs))
    const at = values.findIndex((value, j) => !near(own.values[j]!, value, tolerance * scale))
    if (at >= 0) return `result ${i}, element ${at}: expected ${values[at]}, got ${own.values[at]}`
  }
  return undefined
}

function near(got: number, expected: number, tolerance: number): boolean {
  if (Number.isNaN(expected) || Number.isNaN(got)) return Number.isNaN(expected) && Number.isNaN(got)
  return got === expected || Math.abs(got - expected) <= tolerance
}

/** Random tensors of a shape. */
export function tensors(shape: readonly number[], { min = -3, max = 3 } = {}): fc.Arbitrary<TensorData> {
  const size = sizeOf(shape)
  return fc.array(fc.integer({ min: 0, max: 1 << 20 }), { minLength: size, maxLength: size }).map((draws) => ({
    shape,
    dtype: 'float32' as const,
    values: Float32Array.from(draws, (draw) => min + (draw / (1 << 20)) * (max - min)),
  }))
}

/** Random whole numbers of a shape, many of them equal. */
export function integers(shape: readonly number[], min = -4, max = 4): fc.Arbitrary<TensorData> {
  const size = sizeOf(shape)
  return fc
    .array(fc.integer({ min, max }), { minLength: size, maxLength: size })
    .map((values) => ({ shape, dtype: 'int32' as const, values: Int32Array.from(values) }))
}

export const dimension = fc.integer({ min: 1, max: 4 })

/** A result and the gradients of its weighted sum by each input. */
export function withGradients(compute: (tf: Tf, inputs: readonly Tensor[]) => Tensor): Compute {
  return (tf, inputs) => {
    const y = compute(tf, inputs)
    const weights = tf.reshape(tf.cos(tf.range(0, y.size, 1, 'float32')), y.shape)
    const gradients = tf.grads((...given: Tensor[]) => tf.sum(tf.mul(compute(tf, given), weights)))([...inputs])
    return [y, ...gradients]
  }
}

/** Raises for the first inputs whose results differ between the engines. */
export async function checkEqual<T>(
  given: fc.Arbitrary<T>,
  inputs: (value: T) => readonly TensorData[],
  compute: (value: T) => Compute,
  { numRuns = 8, tolerance }: { numRuns?: number; tolerance?: number } = {},
) {
  await fc.assert(
    fc.asyncProperty(given, async (value) => {
      const difference = await firstDifference(inputs(value), compute(value), tolerance)
      if (difference !== undefined) throw new Error(difference)
    }),
    { numRuns },
  )
}
