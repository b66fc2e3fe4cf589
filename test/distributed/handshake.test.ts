import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as connectSocket, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encode } from '../../src/distributed/codec.js'
import { connect, Connection } from '../../src/distributed/connection.js'
import { greet } from '../../src/distributed/handshake.js'
import { protocolVersion, type Claim } from '../../src/distributed/messages.js'
import { RingDoor } from '../../src/distributed/ring-door.js'

const secret = randomBytes(32)
const claim: Claim = { role: 'worker', rank: 1, incarnation: 0 }
let folder = ''
let path = ''
let server: Server
let greetings: Promise<Claim>[] = []
let admit: (claim: Claim) => string | undefined = () => undefined

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'handshake-test-'))
  path = join(folder, 'server')
  greetings = []
  admit = () => undefined
  server = createServer({ pauseOnConnect: true }, (socket) => {
    const greeting = greet(socket, secret, (claimed) => admit(claimed))
    greeting.catch(() => {})
    void greeting.then(
      () =>
        new Connection<{ type: string }, { type: string }>(socket, (message) =>
          socket.write(Buffer.concat(encode(message))),
        ),
      () => undefined,
    )
    greetings.push(greeting)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
})

afterEach(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

describe('the handshake', () => {
  test('connects two ends that know the secret, and messages pass', async () => {
    const socket = await connect(path, secret, claim)
    const echoed = await new Promise<unknown>((resolve) => {
      new Connection<{ type: string }, { type: string; values: Float32Array }>(socket, resolve).send({
        type: 'echo',
        values: new Float32Array([1, 2]),
      })
    })
    expect(echoed).toEqual({ type: 'echo', values: new Float32Array([1, 2]) })
    expect(await greetings[0]).toEqual(claim)
    socket.destroy()
  })

  test('refuses a client with another secret, and says so on both sides', async () => {
    await expect(connect(path, randomBytes(32), claim)).rejects.toMatchObject({
      code: 'pool',
      message: expect.stringContaining('got a wrong proof'),
    })
    await expect(greetings[0]).rejects.toMatchObject({ code: 'pool' })
  })

  test('refuses a server that does not know the secret', async () => {
    const impostor = createServer((socket) => {
      socket.on('error', () => {})
      for (const chunk of encode({ type: 'challenge', nonce: '00' })) socket.write(chunk)
      socket.once('data', () => {
        for (const chunk of encode({ type: 'welcome', proof: 'f'.repeat(64) })) socket.write(chunk)
      })
    })
    await new Promise<void>((resolve) => impostor.listen(join(folder, 'impostor'), resolve))
    await expect(connect(join(folder, 'impostor'), secret, claim)).rejects.toThrow(
      /expected a server that knows the secret/,
    )
    impostor.close()
  })

  test('names both versions when they differ', async () => {
    const socket = connectSocket(path)
    const hello = Buffer.concat(encode({ type: 'hello' }))
    hello[2] = protocolVersion + 1
    socket.resume().write(hello)
    await new Promise((resolve) => socket.once('close', resolve))
    await expect(greetings[0]).rejects.toThrow(
      `expected protocol version ${protocolVersion}, got ${protocolVersion + 1}`,
    )
  })

  test('refuses a large frame and other bytes from a stranger', async () => {
    const chunks = [
      Buffer.concat(encode({ type: 'hello', data: new Float32Array(100_000) })),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    ]
    for (const [i, bytes] of chunks.entries()) {
      const socket = connectSocket(path).on('error', () => {})
      socket.resume().write(bytes)
      await new Promise((resolve) => socket.once('close', resolve))
      await expect(greetings[i]).rejects.toMatchObject({ code: 'pool' })
    }
  })

  test('tells a client why it is not admitted', async () => {
    admit = () => 'worker rank 1 was replaced.'
    await expect(connect(path, secret, claim)).rejects.toThrow('worker rank 1 was replaced.')
  })
})

describe('the ring door', () => {
  const signal = new AbortController().signal

  test('lets in who comes early, and turns an older generation away', async () => {
    const doors = await Promise.all([0, 1].map(async (rank) => RingDoor.open(join(folder, `ring-${rank}`), secret)))
    const peers = doors.map((door) => door.endpoint)
    const late = doors[0]!.join({ generation: 2, rank: 0, peers, signal })
    const [first, second] = await Promise.all([late, doors[1]!.join({ generation: 2, rank: 1, peers, signal })])
    expect(first).toBeDefined()
    expect(second).toBeDefined()
    await expect(connect(peers[0]!, secret, { role: 'ring', rank: 1, generation: 1 })).rejects.toThrow(
      'expected a ring of generation 2, got 1.',
    )
    for (const links of [first!, second!]) for (const socket of [links.next, links.previous]) socket.destroy()
    for (const door of doors) door.close()
  })

  test('stops joining when it is halted', async () => {
    const door = await RingDoor.open(join(folder, 'ring'), secret)
    const halt = new AbortController()
    const joining = door.join({
      generation: 1,
      rank: 0,
      peers: [door.endpoint, join(folder, 'nobody')],
      signal: halt.signal,
    })
    halt.abort()
    await expect(joining).rejects.toMatchObject({ code: 'pool' })
    door.close()
  })
})
