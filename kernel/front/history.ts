/**
 * The cells that were run, of this kernel and of earlier ones: one file of JSON lines a session, named for its number.
 *
 * A session has its file to itself (creating it takes the number), so kernels that run at once never mix their lines, and a
 * line that was cut off costs nothing but itself. Files are for their owner only; the oldest go when there is too much.
 * Where nothing can be written, the session's own cells are still known.
 */
import { appendFileSync, closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface HistoryEntry {
  readonly session: number
  /** The number of the cell. */
  readonly line: number
  readonly input: string
  /** The text of its result. */
  readonly output?: string
}

type Line = { readonly line: number } & ({ readonly input: string } | { readonly output: string })

export interface HistoryOptions {
  /** Where the files are; without it nothing outlives the process. */
  readonly folder?: string | undefined
  readonly log: (text: string) => void
  /** How much all files may hold together. */
  readonly boundBytes?: number
}

/** Longer texts are kept only in memory: a history is for what somebody typed. */
const longestText = 1 << 20
const defaultBoundBytes = 1 << 25

export class History {
  private readonly options: HistoryOptions
  private readonly own: HistoryEntry[] = []
  /** The number of this session, taken with its first cell. */
  private number: number | undefined
  private isWritable: boolean

  constructor(options: HistoryOptions) {
    this.options = options
    this.isWritable = options.folder !== undefined
  }

  /** The number of the session that runs. */
  get session(): number {
    return (this.number ??= this.begin())
  }

  add(line: number, input: string): void {
    this.own.push({ session: this.session, line, input })
    this.write({ line, input })
  }

  /** Adds the result of the last cell with this number. */
  addOutput(line: number, output: string): void {
    const index = this.own.findLastIndex((entry) => entry.line === line)
    if (index < 0) return
    this.own[index] = { ...this.own[index]!, output }
    this.write({ line, output })
  }

  /** The numbers of all sessions, the oldest first; this one is the last. */
  sessions(): number[] {
    return [...this.numbers().filter((number) => number !== this.session), this.session]
  }

  /** The cells of a session; none where it is unknown. */
  async entries(session: number): Promise<readonly HistoryEntry[]> {
    if (session === this.session) return this.own
    const { folder } = this.options
    if (folder === undefined) return []
    try {
      return parseEntries(session, await readFile(fileOf(folder, session), 'utf8'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      this.options.log(`history: session ${session} cannot be read: ${String(error)}`)
      return []
    }
  }

  private begin(): number {
    const { folder, boundBytes = defaultBoundBytes } = this.options
    try {
      if (folder === undefined) return 1
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const numbers = this.numbers()
      let left = boundBytes
      for (const number of numbers.toReversed()) {
        left -= statSync(fileOf(folder, number), { throwIfNoEntry: false })?.size ?? 0
        if (left < 0) rmSync(fileOf(folder, number), { force: true })
      }
      for (let number = (numbers.at(-1) ?? 0) + 1; ; number++) if (create(fileOf(folder, number))) return number
    } catch (error) {
      this.fail(error)
      return 1
    }
  }

  private write(line: Line): void {
    const { folder } = this.options
    const text = `${JSON.stringify(line)}\n`
    if (folder === undefined || !this.isWritable || text.length > longestText) return
    try {
      appendFileSync(fileOf(folder, this.session), text, { mode: 0o600 })
    } catch (error) {
      this.fail(error)
    }
  }

  private fail(error: unknown): void {
    this.isWritable = false
    this.options.log(`history: only this session's cells are known from now on: ${String(error)}`)
  }

  private numbers(): number[] {
    try {
      const names = this.options.folder === undefined ? [] : readdirSync(this.options.folder)
      const numbers = names.map((name) => Number(/^(\d+)\.jsonl$/.exec(name)?.[1] ?? NaN))
      return numbers.filter((number) => !Number.isNaN(number)).sort((a, b) => a - b)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.options.log(`history: ${String(error)}`)
      return []
    }
  }
}

function fileOf(folder: string, session: number): string {
  return join(folder, `${session}.jsonl`)
}

/** Makes a file unless there is one. */
function create(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function parseEntries(session: number, text: string): HistoryEntry[] {
  const entries: HistoryEntry[] = []
  for (const one of text.split('\n')) {
    const found = parseLine(one)
    if (found === undefined) continue
    const { line } = found
    if ('input' in found) entries.push({ session, line, input: found.input })
    else {
      const index = entries.findLastIndex((entry) => entry.line === line)
      if (index >= 0) entries[index] = { ...entries[index]!, output: found.output }
    }
  }
  return entries
}

function parseLine(text: string): Line | undefined {
  try {
    const value = JSON.parse(text) as { line?: unknown; input?: unknown; output?: unknown } | null
    const { line, input, output } = value ?? {}
    if (typeof line !== 'number') return undefined
    if (typeof input === 'string') return { line, input }
    return typeof output === 'string' ? { line, output } : undefined
  } catch {
    // The kernel that wrote it was killed over it, or somebody edited the file.
    return undefined
  }
}
