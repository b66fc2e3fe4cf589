import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { compile, currentEngine, loadTf, openEngine } from '../../src/engine/index.js'
import { loadReference } from '../conformance/engine/engines.js'

describe('openEngine', () => {
  afterEach(() => vi.unstubAllEnvs())

  test('compile asks for an engine when none is open', async () => {
    const tf = await loadTf()
    expect(currentEngine()).toBeUndefined()
    expect(() => compile((x) => tf.relu(x))(undefined as never)).toThrow(/openEngine/)
  })

  test('refuses unknown names, with the nearest, and options out of range', async () => {
    await expect(openEngine('nativ' as never)).rejects.toThrow('Did you mean "native"?')
    await expect(openEngine('wasm', { threads: 0 })).rejects.toThrow(/threads/)
    await expect(openEngine('pjrt', { device: -1 })).rejects.toThrow(/device/)
    vi.stubEnv('SHARDBOOK_ENGINE', 'wasn')
    await expect(openEngine('auto')).rejects.toThrow('Did you mean "wasm"?')
  })

  test('native says how to install it where it is missing; auto then takes wasm', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'shardbook-open-'))
    vi.stubEnv('SHARDBOOK_CACHE', cache)
    vi.stubEnv('SHARDBOOK_ENGINE', '')
    await expect(openEngine('native')).rejects.toThrow('shardbook engine install native')
    await expect(openEngine('pjrt')).rejects.toThrow('shardbook engine install pjrt-cuda13')
    expect((await openEngine('auto')).name).toBe('wasm')
    vi.stubEnv('SHARDBOOK_ENGINE', 'native')
    await expect(openEngine('auto')).rejects.toMatchObject({ code: 'missing' })
    await rm(cache, { recursive: true })
  })

  test('there is one engine of a name, with the threads that it was opened with', async () => {
    const engine = await openEngine('wasm')
    expect(await openEngine('wasm')).toBe(engine)
    expect(currentEngine()).toBe(engine)
    await expect(openEngine('wasm', { threads: 7 })).rejects.toMatchObject({ code: 'state' })
  })

  test('leaves the process its own handling of unhandled rejections', async () => {
    const before = process.listeners('unhandledRejection').length
    await openEngine('wasm')
    expect(process.listeners('unhandledRejection')).toHaveLength(before)
    expect(process.listeners('uncaughtException').map(String).join()).not.toMatch(/ExitStatus/)
  })

  test("a user's own @tensorflow/tfjs runs on the engine, and keeps its other backends", async () => {
    await openEngine('wasm')
    const tf = loadReference()
    expect(tf.getBackend()).toBe('wasm')
    expect(Array.from(tf.tensor([1, -2]).relu().dataSync())).toEqual([1, 0])
    await tf.setBackend('cpu')
    expect(
      Array.from(
        tf
          .grad((x) => tf.relu(x).sum())(tf.tensor1d([1, -2]))
          .dataSync(),
      ),
    ).toEqual([1, 0])
    await openEngine('wasm')
    expect(tf.getBackend()).toBe('wasm')
  })
})
