/**
 * A run: one training job on a group of workers, kept going through the loss of any of them.
 *
 * Members are prepared (loop made), then put on a ring together; the ring has a generation. When a member is lost or the
 * ring breaks, a new generation begins: the others are halted and say after which step they rest, a replacement is
 * prepared, whoever is behind gets the state of one that is at the newest step (a rank may be one step ahead of the
 * others, never more), and all go on from there on a new ring. So every step is applied exactly once to the state that
 * survives, and the final weights are those of the undisturbed run.
 */
import type { TrainingEvent } from '../nn/train/event.js'
import type { TrainingJob, TrainingState } from '../nn/train/job.js'
import type { Mode } from './control.js'
import { EventFilter } from './event-filter.js'
import { anyHolds, membersOf, nextMove, type Member, type Phase } from './member.js'
import type { WireError, WorkerMessage } from './messages.js'
import { RunControl } from './run-control.js'
import type { Loss, Roster, Slot, SlotUser } from './roster.js'

/** How a run ended. */
export type Outcome =
  | { readonly state: TrainingState; readonly error?: undefined }
  | { readonly error: WireError; readonly state: TrainingState | undefined }

/** Rings that broke without progress after which the run gives up. */
const breakPatience = 10

export class TrainingRun implements SlotUser {
  readonly #id: number
  readonly #job: TrainingJob
  readonly #members: readonly Member[]
  readonly #roster: Roster
  readonly #nextGeneration: () => number
  readonly #onEvent: (event: TrainingEvent) => void
  readonly #restart: boolean
  readonly #filter: EventFilter
  readonly #settle: (outcome: Outcome) => void
  /** Resolves when the run is over; failures are outcomes. */
  readonly outcome: Promise<Outcome>

  /** The newest state that this process has. */
  #base: TrainingState
  /** The newest step that any member is known to have done. */
  #newest: number
  #generation = 0
  readonly #control = new RunControl()
  /** The member that was asked for its state. */
  #source: Member | undefined
  #failure: WireError | undefined
  #over = false
  #breaks = 0
  #reason: 'done' | 'stopped' = 'done'
  readonly #began = performance.now()

  constructor(options: {
    id: number
    job: TrainingJob
    slots: readonly Slot[]
    roster: Roster
    nextGeneration: () => number
    onEvent: (event: TrainingEvent) => void
    /** Begin again when every member was lost, rather than fail: for independent jobs. */
    restart: boolean
  }) {
    this.#id = options.id
    this.#job = options.job
    this.#roster = options.roster
    this.#nextGeneration = options.nextGeneration
    this.#onEvent = options.onEvent
    this.#restart = options.restart
    this.#base = options.job.start
    this.#newest = options.job.start.step
    this.#filter = new EventFilter(this.#newest)
    this.#members = membersOf(options.slots, options.job.slices)
    let settle: (outcome: Outcome) => void = () => {}
    this.outcome = new Promise((resolve) => (settle = resolve))
    this.#settle = settle
  }

  begin(): void {
    for (const member of this.#members) {
      this.#roster.assign(member.slot, this)
      if (member.slot.up) this.#prepare(member)
    }
  }

  /** Takes effect at the same step on all workers. */
  control(mode: Mode): void {
    const control = this.#control.change(mode)
    if (control === undefined) return
    for (const { slot } of this.#members) slot.send({ type: 'control', run: this.#id, control })
  }

  /** Resolves when all workers rest in the pause, or when there is nothing left to wait for. */
  async paused(): Promise<void> {
    if (!this.#over && !this.#allPaused) await this.#control.settled()
  }

  onUp(slot: Slot): void {
    const member = this.#memberOf(slot)
    if (this.#over || this.#failure !== undefined) return
    const { rank } = slot
    if (member.lost) {
      this.#onEvent({ kind: 'worker', rank, change: 'replaced', message: `Worker rank ${rank} was replaced.` })
    }
    this.#prepare(member)
  }

  onLost(slot: Slot, { reason, output, final }: Loss): void {
    const member = this.#memberOf(slot)
    if (this.#over) return
    member.phase = 'absent'
    member.pausedAt = -1
    member.lost = true
    if (this.#source === member) this.#source = undefined
    const message = final?.message ?? `Worker rank ${slot.rank} was lost: ${reason}.`
    this.#onEvent({ kind: 'worker', rank: slot.rank, change: 'lost', message })
    if (final !== undefined) return this.#fail(final)
    if (!this.#restart && this.#newest > this.#base.step && !anyHolds(this.#members, this.#base.step)) {
      const all = `all ${this.#members.length} workers were lost, the state after step ${this.#newest} with them`
      const tail = output && `\nIts last output:\n${output}`
      return this.#fail({ code: 'pool', message: `training ${this.#job.name}: ${all}: ${reason}.${tail}` })
    }
    this.#interrupt()
    this.#advance()
  }

  onMessage(slot: Slot, message: WorkerMessage): void {
    const member = this.#memberOf(slot)
    if (this.#over || !('run' in message) || message.run !== this.#id) return
    switch (message.type) {
      case 'ready': {
        const expected = member.phase === 'preparing' ? 0 : this.#generation
        if ((member.phase !== 'preparing' && member.phase !== 'halting') || message.generation !== expected) return
        this.#rest(member, 'ready', message.step)
        return this.#advance()
      }
      case 'broken': {
        if (message.generation !== this.#generation || member.phase !== 'running') return
        this.#rest(member, 'ready', message.step)
        if (++this.#breaks > breakPatience) {
          const reason = `training ${this.#job.name}: the ring broke ${this.#breaks} times without progress.`
          return this.#fail({ code: 'pool', message: reason })
        }
        this.#interrupt()
        return this.#advance()
      }
      case 'finished':
        if (message.generation !== this.#generation || member.phase !== 'running') return
        this.#rest(member, 'finished', message.step)
        this.#reason = message.reason
        return this.#advance()
      case 'paused':
        if (message.generation !== this.#generation) return
        member.pausedAt = message.version
        if (this.#allPaused) this.#control.settle()
        return
      case 'event':
        return this.#event(message.event)
      case 'state':
        return this.#takeState(member, message.state)
      case 'failed':
        // A worker that fails to give its state has none to give.
        this.#rest(member, 'failed', this.#source === member ? -1 : message.step)
        if (this.#source === member) this.#source = undefined
        return this.#fail(message.error)
      case 'rows':
        return
      default:
        message satisfies never
    }
  }

  /** Ends the run without waiting for anything. */
  abandon = (error: WireError): void => this.#end({ error, state: undefined })

  #prepare(member: Member): void {
    member.phase = 'preparing'
    member.fresh = true
    member.step = this.#base.step
    const { owned, slot } = member
    slot.send({
      type: 'assign',
      run: this.#id,
      job: { ...this.#job, start: this.#base },
      owned,
      workers: this.#members.length,
    })
  }

  #rest(member: Member, phase: Phase, step: number): void {
    member.phase = phase
    member.step = step
    member.pausedAt = -1
    this.#newest = Math.max(this.#newest, step)
  }

  /** Begins a new generation: whoever runs is halted. */
  #interrupt(): void {
    if (this.#members.every(({ phase }) => phase !== 'running')) return
    this.#generation = this.#nextGeneration()
    for (const member of this.#members) {
      if (member.phase !== 'running' && member.phase !== 'halting') continue
      member.phase = 'halting'
      member.pausedAt = -1
      member.slot.send({ type: 'halt', run: this.#id, generation: this.#generation })
    }
  }

  #fail(error: WireError): void {
    this.#failure ??= error
    this.#interrupt()
    this.#advance()
  }

  /** Does what the phases of the members allow next. */
  #advance(): void {
    if (this.#over || this.#source !== undefined) return
    const move = nextMove(this.#members, this.#base.step, this.#failure !== undefined)
    if (move.kind === 'ask') {
      this.#source = move.member
      move.member.slot.send({ type: 'snapshot', run: this.#id })
    } else if (move.kind === 'run') {
      this.#run()
    } else if (move.kind === 'give up') {
      this.#end({ error: this.#failure!, state: this.#base === this.#job.start ? undefined : this.#base })
    }
  }

  #takeState(member: Member, state: TrainingState): void {
    if (this.#source !== member) return
    this.#source = undefined
    this.#base = state
    if (this.#failure !== undefined) return this.#end({ error: this.#failure, state })
    if (member.phase === 'finished') return this.#end({ state })
    for (const laggard of this.#members) {
      if (laggard.phase !== 'ready' || laggard.step >= state.step) continue
      laggard.phase = 'preparing'
      laggard.fresh = true
      laggard.slot.send({ type: 'restore', run: this.#id, state })
    }
    this.#advance()
  }

  /** Puts all members on a new ring. Events come from one that was there before, if there is one. */
  #run(): void {
    this.#generation = this.#nextGeneration()
    const lead = this.#members.find(({ fresh }) => !fresh) ?? this.#members[0]!
    const peers = this.#members.map(({ slot }) => slot.door ?? '')
    for (const [rank, member] of this.#members.entries()) {
      member.phase = 'running'
      member.fresh = false
      member.slot.send({
        type: 'ring',
        run: this.#id,
        generation: this.#generation,
        rank,
        lead: member === lead,
        peers,
        control: this.#control.current,
      })
    }
  }

  #event(event: TrainingEvent): void {
    if (!this.#filter.admit(event)) return
    if (event.kind === 'step') {
      this.#newest = Math.max(this.#newest, event.step)
      this.#breaks = 0
      this.#roster.progress()
    }
    this.#onEvent(event)
  }

  #end(outcome: Outcome): void {
    if (this.#over) return
    this.#over = true
    this.#onEvent({
      kind: 'end',
      reason: outcome.error === undefined ? this.#reason : 'failed',
      step: outcome.state?.step ?? this.#newest,
      seconds: (performance.now() - this.#began) / 1000,
      ...(outcome.error === undefined ? {} : { message: outcome.error.message }),
    })
    this.#control.settle()
    for (const { slot } of this.#members) {
      slot.send({ type: 'release', run: this.#id })
      this.#roster.assign(slot, undefined)
    }
    this.#settle(outcome)
  }

  get #allPaused(): boolean {
    return this.#members.every(({ pausedAt }) => pausedAt === this.#control.current.version)
  }

  #memberOf(slot: Slot): Member {
    return this.#members.find((member) => member.slot === slot)!
  }
}
