import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isAlive, lock } from '../../../src/engine/install/lock.js'

describe('lock', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'shardbook-lock-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('is held by one at a time', async () => {
    const path = join(folder, 'lock')
    let holders = 0
    let most = 0
    const waits: number[] = []
    const work = async (): Promise<void> => {
      const unlock = await lock(path, (owner) => waits.push(owner))
      most = Math.max(most, ++holders)
      await new Promise((resolve) => setImmediate(resolve))
      holders--
      await unlock()
    }
    await Promise.all([work(), work(), work()])
    expect(most).toBe(1)
    expect(waits).toEqual([process.pid, process.pid])
    expect(readdirSync(folder)).toEqual([])
  })

  test('of a dead process is taken over', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    expect(isAlive(pid)).toBe(false)
    expect(isAlive(process.pid)).toBe(true)
    writeFileSync(join(folder, 'lock'), String(pid))
    const unlock = await lock(join(folder, 'lock'), () => expect.unreachable('nobody has it'))
    await unlock()
    expect(readdirSync(folder)).toEqual([])
  })
})
