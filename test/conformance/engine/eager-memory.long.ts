/** Eager steps leave memory flat. */
import { expect, test } from 'vitest'
import { onEngines } from '../../nn/on-engines.js'
import { growthOver } from './eager-memory.js'
import { open } from './engines.js'

onEngines('memory of eager steps', (name) => {
  test('2000 steps leave as many tensors, and resident memory as it was', async () => {
    const { tf } = await open(name)
    const growth = await growthOver(tf, 1000, 2000)
    expect(growth.tensors).toBe(0)
    expect(growth.residentBytes).toBeLessThan(0.03)
  })
})
