import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ControlLog, type Control, type Mode } from '../../src/distributed/control.js'

/** Ranks that take steps with a plain maximum as all-reduce; `delays[rank][version]` is when a control arrives. */
async function steps(
  log: readonly Control[],
  delays: readonly (readonly number[])[],
  count: number,
): Promise<string[]> {
  const ranks = delays.map(() => new ControlLog({ version: 0, mode: 'run' }))
  const pending = delays.map((times) => {
    let latest = 0
    // Messages to one rank stay in order.
    return log.map((control, i) => ({ control, at: (latest = Math.max(latest, times[i] ?? 0)) }))
  })
  const histories = ranks.map(() => '')
  for (let time = 0; time < count; time++) {
    for (const [rank, queue] of pending.entries()) {
      while (queue[0] !== undefined && queue[0].at <= time) ranks[rank]!.append(queue.shift()!.control)
    }
    const gates = ranks.map(async (rank) => rank.gate(() => {}))
    // A rank that waits in a pause gets what is still on its way.
    for (const [rank, queue] of pending.entries()) {
      const settled = await Promise.race([
        gates[rank],
        new Promise((resolve) => setImmediate(() => resolve('waiting'))),
      ])
      let state = settled
      while (state === 'waiting' && queue.length > 0) {
        ranks[rank]!.append(queue.shift()!.control)
        state = await Promise.race([gates[rank], new Promise((resolve) => setImmediate(() => resolve('waiting')))])
      }
      histories[rank] += state === 'waiting' ? 'W' : state === 'go' ? 'g' : 'S'
    }
    if (histories.some((history) => /[WS]/.test(history))) break
    const newest = ranks.map((rank) => rank.latest).reduce((a, b) => (b.version > a.version ? b : a))
    for (const rank of ranks) rank.agree(newest)
  }
  for (const rank of ranks) rank.break(new Error('over'))
  return histories
}

describe('controls', () => {
  test('take effect at the same step on all ranks, however they are delayed', async () => {
    const modes = fc.array(fc.constantFrom<Mode>('run', 'pause', 'stop'), { maxLength: 6 })
    const delays = fc.array(fc.array(fc.nat(8), { minLength: 6, maxLength: 6 }), { minLength: 2, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(modes, delays, async (list, times) => {
        const log = list.map((mode, i) => ({ version: i + 1, mode }))
        const histories = await steps(log, times, 12)
        expect(new Set(histories).size).toBe(1)
      }),
      { numRuns: 60 },
    )
  })

  test('a pause waits for the control that ends it, and tells', async () => {
    const log = new ControlLog({ version: 1, mode: 'pause' })
    const paused: number[] = []
    const gate = log.gate((version) => void paused.push(version))
    log.append({ version: 2, mode: 'pause' })
    log.append({ version: 3, mode: 'run' })
    log.append({ version: 4, mode: 'stop' })
    expect(await gate).toBe('go')
    expect(paused).toEqual([1, 2])
    log.agree(log.latest)
    expect(await log.gate(() => {})).toBe('stop')
  })

  test('a broken ring ends a pause by its error', async () => {
    const log = new ControlLog({ version: 1, mode: 'pause' })
    const gate = log.gate(() => {})
    log.break(new Error('a peer is gone'))
    await expect(gate).rejects.toThrow('a peer is gone')
  })
})
