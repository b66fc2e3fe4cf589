/** Ten thousand compiled steps leave memory as it is. */
import { expect, test } from 'vitest'
import { openEngine } from '../../src/engine/index.js'
import { onEngines } from '../nn/on-engines.js'
import { soak } from './soak.js'

onEngines('10,000 compiled steps', (name) => {
  test('leave memory flat', async () => {
    const { warm, end } = await soak(await openEngine(name), { warmUp: 2000, steps: 10_000 })
    expect(end.tensors).toBe(warm.tensors)
    expect(end.bytes / warm.bytes).toBeLessThan(1.03)
  })
})
