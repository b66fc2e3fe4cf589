/** How much of the time a GPU computes, as its driver tells: the share of each fraction of a second in which a kernel ran. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const everyMs = 200

/** Starts counting; what it gives ends it and tells the mean, in per cent, or nothing where no driver tells. */
export function watchGpu(device: number): () => Promise<number | undefined> {
  const query = ['--query-gpu=utilization.gpu', '--format=csv,noheader,nounits']
  const child = spawn('nvidia-smi', [...query, `--id=${device}`, `--loop-ms=${everyMs}`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let told = ''
  child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()))
  // Without the program there is nothing to end.
  const ended = once(child, 'close').catch(() => undefined)
  return async () => {
    child.kill()
    await ended
    const shares = told.split('\n').map(Number.parseFloat).filter(Number.isFinite)
    // The first one is of the time before.
    const own = shares.slice(1)
    return own.length === 0 ? undefined : own.reduce((sum, share) => sum + share, 0) / own.length
  }
}
