/**
 * Random numbers inside a step: drawn from a key that is an input, never from a generator in JavaScript, whose numbers would be
 * frozen when the step is recorded.
 *
 * `RandomUniform` is our kernel, with the generator of `core/random`: from (key, draw of the step, row, column), equal to the bit
 * on every engine. `withRandom` makes it the source of TensorFlow.js's own functions while a step runs.
 */
import type { KernelFunc, NamedTensorMap, Rank, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core'
import { sizeOf } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'
import { type Key, fold } from '../core/random.js'
import { type Tf, tfCore } from './tf.js'

/** Where the random numbers of a step come from. */
export interface RandomSource {
  /** int32 []: fresh for each step. */
  readonly key: Tensor
  /** int32 [rows]: what the rows of a batch are numbered by, so that a sample's numbers do not depend on its place in a batch. */
  readonly rows?: Tensor
}

/** Draws of a step. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(shape: readonly number[]): Tensor
  /** Standard normal. */
  normal(shape: readonly number[]): Tensor
}

/** The draws that a source gives, the same ones for the same order of calls. */
function randomOf({ key, rows }: RandomSource): Random {
  const tf = tfCore()
  let stream = 0
  const uniform = (shape: readonly number[]): Tensor => {
    const byRow = rows !== undefined && shape.length > 0 && shape[0] === rows.shape[0]
    const ids = byRow ? rows : tf.tensor1d([0], 'int32')
    const attrs = { stream: stream++, width: sizeOf(byRow ? shape.slice(1) : shape) }
    const inputs = { key, rows: ids } as unknown as NamedTensorMap
    return tf.reshape(tf.engine().runKernel<Tensor>('RandomUniform', inputs, attrs), [...shape])
  }
  return {
    uniform,
    // Box and Muller; 1 - u is never zero.
    normal: (shape) => {
      const radius = tf.sqrt(tf.mul(-2, tf.log(tf.sub(1, uniform(shape)))))
      return tf.mul(radius, tf.cos(tf.mul(2 * Math.PI, uniform(shape))))
    },
  }
}

let current: Random | undefined

/** Runs a step with TensorFlow.js's random functions drawing from `source`. */
export function withRandom<T>(source: RandomSource, step: (random: Random) => T): T {
  const tf = tfCore()
  adoptRandom(tf)
  const before = current
  const random = randomOf(source)
  current = random
  try {
    return step(random)
  } finally {
    current = before
  }
}

const adopted = new WeakSet<object>()

/**
 * Puts functions in front of TensorFlow.js's that draw from the current source where there is one and no seed is given. A
 * seeded call means the same numbers every time: it stays as it is.
 */
function adoptRandom(tf: Tf): void {
  if (adopted.has(tf)) return
  adopted.add(tf)
  const original = { ...tf }
  const own: Partial<Tf> = {
    randomUniform: (shape, low = 0, high = 1, dtype = 'float32', seed) =>
      current === undefined || seed !== undefined
        ? original.randomUniform(shape, low, high, dtype, seed)
        : tf.cast(tf.add(tf.mul(current.uniform(shape), high - low), low), dtype),
    randomUniformInt: (shape, low, high, seed) =>
      current === undefined || seed !== undefined
        ? original.randomUniformInt(shape, low, high, seed)
        : tf.cast(tf.floor(tf.add(tf.mul(current.uniform(shape), high - low), low)), 'int32'),
    randomNormal: (shape, mean = 0, deviation = 1, dtype = 'float32', seed) =>
      current === undefined || seed !== undefined
        ? original.randomNormal(shape, mean, deviation, dtype, seed)
        : tf.cast(tf.add(tf.mul(current.normal(shape), deviation), mean), dtype),
    randomStandardNormal: (shape, dtype = 'float32', seed) => tf.randomNormal(shape, 0, 1, dtype, seed),
    multinomial: (given, samples, seed, normalized = false) => {
      const logits = given instanceof tf.Tensor ? given : tf.tensor(given)
      return current === undefined || seed !== undefined
        ? original.multinomial(given, samples, seed, normalized)
        : multinomial(tf, current, normalized ? tf.log(logits) : logits, samples)
    },
    dropout: (x, rate, noiseShape, seed) => {
      if (current === undefined || seed !== undefined || rate === 0 || !(rate > 0 && rate < 1)) {
        return original.dropout(x, rate, noiseShape, seed)
      }
      return dropout(tf, current, tf.cast(x instanceof tf.Tensor ? x : tf.tensor(x), 'float32'), rate, noiseShape)
    },
  }
  Object.assign(tf, own)
}

/** Each number, or each block of `noiseShape`, kept with probability `1 - rate` and divided by that, else zero. */
export function dropout(
  tf: Tf,
  random: Random,
  x: Tensor,
  rate: number,
  noiseShape: readonly (number | null)[] = x.shape,
): Tensor {
  const shape = x.shape.map((size, axis) => noiseShape[axis] ?? size)
  const kept = tf.cast(tf.greaterEqual(random.uniform(shape), rate), 'float32')
  return tf.mul(x, tf.div(kept, 1 - rate))
}

/** Class numbers, int32 `[samples]` or `[batch, samples]`, by the largest of logits with Gumbel noise (Gumbel, 1954). */
function multinomial(tf: Tf, random: Random, logits: Tensor, samples: number): Tensor1D | Tensor2D {
  const [batch, classes] = [logits.size / logits.shape.at(-1)!, logits.shape.at(-1)!]
  const noise = tf.neg(tf.log(tf.neg(tf.log(random.uniform([batch, samples, classes])))))
  const chosen = tf.argMax(tf.add(tf.reshape(logits, [batch, 1, classes]), noise), 2)
  return logits.rank === 1 ? tf.reshape<Rank.R1>(chosen, [samples]) : tf.reshape<Rank.R2>(chosen, [batch, samples])
}

/** What a draw in JavaScript inside a recorded step meets. */
export function refuseDraw(): ShardbookError {
  return new ShardbookError(
    'engine',
    'record: expected random numbers that the step draws anew each time, got a draw in JavaScript (Math.random).',
    {
      hint: "Use engine.tf's dropout, randomUniform or randomNormal inside engine.compile, pass a tensor of random numbers as an input, or give a seed for numbers that stay the same.",
    },
  )
}

/** The kernel of engines without a graph. */
export const randomUniformKernel: KernelFunc = ({ inputs, attrs, backend }) => {
  const { key, rows } = inputs as NamedTensorMap & { key: Tensor; rows: Tensor }
  const { stream, width } = attrs as unknown as { stream: number; width: number }
  const read = (tensor: Tensor): Int32Array =>
    (backend as unknown as { readSync(id: object): Int32Array }).readSync(tensor.dataId)
  const ofStep: Key = fold(read(key)[0]! >>> 0, stream)
  const ids = read(rows)
  const values = new Float32Array(ids.length * width)
  for (const [row, id] of ids.entries()) {
    const ofRow = fold(ofStep, id)
    for (let column = 0; column < width; column++) {
      values[row * width + column] = (fold(ofRow, column) >>> 8) / 2 ** 24
    }
  }
  return tfCore().tensor2d(values, [ids.length, width])
}
