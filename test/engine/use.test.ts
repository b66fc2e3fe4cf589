import { expect, test } from 'vitest'
import { currentEngine, openEngine, useEngine } from '../../src/engine/index.js'

test('the engine that was chosen is the one that auto means', async () => {
  const before = process.env['SHARDBOOK_ENGINE']
  process.env['SHARDBOOK_ENGINE'] = 'pjrt' // which cannot be opened here
  try {
    await expect(openEngine('auto')).rejects.toThrow('pjrt')
    await useEngine('wasm')
    expect((await openEngine('auto')).name).toBe('wasm')
    expect(currentEngine()?.name).toBe('wasm')
    await expect(useEngine('auto')).rejects.toThrow('pjrt')
    await expect(openEngine('auto')).rejects.toThrow('pjrt')
  } finally {
    if (before === undefined) delete process.env['SHARDBOOK_ENGINE']
    else process.env['SHARDBOOK_ENGINE'] = before
  }
})
