/** Workers on devices of their own: by the PJRT plugin for processors, which has several. */
import { availableParallelism } from 'node:os'
import { rmSync } from 'node:fs'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { pool } from '../../src/distributed/index.js'
import { local } from '../../src/nn/train/local.js'
import { missing } from '../needs.js'
import { childrenOf, killNow, runs } from './processes.js'
import { bytesOf, distance, smallJob } from './small-job.js'
import { changesOf, disturb, ownTemporaryFolder, pidsOf, silent, train } from './trainings.js'

const ownFolder = ownTemporaryFolder()
afterAll(() => rmSync(ownFolder, { recursive: true }))

describe('devices', () => {
  test.each([
    [{ devices: [] }, /expected devices to be numbers of devices, got \[\]/],
    [{ devices: [0, -1] }, /devices to be an integer >= 0, got -1/],
    [{ devices: [0, 1, 0] }, /expected each device once, got 0 twice/],
    [{ devices: [0, 1], workers: 3 }, /expected a device a worker, got 2 for 3 workers/],
    [{ devices: [0, 1], engine: 'wasm' as const }, /expected devices with the engine pjrt, got wasm/],
  ])('refuses %j', async (options, message) => {
    await expect(pool(options)).rejects.toMatchObject({ code: 'argument', message: expect.stringMatching(message) })
  })
})

describe.skipIf(missing('pjrt') !== undefined)('a pool on devices of pjrt', () => {
  test('has a worker on each, which trains to the weights of one process and comes back to its device', async () => {
    const job = await smallJob(ownFolder, 'pjrt')
    const alone = await (await local('pjrt')).step(job, silent).done
    const workers = await pool({ niceness: 0, devices: [1, 3] })
    try {
      const status = await workers.status()
      expect(status.workers.map(({ device }) => device)).toEqual([1, 3])
      expect(status.workers.map(({ engine }) => /device \d/.exec(engine)?.[0])).toEqual(['device 1', 'device 3'])
      expect(String(status)).toMatch(/^Pool pool: 2 workers\nrank +pid +device +engine/)
      const { state } = await train(workers, job)
      expect(distance(alone, state)).toBeLessThan(1e-3)
      const sharded = workers.with({ strategy: { kind: 'zero1' } })
      expect(distance(state, (await train(sharded, job)).state)).toBeLessThanOrEqual(1e-6)
      const killed = await disturb(workers, job, async ({ events, reach }) => {
        killNow((await pidsOf(workers))[1]!)
        await reach(() => changesOf(events).includes('replaced 1'))
      })
      expect(bytesOf(killed.state).equals(bytesOf(killed.expected))).toBe(true)
      expect(changesOf(killed.events)).toEqual(['lost 1', 'replaced 1'])
      expect((await workers.status()).workers[1]!.engine).toMatch(/device 3/)
    } finally {
      await workers.close()
    }
  })

  test('takes the first devices when it is given none', async () => {
    const workers = await pool({ niceness: 0, workers: 2, engine: 'pjrt' })
    expect((await workers.status()).workers.map(({ device }) => device)).toEqual([0, 1])
    await workers.close()
  })

  test('tells which device is not there, and leaves nothing', async () => {
    await expect(pool({ devices: [0, 99] })).rejects.toMatchObject({
      code: 'argument',
      message: expect.stringMatching(/worker rank 1 \(pid \d+\) could not start: .*device below \d+, got 99/),
    })
    expect(childrenOf(process.pid).filter(runs)).toEqual([])
  })
})

test('more workers than cores are told of when the pool starts', async () => {
  const count = availableParallelism() + 1
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    const workers = await pool({ niceness: 0, workers: count, engine: 'wasm', name: 'crowd' })
    await workers.close()
    expect(written.mock.calls.map(([text]) => String(text)).join('')).toMatch(
      new RegExp(`^Pool crowd: ${count} workers on ${count - 1} cores?: fewer would be as quick\n$`, 'm'),
    )
    written.mockClear()
    await (await pool({ niceness: 0, workers: 1, engine: 'wasm' })).close()
    expect(written).not.toHaveBeenCalled()
  } finally {
    written.mockRestore()
  }
})
