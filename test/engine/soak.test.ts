import { expect, test } from 'vitest'
import { openEngine } from '../../src/engine/index.js'
import { onEngines } from '../nn/on-engines.js'
import { soak } from './soak.js'

onEngines('300 compiled steps', (name) => {
  test('leave no tensor behind', async () => {
    const { warm, end } = await soak(await openEngine(name), { warmUp: 10, steps: 300 })
    expect(end.tensors).toBe(warm.tensors)
  })
})
