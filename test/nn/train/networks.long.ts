/** Two hundred steps of every kind of network: what is compiled learns what eager calls learn. */
import { expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import { onEngines } from '../on-engines.js'
import { bothLosses, greatestDifference, networks } from './networks.js'

onEngines('compiled and eager trainings of 200 steps', (name) => {
  test.each(Object.keys(networks))('%s: have the same losses', async (which) => {
    const { compiled, eager } = await bothLosses(await openEngine(name), networks[which]!, 200)
    expect(compiled).toHaveLength(200)
    const mean = (losses: readonly number[]) => losses.reduce((a, b) => a + b, 0) / losses.length
    expect(mean(compiled.slice(-20))).toBeLessThan(0.7 * mean(compiled.slice(0, 20)))
    expect(greatestDifference(compiled, eager)).toBeLessThanOrEqual(1e-4)
  })
})
