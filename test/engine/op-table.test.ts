import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { missing } from '../needs.js'

describe.skipIf(missing('native') !== undefined)('docs/ops.md', () => {
  test('says of every kernel what the engines do with it', () => {
    const { status, stderr } = spawnSync(process.execPath, ['tools/op-table.mjs', '--check'], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })
})
