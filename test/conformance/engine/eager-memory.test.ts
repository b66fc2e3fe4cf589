/** Eager steps leave memory flat; the long test runs more of them. */
import { expect, test } from 'vitest'
import { onEngines } from '../../nn/on-engines.js'
import { growthOver } from './eager-memory.js'
import { open } from './engines.js'

onEngines('memory of eager steps', (name) => {
  test('200 steps leave as many tensors, and resident memory as it was', async () => {
    const { tf } = await open(name)
    // What leaks grows each time; a heap that was enlarged once does not.
    const growths = [await growthOver(tf, 300, 200), await growthOver(tf, 0, 200), await growthOver(tf, 0, 200)]
    expect(growths.map(({ tensors }) => tensors)).toEqual([0, 0, 0])
    expect(Math.min(...growths.map(({ residentBytes }) => residentBytes))).toBeLessThan(0.03)
  })
})
