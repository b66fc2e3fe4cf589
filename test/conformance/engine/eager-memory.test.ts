/** Eager steps leave memory flat; the long test runs more of them. */
import { expect, test } from 'vitest'
import { onEngines } from '../../nn/on-engines.js'
import { growthOver } from './eager-memory.js'
import { open } from './engines.js'

onEngines('memory of eager steps', (name) => {
  test('200 steps leave as many tensors, and resident memory as it was', async () => {
    const { tf } = await open(name)
    const growth = await growthOver(tf, 300, 200)
    expect(growth.tensors).toBe(0)
    expect(growth.residentBytes).toBeLessThan(0.1)
  })
})
