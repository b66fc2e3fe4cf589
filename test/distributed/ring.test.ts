import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyOf, uniform } from '../../src/core/random.js'
import type { Control } from '../../src/distributed/control.js'
import { Ring, RingBroken } from '../../src/distributed/ring.js'
import { openSegmentFolder, type SegmentFolder } from '../../src/distributed/segment-file.js'

const run: Control = { version: 0, mode: 'run' }
let folder = ''
let count = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ring-test-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Two ends of a unix socket. */
async function socketPair(): Promise<[Socket, Socket]> {
  const path = join(folder, String(count++))
  const server = createServer()
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const near = connect(path)
  const far = await accepted
  server.close()
  return [near, far]
}

async function rings(
  workers: number,
  { generations = [], shared }: { generations?: readonly number[]; shared?: SegmentFolder | undefined } = {},
): Promise<{ rings: Ring[]; sockets: Socket[] }> {
  if (workers === 1) return { rings: [new Ring({ rank: 0, workers: 1, generation: 1 })], sockets: [] }
  const pairs = await Promise.all(Array.from({ length: workers }, async () => socketPair()))
  return {
    rings: pairs.map(([next], rank) => {
      const previous = pairs[(rank + workers - 1) % workers]![1]
      return new Ring({ rank, workers, generation: generations[rank] ?? 1, links: { next, previous }, shared })
    }),
    sockets: pairs.flat(),
  }
}

const vectorOf = (seed: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => (uniform(keyOf(seed), i) - 0.5) * 2 ** (i % 24))

describe('the ring all-reduce', () => {
  test('equals the plain sum on every rank, with the same bits on all of them, through sockets and shared memory', async () => {
    const lengths = fc.oneof(fc.nat(50), fc.constantFrom(32_767, 32_768, 98_304, 200_001))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), lengths, fc.nat(), async (workers, length, seed) => {
        const parts = Array.from({ length: workers }, (_, rank) => vectorOf(seed + rank, length))
        const results: Float32Array[] = []
        for (const shared of [undefined, await openSegmentFolder(folder)]) {
          const { rings: members } = await rings(workers, { shared })
          // Places in shared memory are used again.
          for (const step of [0, 1, 2]) {
            const vectors = parts.map((part) => part.slice())
            await Promise.all(members.map(async (ring, rank) => ring.allReduce(step, vectors[rank]!, run)))
            results.push(...vectors)
          }
          for (const ring of members) ring.break('over.')
        }
        const wrong = Array.from({ length }, (_, i) => i).filter((i) => {
          const sum = parts.reduce((total, part) => total + part[i]!, 0)
          const magnitude = parts.reduce((total, part) => total + Math.abs(part[i]!), 0)
          return Math.abs(results[0]![i]! - sum) > 1e-6 * magnitude
        })
        expect(wrong).toEqual([])
        for (const result of results)
          expect(Buffer.from(result.buffer).equals(Buffer.from(results[0]!.buffer))).toBe(true)
      }),
      { numRuns: 25 },
    )
  })

  test('its halves bring the sums of parts of any size, first to their ranks, then to all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(40_000), { minLength: 1, maxLength: 4 }), fc.nat(), async (sizes, seed) => {
        const bounds = [0, ...sizes].map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0))
        const parts = sizes.map((_, rank) => vectorOf(seed + rank, bounds.at(-1)!))
        const { rings: members } = await rings(sizes.length)
        const vectors = parts.map((part) => part.slice())
        const own = (rank: number) => vectors[rank]!.subarray(bounds[rank], bounds[rank + 1])
        await Promise.all(members.map(async (ring, rank) => ring.reduceScatter(0, vectors[rank]!, bounds, run)))
        for (const rank of sizes.keys()) {
          const wrong = [...own(rank).keys()].filter((i) => {
            const numbers = parts.map((part) => part[bounds[rank]! + i]!)
            const [sum, magnitude] = numbers.reduce(([a, b], x) => [a + x, b + Math.abs(x)], [0, 0])
            return Math.abs(own(rank)[i]! - sum) > 1e-6 * magnitude
          })
          expect(wrong).toEqual([])
        }
        const sums = sizes.flatMap((_, rank) => [...own(rank)])
        await Promise.all(members.map(async (ring, rank) => ring.gatherParts(0, vectors[rank]!, bounds, run)))
        for (const vector of vectors)
          expect(Buffer.from(vector.buffer).equals(Buffer.from(Float32Array.from(sums).buffer))).toBe(true)
        for (const ring of members) ring.break('over.')
      }),
      { numRuns: 25 },
    )
  })

  test('brings the newest control of any rank to all of them', async () => {
    const { rings: members } = await rings(4)
    const newest: Control = { version: 3, mode: 'pause' }
    const known = [run, run, newest, { version: 2, mode: 'run' } as const]
    const got = await Promise.all(
      members.map(async (ring, rank) => ring.allReduce(0, new Float32Array(2), known[rank]!)),
    )
    expect(got).toEqual([newest, newest, newest, newest])
  })

  test('takes step after step on the same sockets', async () => {
    const { rings: members } = await rings(3)
    for (let step = 0; step < 20; step++) {
      const vectors = members.map((_, rank) => new Float32Array(1000 + step).fill(rank + step))
      await Promise.all(members.map(async (ring, rank) => ring.allReduce(step, vectors[rank]!, run)))
      for (const vector of vectors) expect(vector.every((value) => value === 3 + 3 * step)).toBe(true)
    }
  })

  test.each([
    ['a step', [0, 1], [], [100, 100]],
    ['a generation', [0, 0], [1, 2], [100, 100]],
    ['a length', [0, 0], [], [100, 102]],
  ])('refuses ranks that differ in %s', async (_, steps, generations, lengths) => {
    const { rings: members } = await rings(2, { generations })
    const calls = members.map(async (ring, rank) => ring.allReduce(steps[rank]!, new Float32Array(lengths[rank]!), run))
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(RingBroken) })
    }
  })

  test('rejects on every rank, at once and later, when a socket is cut in the middle of it', async () => {
    const { rings: members, sockets } = await rings(3)
    const calls = members.slice(0, 2).map(async (ring) => ring.allReduce(0, new Float32Array(3_000_000), run))
    await new Promise((resolve) => sockets[0]!.once('drain', resolve))
    sockets[4]!.destroy()
    for (const outcome of await Promise.allSettled(calls)) expect(outcome.status).toBe('rejected')
    await expect(members[0]!.allReduce(1, new Float32Array(1), run)).rejects.toBeInstanceOf(RingBroken)
  })
})
