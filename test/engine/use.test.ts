import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { currentEngine, openEngine, useEngine } from '../../src/engine/index.js'

test('the engine that was chosen is the one that auto means', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'shardbook-no-engines-'))
  vi.stubEnv('SHARDBOOK_CACHE', empty)
  vi.stubEnv('SHARDBOOK_ENGINE', 'pjrt') // which is not installed there
  try {
    await expect(openEngine('auto')).rejects.toThrow('pjrt')
    await useEngine('wasm')
    expect((await openEngine('auto')).name).toBe('wasm')
    expect(currentEngine()?.name).toBe('wasm')
    await expect(useEngine('auto')).rejects.toThrow('pjrt')
    await expect(openEngine('auto')).rejects.toThrow('pjrt')
  } finally {
    vi.unstubAllEnvs()
    rmSync(empty, { recursive: true })
  }
})
