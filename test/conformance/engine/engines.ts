/** What conformance tests of engines share. */
import { createRequire } from 'node:module'
import { type Engine, type EngineName, loadTf, openEngine } from '../../../src/engine/index.js'

export type Tf = Awaited<ReturnType<typeof loadTf>>

/** Opens an engine with as many threads on every machine. */
export async function open(name: EngineName): Promise<{ engine: Engine; tf: Tf }> {
  const tf = await loadTf()
  return { engine: await openEngine(name, name === 'native' ? { threads: 2 } : {}), tf }
}

/** TensorFlow.js's own package, which brings the reference backend `cpu`. */
export function loadReference(): typeof import('@tensorflow/tfjs') {
  const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs')
  tf.env().set('PROD', true) // no advertisement on the console
  return tf
}

/** Largest difference of two lists of numbers, relative to the larger of 1 and the largest expected value. */
export function difference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Infinity
  let worst = 0
  let scale = 1
  for (let i = 0; i < got.length; i++) {
    const d = Math.abs(got[i]! - expected[i]!)
    worst = Math.max(worst, Number.isNaN(d) ? Infinity : d)
    scale = Math.max(scale, Math.abs(expected[i]!))
  }
  return worst / scale
}
