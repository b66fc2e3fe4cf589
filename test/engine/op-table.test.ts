import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { hostFallbacks } from '../../src/engine/host-kernels.js'
import { openEngine } from '../../src/engine/index.js'
import { hostKernels } from '../../src/engine/pjrt/kernels.js'
import { loweredKernels } from '../../src/engine/pjrt/lower/index.js'
import { missing } from '../needs.js'

test('a kernel is lowered or on the host, never both', async () => {
  await openEngine('wasm')
  expect(hostKernels.filter((name) => loweredKernels.includes(name))).toEqual([])
  expect([...hostFallbacks('wasm')]).toContain('FFT')
})

describe.skipIf(missing('native') !== undefined)('docs/ops.md', () => {
  test('says of every kernel what the engines do with it', () => {
    const { status, stderr } = spawnSync(process.execPath, ['tools/op-table.mjs', '--check'], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })
})
