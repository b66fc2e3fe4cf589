/** TensorFlow's library in the place where TensorFlow.js's own packages for Node put theirs: the engine native takes it there. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openEngine, tfCore } from '../../src/engine/index.js'
import { inspect } from '../../src/engine/install/installation.js'
import { wheelOf } from '../../src/engine/install/catalog.js'
import { findStock } from '../../src/engine/install/stock.js'
import { missing } from '../needs.js'

describe.skipIf(missing('native') !== undefined)('the library of @tensorflow/tfjs-node-gpu', () => {
  const before = process.cwd()
  const folder = mkdtempSync(join(tmpdir(), 'shardbook-stock-'))
  const home = join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu')
  const libraries = join(home, 'deps', 'lib')
  let own: string
  beforeAll(async () => {
    const found = await inspect('native', wheelOf('native'))
    if (found.state !== 'installed') throw new Error(found.reason)
    own = dirname(found.libraries.main)
    mkdirSync(libraries, { recursive: true })
    writeFileSync(join(home, 'package.json'), '{ "name": "@tensorflow/tfjs-node-gpu", "version": "4.22.0" }')
    vi.stubEnv('SHARDBOOK_CACHE', join(folder, 'cache'))
    vi.stubEnv('SHARDBOOK_ENGINE', '')
    process.chdir(folder)
  })
  afterAll(() => {
    process.chdir(before)
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })

  test('is not there while its binary is not', async () => {
    expect(findStock()).toBeUndefined()
    await expect(openEngine('native')).rejects.toMatchObject({ code: 'missing' })
  })

  test('that does not load leaves auto with wasm', async () => {
    writeFileSync(join(libraries, 'libtensorflow.so'), 'no library')
    expect(findStock()?.package).toBe('@tensorflow/tfjs-node-gpu')
    await expect(openEngine('native')).rejects.toMatchObject({ code: 'engine' })
    expect((await openEngine('auto')).name).toBe('wasm')
  })

  test('computes for auto where the engine native is not installed', async () => {
    symlinkSync(join(own, 'libtensorflow_cc.so.2'), join(libraries, 'libtensorflow.so.2'))
    symlinkSync(join(own, 'libtensorflow_framework.so.2'), join(libraries, 'libtensorflow_framework.so.2'))
    const engine = await openEngine('auto')
    expect(engine.description).toMatch(/^TensorFlow 2\./)
    const tf = tfCore()
    expect(tf.tidy(() => [...tf.add(tf.tensor1d([1, 2]), 1).dataSync()])).toEqual([2, 3])
  })
})
