/**
 * The roster: the coordinator's worker processes, one a rank. It starts them, keeps them up, and says what happened.
 *
 * A rank lives through incarnations. When its process is lost, by exit or by a closed connection, it is ended for good,
 * the run that uses the rank is told, and the next incarnation starts; a connection of an older one is turned away.
 * Too many losses without progress in between, and the roster gives the rank up until the next task.
 */
import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { spawnChild, type CoordinatorSettings } from './child.js'
import { Connection } from './connection.js'
import { LifeWatch } from './life-watch.js'
import type { Claim, OrderMessage, WireError, WorkerMessage, WorkerReport } from './messages.js'
import { Seat, type Slot } from './seat.js'
import { fromWire } from './wire-error.js'

/** How often one rank may be lost without progress in between. */
const patience = 3
const startMs = 60_000
/** Time for the exit of a process to become known after its connection closed, before we end it ourselves. */
const exitMs = 500

/** Who uses a slot, and hears of it. */
export interface SlotUser {
  onMessage(slot: Slot, message: WorkerMessage): void
  /** The slot's process is gone; a new one is on its way unless the loss is final. */
  onLost(slot: Slot, loss: Loss): void
  onUp(slot: Slot): void
}

export interface Loss {
  readonly reason: string
  /** The last lines that the process wrote, or an empty string. */
  readonly output: string
  /** Set when the rank was given up. */
  readonly final?: WireError | undefined
}

export class Roster {
  readonly slots: readonly Slot[]
  readonly #seats: readonly Seat[]
  readonly #settings: CoordinatorSettings
  readonly #threads: number
  readonly #watch: LifeWatch
  readonly #users = new Map<number, SlotUser>()
  #begun = false
  #endpoint = ''
  #closed = false
  #onChange: (error?: WireError) => void = () => {}

  constructor(settings: CoordinatorSettings, cores: number) {
    this.#settings = settings
    this.#threads = settings.threads ?? Math.max(1, Math.floor(cores / settings.workers))
    this.#seats = Array.from({ length: settings.workers }, (_, rank) => new Seat(rank, settings.devices?.[rank]))
    this.slots = this.#seats
    this.#watch = new LifeWatch(this.#seats, settings, (seat, how) => this.#lose(seat, seat.incarnation, how))
  }

  /** Where the coordinator is reached; set before the first worker starts. */
  useEndpoint(endpoint: string): void {
    this.#endpoint = endpoint
  }

  /** Resolves when all workers are up for the first time; rejects when one cannot start. */
  async begin(): Promise<void> {
    this.start()
    await new Promise<void>((resolve, reject) => {
      this.#onChange = (error) => {
        if (error !== undefined) reject(fromWire(error))
        else if (this.#seats.every((seat) => seat.up)) resolve()
      }
    })
    this.#onChange = () => {}
    this.#begun = true
  }

  /** Starts every worker that is not up or starting. */
  start(): void {
    this.progress()
    for (const seat of this.#seats) {
      seat.isGivenUp = false
      if (seat.state === 'lost') this.#spawn(seat)
    }
  }

  /** Gives a slot to a user, or back to nobody. */
  assign(slot: Slot, user: SlotUser | undefined): void {
    const seat = this.#seats[slot.rank]!
    if (user === undefined) this.#users.delete(slot.rank)
    else this.#users.set(slot.rank, user)
    if (seat.up) seat.state = user === undefined ? 'idle' : 'busy'
  }

  /** Something was achieved: earlier losses no longer count. */
  progress(): void {
    for (const seat of this.#seats) seat.losses = 0
  }

  /** Why a claim is not one of a present worker, if it is not. */
  objection(claim: Claim & { role: 'worker' }): string | undefined {
    const seat = this.#seats[claim.rank]
    if (seat === undefined) return `expected a rank below ${this.#seats.length}, got ${claim.rank}.`
    return seat.incarnation === claim.incarnation && seat.process !== undefined && seat.connection === undefined
      ? undefined
      : `worker rank ${claim.rank} was replaced.`
  }

  /** Takes the connection of a worker whose claim was proved and unobjectionable. */
  connect(claim: Claim & { role: 'worker' }, socket: Socket): void {
    const seat = this.#seats[claim.rank]!
    const { incarnation, process } = seat
    const connection = new Connection<WorkerMessage, OrderMessage>(socket, (message) => {
      if (seat.connection === connection) this.#receive(seat, message)
    })
    seat.connection = connection
    void connection.closed.then(async (error) => {
      await Promise.race([seat.exited, new Promise((resolve) => setTimeout(resolve, exitMs).unref())])
      if (process !== undefined)
        this.#lose(seat, incarnation, `its connection closed${error ? ` (${error.message})` : ''}`)
    })
  }

  report(): WorkerReport[] {
    return this.#seats.map((seat) => seat.report())
  }

  /** The last lines that the workers wrote, those of one rank or of all. */
  logs(lines: number, rank?: number): string[] {
    const seats = rank === undefined ? this.#seats : this.#seats.filter((seat) => seat.rank === rank)
    return seats.flatMap((seat) => seat.log.last(lines))
  }

  /** Ends every worker; resolves when all have exited. */
  async close(): Promise<void> {
    this.#closed = true
    this.#watch.close()
    const exits = this.#seats.map((seat) => seat.exited)
    for (const seat of this.#seats) seat.process?.kill('SIGKILL')
    await Promise.all(exits)
  }

  #spawn(seat: Seat): void {
    const incarnation = ++seat.incarnation
    const { secret, folder, shared, engine, host, niceness, session, stateFolder } = this.#settings
    seat.state = 'starting'
    seat.startError = undefined
    seat.load = undefined
    const common = { secret, folder, shared, engine, host, endpoint: this.#endpoint, niceness, session, stateFolder }
    const child = spawnChild(
      'worker',
      { ...common, rank: seat.rank, incarnation, threads: this.#threads, device: seat.device },
      { detached: false },
    )
    seat.process = child
    this.#watch.begin(seat, child)
    seat.log.begin()
    seat.log.follow(child.stdout!, `[rank ${seat.rank}] `)
    seat.log.follow(child.stderr!, `[rank ${seat.rank}] `)
    const timer = setTimeout(() => child.kill('SIGKILL'), startMs).unref()
    seat.startTimer = timer
    seat.exited = new Promise((resolve) => {
      // 'close' comes when the output is read to its end as well.
      child.once('close', (code, signal) => {
        clearTimeout(timer)
        resolve()
        this.#lose(seat, incarnation, signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`)
      })
      child.once('error', (error) => {
        resolve()
        this.#lose(seat, incarnation, `it could not be started (${error.message})`)
      })
    })
  }

  #receive(seat: Seat, message: WorkerMessage): void {
    if (message.type === 'up') {
      clearTimeout(seat.startTimer)
      seat.engine = message.description
      seat.door = message.door
      const user = this.#users.get(seat.rank)
      seat.state = user === undefined ? 'idle' : 'busy'
      this.#onChange()
      user?.onUp(seat)
    } else if (message.type === 'load') {
      seat.load = message.load
      this.#users.get(seat.rank)?.onMessage(seat, message)
    } else if (message.type === 'down') {
      seat.startError = message.error
    } else {
      this.#users.get(seat.rank)?.onMessage(seat, message)
    }
  }

  #lose(seat: Seat, incarnation: number, how: string): void {
    if (this.#closed || seat.incarnation !== incarnation || seat.process === undefined) return
    const { process, log, startError } = seat
    const started = seat.up
    process.kill('SIGKILL')
    seat.connection?.close()
    seat.connection = seat.door = seat.process = undefined
    seat.state = 'lost'
    const reason = startError?.message ?? `${how}${started ? '' : ' before it was up'}`
    seat.losses++
    const final = this.#finalError(seat, process, reason, log.tail(), startError)
    seat.isGivenUp = final !== undefined
    if (final === undefined) this.#spawn(seat)
    this.#onChange(final)
    this.#users.get(seat.rank)?.onLost(seat, { reason, output: log.tail(), final })
  }

  /** The error with which a rank is given up, or nothing when it is to be started again. */
  #finalError(
    seat: Seat,
    process: ChildProcess,
    reason: string,
    tail: string,
    startError?: WireError,
  ): WireError | undefined {
    const beginning = seat.incarnation === 0 && !this.#begun
    if (seat.losses <= patience && !beginning) return undefined
    const output = tail === '' ? '' : `\nIts last output:\n${tail}`
    const times = beginning ? 'could not start' : `was lost (${seat.losses} losses without progress)`
    return {
      code: startError?.code ?? 'pool',
      message: `pool: worker rank ${seat.rank} (pid ${process.pid}) ${times}: ${reason}${reason.endsWith('.') ? '' : '.'}${output}`,
      stack: startError?.stack,
    }
  }
}
