/** The optimiser's state in shards, in one process: which slots are whose, what a shard computes, and how much it keeps. */
import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { sizeOf } from '../../../src/core/dtype.js'
import { openEngine, slotOwners, type Engine } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import type { Optimiser } from '../../../src/nn/optimiser.js'
import { createLoop } from '../../../src/nn/train/loop.js'
import { checkShards, shardBounds } from '../../../src/nn/train/state-shard.js'
import { openFeed } from '../../../src/frame/index.js'
import { makeJob } from './fixture.js'

const layers = [
  nn.flatten(),
  nn.dense({ units: 64, activation: 'relu' }),
  nn.batchNormalization(),
  nn.dense({ units: 64, activation: 'relu' }),
  nn.dense({ units: 64, activation: 'relu' }),
  nn.dense({ units: 64, activation: 'relu' }),
  nn.dense({ units: 3 }),
] as const

describe('shards of the state', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await openEngine('wasm')
  })
  const jobOf = async (optimiser: Optimiser) => makeJob(engine, { layers, optimiser })

  test('are runs of whole tensors that cover all, none larger than its share by more than a tensor', () => {
    const sizes = fc.array(fc.nat(1000), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 9 }), (list, count) => {
        const bounds = shardBounds(list, count)
        expect(bounds).toHaveLength(count + 1)
        expect([bounds[0], bounds.at(-1)]).toEqual([0, list.length])
        const total = list.reduce((sum, size) => sum + size, 0)
        for (let i = 0; i < count; i++) {
          expect(bounds[i + 1]!).toBeGreaterThanOrEqual(bounds[i]!)
          const size = list.slice(bounds[i], bounds[i + 1]).reduce((sum, each) => sum + each, 0)
          expect(size).toBeLessThanOrEqual(total / count + Math.max(...list))
        }
      }),
    )
  })

  test.each<[string, Optimiser]>([
    ['momentum', nn.sgd({ momentum: 0.9 })],
    ['adam', nn.adam()],
    ['adamw, clipped by weights', nn.clip(nn.adamw(), { norm: 1 })],
    ['accumulation and averages', nn.movingAverage(nn.accumulate(nn.adam(), { steps: 2 }), { decay: 0.9 })],
  ])('%s: a slot belongs to the weight of its shape and place', async (_, optimiser) => {
    const { programs, start } = await jobOf(optimiser)
    const count = start.weights.length
    expect(slotOwners(programs.update, count)).toEqual(start.slots.map((__, slot) => slot % count))
  })

  test.each<[string, Optimiser, RegExp]>([
    ['the norm of all gradients', nn.clip(nn.adam(), { globalNorm: 1 }), /updates each weight by its own gradient/],
    ['loss scaling', nn.lossScaling(nn.adam()), /without loss scaling/],
  ])('%s: is refused', async (_, optimiser, message) => {
    const job = await jobOf(optimiser)
    expect(() => checkShards(job)).toThrow(message)
  })

  test('keep a share of the optimiser state on the engine and none of it beside', async () => {
    const job = await jobOf(nn.adam())
    const bytesOf = async (count: number, index: number): Promise<number> => {
      const before = engine.memory().bytes
      const shard = count === 1 ? undefined : { index, count, gather: async () => {} }
      const loop = await createLoop(job, {
        engine,
        owned: [0],
        workers: 4,
        shard,
        open: openFeed,
        reduce: async () => {},
        gate: async () => 'go',
        report: () => {},
      })
      const bytes = engine.memory().bytes - before
      await loop.dispose()
      return bytes
    }
    const weights = job.start.weights.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0)
    // Weights and two slots each, and some numbers of the data's.
    const beside = (await bytesOf(1, 0)) - 3 * weights
    expect(beside).toBeLessThan(256)
    const shards: number[] = []
    for (const index of [0, 1, 2, 3]) shards.push((await bytesOf(4, index)) - weights - beside)
    expect(shards.reduce((sum, bytes) => sum + bytes, 0)).toBe(2 * weights)
    for (const bytes of shards) expect(bytes).toBeLessThan(0.3 * 2 * weights)
  })
})
