/** How bytes travel: over TLS, through a bad line, and never to a stranger. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { pool } from '../../src/distributed/index.js'
import { packHalves, toHalf, unpackHalves } from '../../src/distributed/compression.js'
import { connect } from '../../src/distributed/connection.js'
import type { Control } from '../../src/distributed/control.js'
import { dial, listen } from '../../src/distributed/endpoint.js'
import { greet } from '../../src/distributed/handshake.js'
import { Ring, RingBroken } from '../../src/distributed/ring.js'
import { openSegmentFolder, SegmentWriter } from '../../src/distributed/segment-file.js'
import { openMappedFiles } from '../../src/ffi/index.js'
import { killNow } from './processes.js'
import { bytesOf, smallJob } from './small-job.js'
import { changesOf, disturb, ownTemporaryFolder, pidsOf, train, upTo } from './trainings.js'

const ownFolder = ownTemporaryFolder()
const servers: Server[] = []
afterAll(() => {
  for (const server of servers) server.close()
  rmSync(ownFolder, { recursive: true })
})

const control: Control = { version: 0, mode: 'run' }

describe('TLS', () => {
  const secret = randomBytes(32)

  test('carries the handshake and what follows', async () => {
    const claims: unknown[] = []
    const listener = await listen('tls:127.0.0.1:0', secret, (socket) => {
      void greet(socket, secret).then((claim) => claims.push(claim))
    })
    const socket = await connect(listener.endpoint, secret, { role: 'session' })
    expect(claims).toEqual([{ role: 'session' }])
    socket.destroy()
    listener.close()
  })

  test('turns away who has another secret, and who speaks no TLS', async () => {
    const listener = await listen('tls:127.0.0.1:0', secret, () => {})
    await expect(dial(listener.endpoint, randomBytes(32))).rejects.toMatchObject({ code: 'pool' })
    const port = Number(listener.endpoint.split(':').at(-1))
    const stranger = connectSocket(port, '127.0.0.1').on('error', () => {})
    stranger.resume().write('GET / HTTP/1.1\r\n\r\n')
    await new Promise((resolve) => stranger.once('close', resolve))
    listener.close()
  })

  test('a port that is taken is told', async () => {
    const listener = await listen('tls:127.0.0.1:0', secret, () => {})
    const port = Number(listener.endpoint.split(':').at(-1))
    await expect(listen(listener.endpoint, secret, () => {})).rejects.toThrow(
      /got one that is taken\. Name another port/,
    )
    await expect(pool({ workers: 1, engine: 'wasm', host: '127.0.0.1', port })).rejects.toThrow(
      /got one that is taken.*Name another port/s,
    )
    listener.close()
  })

  test('a pool trains over it to the same bits, through a kill', async () => {
    const job = await smallJob(ownFolder, 'wasm')
    const workers = await pool({ niceness: 0, workers: 2, engine: 'wasm', host: '127.0.0.1' })
    const { state } = await disturb(workers, job, async ({ events, reach }) => {
      killNow((await pidsOf(workers))[0]!)
      await reach(() => changesOf(events).includes('replaced 0'))
    })
    await workers.close()
    const plain = await pool({ niceness: 0, workers: 2, engine: 'wasm' })
    const { state: expected } = await train(plain, upTo(job, state.step))
    expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
    await plain.close()
  })
})

describe('a bad line', () => {
  /** Two ends of a connection with a man in the middle who does with the bytes as he likes. */
  async function through(meddle: (bytes: Buffer, far: Socket) => void): Promise<[Socket, Socket]> {
    const folder = mkdtempSync(join(tmpdir(), 'proxy-'))
    const [back, front] = [join(folder, 'back'), join(folder, 'front')]
    const far = new Promise<Socket>((resolve) => {
      const server = createServer(resolve).listen(back)
      servers.push(server)
    })
    const proxy = createServer((near) => {
      const onward = connectSocket(back)
      near.on('data', (bytes: Buffer) => meddle(bytes, onward))
      near.on('close', () => onward.destroy()).on('error', () => {})
      onward.on('close', () => near.destroy()).on('error', () => {})
    })
    servers.push(proxy)
    await new Promise<void>((resolve) => proxy.listen(front, resolve))
    return [connectSocket(front), await far]
  }

  /** An all-reduce of two ranks, one of whose two connections is meddled with. */
  async function reduceOver(
    meddle: (bytes: Buffer, far: Socket) => void,
  ): Promise<PromiseSettledResult<Float32Array>[]> {
    const pairs = [await through(meddle), await through((bytes, far) => far.write(bytes))]
    const rings = pairs.map(([next], rank) => {
      return new Ring({ rank, workers: 2, generation: 1, links: { next, previous: pairs[1 - rank]![1] } })
    })
    const vectors = rings.map((_, rank) => Float32Array.from({ length: 5000 }, (__, i) => i + rank))
    const outcomes = await Promise.allSettled(
      rings.map(async (ring, rank) => ring.allReduce(0, vectors[rank]!, control).then(() => vectors[rank]!)),
    )
    for (const ring of rings) ring.break('over.')
    return outcomes
  }

  test('that only delays and cuts bytes up changes nothing', async () => {
    let sent = Promise.resolve()
    const outcomes = await reduceOver((bytes, far) => {
      for (let at = 0; at < bytes.length; at += 997) {
        const piece = bytes.subarray(at, at + 997)
        sent = sent.then(async () => delay(1)).then(() => void far.write(piece))
      }
    })
    for (const outcome of outcomes) {
      expect(outcome.status === 'fulfilled' && outcome.value.every((value, i) => value === 2 * i + 1)).toBe(true)
    }
  })

  test.each([
    ['turns bits over', (bytes: Buffer) => (bytes.length > 2000 ? Buffer.from(bytes).fill(9, 1500, 1501) : bytes)],
    [
      'puts bytes into another order',
      (bytes: Buffer) =>
        bytes.length > 2000
          ? Buffer.concat([bytes.subarray(0, 500), bytes.subarray(1000), bytes.subarray(500, 1000)])
          : bytes,
    ],
  ])('that %s is found out: the ring breaks, no sum is wrong', async (_, change) => {
    for (const outcome of await reduceOver((bytes, far) => far.write(change(bytes)))) {
      const isFoundOut = outcome.status === 'rejected' && outcome.reason instanceof RingBroken
      const isRight = outcome.status === 'fulfilled' && outcome.value.every((value, i) => value === 2 * i + 1)
      expect(isFoundOut || isRight).toBe(true)
    }
  })

  test('that loses bytes and closes breaks the ring', async () => {
    let seen = 0
    const outcomes = await reduceOver((bytes, far) => {
      if ((seen += bytes.length) < 3000) far.write(bytes)
      else far.destroy()
    })
    expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true)
  })
})

describe('shared memory', () => {
  test('brings segments of any length, and larger ones later', async () => {
    const segments = await openSegmentFolder(ownFolder)
    const writer = segments.writer(1, 0, 2)
    const first = Float32Array.of(1, 2, 3)
    const at = writer.write(0, first)!
    const reader = segments.reader(1, 0)
    expect(existsSync(writer.path)).toBe(false)
    for (const [turn, segment] of [first, Float32Array.of(4), new Float32Array(1000).fill(5)].entries()) {
      const offset = turn === 0 ? at : writer.write(turn, segment)!
      const read = new Float32Array(segment.length)
      reader.read(offset, read)
      expect(read).toEqual(segment)
    }
    expect(() => reader.read(1e6, new Float32Array(1))).toThrow(/end of the file/)
    reader.close()
    writer.close()
  })

  test('of a size for which there is no room is done without', async () => {
    const files = await openMappedFiles()
    let room = 100
    const writer = new SegmentWriter(join(ownFolder, 'full'), 2, {
      ...files,
      reserve: (file, bytes) => bytes <= room && files.reserve(file, bytes),
    })
    expect(writer.write(0, new Float32Array(10))).toBe(0)
    expect(writer.write(1, new Float32Array(100))).toBeUndefined()
    room = Infinity
    expect(writer.write(2, new Float32Array(101))).toBeUndefined()
    expect(writer.write(3, new Float32Array(10))).toBe(40)
    writer.close()
  })
})

describe('halves', () => {
  test('are the nearest numbers of 16 bits, and travel unchanged', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true, min: -60_000, max: 60_000 }), { maxLength: 33 }), (numbers) => {
        const values = Float32Array.from(numbers)
        const halves = new Float32Array(values.length)
        toHalf(values, halves)
        for (const [i, half] of halves.entries()) {
          expect(Math.abs(half - values[i]!)).toBeLessThanOrEqual(Math.max(2 ** -25, Math.abs(values[i]!) * 2 ** -11))
        }
        const arrived = new Float32Array(values.length)
        unpackHalves(packHalves(halves), arrived)
        expect(Buffer.from(arrived.buffer).equals(Buffer.from(halves.buffer))).toBe(true)
      }),
    )
  })
})
