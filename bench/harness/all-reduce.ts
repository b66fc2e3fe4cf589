/**
 * Ranks of a ring in processes of their own, as workers have it: the time that an all-reduce takes. Run as a program it is one
 * rank; its arguments are rank, number of ranks, folder and bytes.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RingDoor } from '../../src/distributed/ring-door.js'
import { Ring } from '../../src/distributed/ring.js'
import { openSegmentFolder, sharedMemoryFolder } from '../../src/distributed/segment-file.js'
import { median } from './contest.js'
import { startPeer } from './peer.js'

const rounds = 25
const warmUp = 5

/** Median over the rounds of the slowest rank's milliseconds. */
export async function allReduceMs(bytes: number, ranks: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-ring-'))
  const memory = sharedMemoryFolder()
  const shared = memory === undefined ? '' : join(memory, basename(folder))
  if (shared !== '') mkdirSync(shared, { mode: 0o700 })
  const secret = randomBytes(32).toString('base64')
  const program = fileURLToPath(import.meta.url)
  try {
    const peers = await Promise.all(
      Array.from({ length: ranks }, async (_, rank) =>
        startPeer(process.execPath, [program, String(rank), String(ranks), folder, String(bytes), shared], {
          BENCH_RING_SECRET: secret,
        }),
      ),
    )
    const answers = await Promise.all(peers.map(async (peer) => peer.ask('go')))
    await Promise.all(peers.map(async (peer) => peer.close()))
    return Math.max(...answers.map(Number))
  } finally {
    for (const path of [folder, shared]) if (path !== '') rmSync(path, { recursive: true, force: true })
  }
}

async function runRank([rank, ranks, bytes]: readonly number[], folder: string, memory: string): Promise<void> {
  const secret = Buffer.from(process.env['BENCH_RING_SECRET']!, 'base64')
  const peers = Array.from({ length: ranks! }, (_, peer) => join(folder, `ring-${peer}`))
  const door = await RingDoor.open(peers[rank!]!, secret)
  console.log('READY')
  await new Promise((resolve) => process.stdin.once('data', resolve))
  const links = await door.join({ generation: 1, rank: rank!, peers, signal: new AbortController().signal })
  const shared = memory === '' ? undefined : await openSegmentFolder(memory)
  const ring = new Ring({ rank: rank!, workers: ranks!, generation: 1, links, shared })
  const vector = new Float32Array(bytes! / 4).fill(1)
  const times: number[] = []
  for (let step = 0; step < rounds + warmUp; step++) {
    const began = performance.now()
    await ring.allReduce(step, vector, { version: 0, mode: 'run' })
    if (step >= warmUp) times.push(performance.now() - began)
  }
  console.log(String(median(times)))
  process.stdin.once('end', () => {
    ring.break('over.')
    door.close()
    process.exit(0)
  })
  process.stdin.resume()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [rank, ranks, folder, bytes, shared] = process.argv.slice(2)
  await runRank([Number(rank), Number(ranks), Number(bytes)], folder!, shared!)
}
