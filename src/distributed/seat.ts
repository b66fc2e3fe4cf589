/** A seat: what the roster knows of one rank, its present process with it. */
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Connection } from './connection.js'
import { LogTail } from './log-tail.js'
import type { OrderMessage, WireError, WorkerLoad, WorkerMessage, WorkerReport, WorkerState } from './messages.js'

/** One rank of the pool. */
export interface Slot {
  readonly rank: number
  /** Endpoint of its ring door; set while it is up. */
  readonly door: string | undefined
  readonly up: boolean
  /** It was lost too often; it gets no new process before the next task. */
  readonly isGivenUp: boolean
  send(message: OrderMessage): void
  report(): WorkerReport
}

export class Seat implements Slot {
  readonly rank: number
  /** The number of its device; without, the engine's default. */
  readonly device: number | undefined
  state: WorkerState = 'lost'
  incarnation = -1
  isGivenUp = false
  /** How often it was lost since the last progress. */
  losses = 0
  engine = ''
  door: string | undefined
  process: ChildProcess | undefined
  connection: Connection<WorkerMessage, OrderMessage> | undefined
  /** What its processes wrote, of all incarnations. */
  readonly log = new LogTail()
  startError: WireError | undefined
  startTimer: NodeJS.Timeout | undefined
  exited: Promise<void> = Promise.resolve()
  /** When it last gave a sign of life, and when its main thread last had a turn. */
  aliveAt = 0
  turnAt = 0
  /** What it did lately. */
  load: WorkerLoad | undefined

  constructor(rank: number, device?: number) {
    this.rank = rank
    this.device = device
  }

  get up(): boolean {
    return this.door !== undefined
  }

  send(message: OrderMessage): void {
    this.connection?.send(message)
  }

  report(): WorkerReport {
    const { rank, device, process, state, engine, incarnation, load } = this
    const [pid, memoryBytes] = [process?.pid, residentBytes(process?.pid)]
    return { rank, pid, device, state, engine, memoryBytes, replaced: Math.max(0, incarnation), ...load }
  }
}

/** Resident memory of a process; Linux only, `undefined` elsewhere. */
export function residentBytes(pid: number | undefined): number | undefined {
  if (pid === undefined || process.platform !== 'linux') return undefined
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch (error) {
    // The process has ended in between.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH')
      return undefined
    throw error
  }
}
