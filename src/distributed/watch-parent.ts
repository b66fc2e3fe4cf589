/**
 * A thread that ends its process when the parent is gone and the main thread, busy or stuck, does not act on it, and that gives
 * signs of life meanwhile: a byte at a time on the fourth pipe, 1 where the main thread has had a turn since the last one.
 * It runs by itself in each process of a pool; see `child.ts`.
 */
import { rmSync, writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { isAlive } from './is-alive.js'

interface Watched {
  /** None for a process that outlives its parent. */
  readonly parent: number | undefined
  readonly session: number | undefined
  readonly folders: readonly string[]
  readonly turns: Int32Array
}

const { parent, session, folders, turns } = workerData as Watched
const lookMs = 500
const lifePipe = 3
let orphaned = false
let lastTurn = 0

setInterval(() => {
  const turn = Atomics.load(turns, 0)
  try {
    writeSync(lifePipe, Uint8Array.of(turn === lastTurn ? 0 : 1))
  } catch (error) {
    // Nobody reads any more: whether that is the end shows below.
    if (!['EPIPE', 'ECONNRESET', 'EAGAIN'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
  lastTurn = turn
  if (parent === undefined) return
  // One round of grace for the main thread to leave in its own way.
  if (orphaned) {
    if (session !== undefined && (session === parent || !isAlive(session))) {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true })
    }
    process.kill(process.pid, 'SIGKILL')
  }
  orphaned = process.ppid !== parent
}, lookMs)
