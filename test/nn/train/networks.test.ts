import { beforeAll, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import type { Engine } from '../../../src/engine/index.js'
import { onEngines } from '../on-engines.js'
import { bothLosses, greatestDifference, networks } from './networks.js'

onEngines('compiled and eager trainings', (name) => {
  let engine: Engine
  beforeAll(async () => {
    engine = await openEngine(name)
  })

  test.each(Object.keys(networks))('%s: have the same losses', async (which) => {
    const { compiled, eager } = await bothLosses(engine, networks[which]!, 30)
    expect(compiled).toHaveLength(30)
    expect(greatestDifference(compiled, eager)).toBeLessThanOrEqual(1e-4)
  })
})
