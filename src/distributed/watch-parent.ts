/**
 * A thread that ends its process when the parent is gone and the main thread, busy or stuck, does not act on it.
 * It runs by itself in each process of a pool; see `child.ts`.
 */
import { rmSync } from 'node:fs'
import { workerData } from 'node:worker_threads'

const { parent, folder } = workerData as { parent: number; folder: string }
const lookMs = 500
let orphaned = false

setInterval(() => {
  // One round of grace for the main thread to leave in its own way.
  if (orphaned) {
    rmSync(folder, { recursive: true, force: true })
    process.kill(process.pid, 'SIGKILL')
  }
  orphaned = process.ppid !== parent
}, lookMs)
