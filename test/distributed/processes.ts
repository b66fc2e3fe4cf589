/** What the tests of the pool ask the operating system. */
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { vi } from 'vitest'

/** Whether a process runs; one that has ended and waits for its parent to notice does not. */
export function runs(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Kills a process at once, if it has not ended meanwhile. */
export function killNow(pid: number): void {
  if (runs(pid)) process.kill(pid, 'SIGKILL')
}

/** Processes that `pid` started. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}

/** Folders that pools have in the temporary folder, for sockets and for states, and what they share in memory. */
export function poolFolders(): string[] {
  const own = readdirSync(tmpdir()).filter((name) => /^shardbook-(?:pool|state)-/.test(name))
  const known = new Set([...seen, ...own])
  for (const name of own) seen.add(name)
  return [...own, ...readdirSync('/dev/shm').filter((name) => known.has(name))]
}

/** Names of this process's pools: the folder of shared memory is everybody's. */
const seen = new Set<string>()

/** Waits until `condition` holds: as long as a loaded machine may need, for what is right is not a matter of speed. */
export async function until(condition: () => boolean): Promise<void> {
  await vi.waitUntil(condition, { timeout: 200_000, interval: 10 })
}
