/** The engines that every conformance test runs over. An engine that is not installed fails its tests: nothing is skipped. */
import { type Engine, type EngineName, loadTf, openEngine } from '../../../src/engine/index.js'

export const testedEngines = ['wasm', 'native'] as const satisfies readonly EngineName[]

export type Tf = Awaited<ReturnType<typeof loadTf>>

/** Opens an engine with as many threads on every machine. */
export async function open(name: EngineName): Promise<{ engine: Engine; tf: Tf }> {
  const tf = await loadTf()
  return { engine: await openEngine(name, name === 'native' ? { threads: 2 } : {}), tf }
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
