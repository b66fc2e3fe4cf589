/** A lock between processes: a file that holds its owner's process id. The lock of a dead process is taken over. */
import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** Takes the lock, waiting while a living process has it; returns how to give it back. */
export async function lock(path: string, onWait: (owner: number) => void): Promise<() => Promise<void>> {
  let waiting = false
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' })
      return () => rm(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const owner = await readFile(path, 'utf8').then(Number, () => undefined)
    if (owner === undefined) continue // given back this moment
    if (!isAlive(owner)) {
      await takeAway(path, owner)
      continue
    }
    if (!waiting) onWait(owner)
    waiting = true
    await sleep(250)
  }
}

/** Whether a process runs. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Removes the lock of a dead owner, unless somebody else did so and has it now. */
async function takeAway(path: string, owner: number): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`
  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if ((await readFile(aside, 'utf8')) !== String(owner)) await rename(aside, path)
  else await rm(aside, { force: true })
}
