/**
 * Compiled programs on disk, by a checksum over everything that they depend on: program, options, plugin, device. A file appears
 * by one rename; one that is damaged or of another plugin is compiled anew.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Room for compiled programs; the ones used longest ago go first. */
const maxBytes = 2 ** 30

export class ExecutableCache {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  keyOf(parts: readonly string[]): string {
    const hash = createHash('sha256')
    for (const part of parts) hash.update(`${part.length} ${part}`)
    return hash.digest('hex')
  }

  read(key: string): Uint8Array | undefined {
    const path = join(this.#folder, key)
    try {
      const bytes = readFileSync(path)
      const now = new Date()
      utimesSync(path, now, now)
      const sum = bytes.subarray(0, 32)
      const content = bytes.subarray(32)
      return createHash('sha256').update(content).digest().equals(sum) ? Uint8Array.from(content) : undefined
    } catch (error) {
      if (isRefusal(error)) return undefined
      throw error
    }
  }

  /** Keeps a program, where the disk lets us: without, the next process compiles again. */
  write(key: string, content: Uint8Array): void {
    try {
      // What lies there is run: nobody else may put anything into it.
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
      const scratch = join(this.#folder, `.${key.slice(0, 16)}-${process.pid}`)
      writeFileSync(scratch, Buffer.concat([createHash('sha256').update(content).digest(), content]))
      renameSync(scratch, join(this.#folder, key))
      this.#makeRoom()
    } catch (error) {
      if (!isRefusal(error)) throw error
    }
  }

  remove(key: string): void {
    rmSync(join(this.#folder, key), { force: true })
  }

  #makeRoom(): void {
    const files = readdirSync(this.#folder).flatMap((name) => {
      const found = statSync(join(this.#folder, name), { throwIfNoEntry: false })
      return found === undefined ? [] : [{ name, size: found.size, used: found.mtimeMs }]
    })
    let total = files.reduce((sum, { size }) => sum + size, 0)
    for (const { name, size } of files.toSorted((a, b) => a.used - b.used)) {
      if (total <= maxBytes) return
      rmSync(join(this.#folder, name), { force: true })
      total -= size
    }
  }
}

function isRefusal(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException).code === 'string'
}
