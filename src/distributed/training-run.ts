/**
 * A run: one training job on a group of workers, kept going through the loss of any of them, or of all.
 *
 * Members are prepared (loop made), then put on a ring together; the ring has a generation. When a member is lost or the
 * ring breaks, a new generation begins: the others are halted and say after which step they rest, a replacement is
 * prepared, whoever is behind gets the state of one that is at the newest step (a rank may be one step ahead of the
 * others, never more), and all go on from there on a new ring. So every step is applied exactly once to the state that
 * survives, and the final weights are those of the undisturbed run.
 *
 * When nobody is left who holds the state, the last checkpoint takes its place, or the beginning: steps are done again, with the
 * same bits. A rank that was given up leaves the run, and its slices go to the others. With the optimiser's state in shards
 * every rank holds a part that nobody else does: then one that is lost, or a ring that breaks, counts as the loss of all.
 */
import type { TrainingEvent } from '../nn/train/event.js'
import type { TrainingState } from '../nn/train/job.js'
import type { Mode } from './control.js'
import { LoadReport } from './load-report.js'
import { anyHolds, nextMove, type Member, type Phase } from './member.js'
import type { Answer, WireError, WorkerMessage } from './messages.js'
import { RunControl } from './run-control.js'
import { RunGroup } from './run-group.js'
import type { Outcome, RunParts } from './run-parts.js'
import type { Loss, SlotUser } from './roster.js'
import { Saves } from './saves.js'
import type { Slot } from './seat.js'

/** Rings that broke without progress after which the run gives up. */
const breakPatience = 10

export class TrainingRun implements SlotUser {
  readonly #parts: RunParts
  readonly #group: RunGroup
  readonly #settle: (outcome: Outcome) => void
  /** Resolves when the run is over; failures are outcomes. */
  readonly outcome: Promise<Outcome>

  /** The newest state that this process has. */
  #base: TrainingState
  /** The newest step that any member is known to have done. */
  #newest: number
  readonly #control = new RunControl()
  readonly #saves: Saves
  readonly #load: LoadReport
  /** The member that was asked for its state. */
  #source: Member | undefined
  #failure: WireError | undefined
  /** Each member holds a part of the state. */
  readonly #hasParts: boolean
  /** The members are others than those for whom the slices were dealt, or are all to begin anew. */
  #deal = false
  #recovering = false
  #over = false
  #breaks = 0
  #reason: 'done' | 'stopped' = 'done'

  constructor(parts: RunParts) {
    this.#parts = parts
    this.#base = parts.base
    this.#newest = parts.base.step
    this.#hasParts = parts.options.strategy?.kind === 'zero1'
    this.#group = new RunGroup(parts)
    this.#load = new LoadReport((event) => parts.onEvent(event))
    this.#saves = new Saves({
      ask: () => this.#group.lead?.slot.send({ type: 'save', run: parts.id }),
      onEvent: (event) => parts.onEvent(event),
    })
    let settle: (outcome: Outcome) => void = () => {}
    this.outcome = new Promise((resolve) => (settle = resolve))
    this.#settle = settle
  }

  begin(): void {
    for (const { slot } of this.#group.members) this.#parts.roster.assign(slot, this)
    this.#group.prepareAll(this.#base)
    if (this.#group.members.length === 0) {
      this.#fail({ code: 'pool', message: 'pool: expected workers, got none that can be started.' })
    }
  }

  /** Steps done, as far as is known. */
  get step(): number {
    return this.#newest
  }

  /** Takes effect at the same step on all workers. */
  control(mode: Mode): void {
    const control = this.#control.change(mode)
    if (control === undefined) return
    for (const { slot } of this.#group.members) slot.send({ type: 'control', run: this.#parts.id, control })
  }

  /** Resolves when all workers rest in the pause, or when there is nothing left to wait for. */
  async paused(): Promise<void> {
    if (!this.#over && !this.#group.allPausedAt(this.#control.current.version)) await this.#control.settled()
  }

  save = async (): Promise<Answer> => this.#saves.request()

  onUp(slot: Slot): void {
    const member = this.#group.memberOf(slot)
    if (this.#over || this.#failure !== undefined || member === undefined) return
    const { rank } = slot
    if (member.lost) {
      this.#parts.onEvent({ kind: 'worker', rank, change: 'replaced', message: `Worker rank ${rank} was replaced.` })
    }
    if (!this.#recovering && !this.#deal) this.#group.prepare(member, this.#base)
  }

  onLost(slot: Slot, { reason, final }: Loss): void {
    const member = this.#group.memberOf(slot)
    if (this.#over || member === undefined) return
    member.phase = 'absent'
    member.pausedAt = -1
    member.lost = true
    if (this.#source === member) this.#source = undefined
    const message = final?.message ?? `Worker rank ${slot.rank} was lost: ${reason}.`
    this.#parts.onEvent({ kind: 'worker', rank: slot.rank, change: 'lost', message })
    if (final !== undefined) {
      if (this.#group.members.length === 1) return this.#fail(final)
      this.#group.drop(member)
      this.#parts.roster.assign(slot, undefined)
      this.#deal = true
      this.#notice(
        `The training goes on with ${this.#group.members.length} of its workers: rank ${slot.rank} was given up.`,
      )
    }
    this.#saves.again()
    if (this.#hasParts) this.#beginAnew()
    else if (this.#newest > this.#base.step && !anyHolds(this.#group.members, this.#base.step)) void this.#recover()
    this.#group.interrupt()
    this.#advance()
  }

  onMessage(slot: Slot, message: WorkerMessage): void {
    const member = this.#group.memberOf(slot)
    if (this.#over || member === undefined || !('run' in message) || message.run !== this.#parts.id) return
    switch (message.type) {
      case 'ready': {
        const expected = member.phase === 'preparing' ? 0 : this.#group.generation
        if ((member.phase !== 'preparing' && member.phase !== 'halting') || message.generation !== expected) return
        this.#rest(member, 'ready', message.step)
        return this.#advance()
      }
      case 'broken': {
        if (message.generation !== this.#group.generation || member.phase !== 'running') return
        this.#rest(member, 'ready', message.step)
        if (++this.#breaks > breakPatience) {
          const reason = `training ${this.#parts.job.name}: the ring broke ${this.#breaks} times without progress.`
          return this.#fail({ code: 'pool', message: reason })
        }
        if (this.#hasParts) this.#beginAnew()
        this.#group.interrupt()
        return this.#advance()
      }
      case 'finished':
        if (message.generation !== this.#group.generation || member.phase !== 'running') return
        this.#rest(member, 'finished', message.step)
        this.#reason = message.reason
        return this.#advance()
      case 'paused':
        if (message.generation !== this.#group.generation) return
        member.pausedAt = message.version
        if (this.#group.allPausedAt(this.#control.current.version)) this.#control.settle()
        return
      case 'events':
        for (const event of message.events) this.#event(event)
        return
      case 'state':
        return this.#takeState(member, message.state)
      case 'saved':
        if (message.error === undefined) this.#parts.roster.progress()
        return this.#saves.take(message)
      case 'load':
        return this.#load.take(this.#group.slots, this.#newest)
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

  /** Ends it at once. */
  abandon = (error: WireError): void => this.#end({ error, state: undefined })

  #rest(member: Member, phase: Phase, step: number): void {
    member.phase = phase
    member.step = step
    member.pausedAt = -1
    this.#newest = Math.max(this.#newest, step)
  }

  #fail(error: WireError): void {
    this.#failure ??= error
    this.#group.interrupt()
    this.#advance()
  }

  /** Puts the parts of the state that are left back to where all are kept, unless one that has finished has the whole. */
  #beginAnew(): void {
    if (this.#failure !== undefined || this.#group.members.some(({ phase }) => phase === 'finished')) return
    this.#deal = true
    if (this.#newest > this.#base.step) void this.#recover()
  }

  /** Takes the last checkpoint for the state that was lost with the workers. */
  async #recover(): Promise<void> {
    if (this.#recovering) return
    this.#recovering = true
    const lost = this.#newest
    const found = await this.#parts.recover()
    this.#recovering = false
    if (this.#over) return
    if (found !== undefined && found.state.step > this.#base.step) this.#base = found.state
    this.#newest = this.#base.step
    for (const message of found?.notices ?? []) this.#notice(message)
    const what = this.#hasParts ? 'A part of the state' : 'All workers were lost, the state'
    const how = this.#hasParts ? ' was lost with a worker' : ' with them'
    this.#notice(`${what} after step ${lost}${how}: on from step ${this.#base.step}.`)
    if (!this.#deal) this.#group.prepareAll(this.#base)
    this.#advance()
  }

  /** Does what the phases of the members allow next. */
  #advance(): void {
    if (this.#over || this.#source !== undefined || this.#recovering) return
    const failed = this.#failure !== undefined
    const move = nextMove(this.#group.members, this.#base.step, { failed, deal: this.#deal, parts: this.#hasParts })
    switch (move.kind) {
      case 'ask':
        this.#source = move.member
        return move.member.slot.send({ type: 'snapshot', run: this.#parts.id })
      case 'restore':
        return this.#group.restoreLaggards(this.#base)
      case 'deal':
        this.#deal = false
        return this.#group.deal(this.#base)
      case 'run':
        this.#group.run(this.#control.current)
        return this.#saves.again()
      case 'give up':
        return this.#end({
          error: this.#failure!,
          state: this.#base === this.#parts.job.start ? undefined : this.#base,
        })
      case 'wait':
        return
      default:
        move satisfies never
    }
  }

  #takeState(member: Member, state: TrainingState): void {
    if (this.#source !== member) return
    this.#source = undefined
    this.#base = state
    if (this.#failure !== undefined) return this.#end({ error: this.#failure, state })
    if (member.phase === 'finished') return this.#end({ state, reason: this.#reason })
    this.#group.restoreLaggards(this.#base)
    this.#advance()
  }

  #event(event: TrainingEvent): void {
    if (!this.#parts.filter.admit(event)) return
    if (event.kind === 'step') {
      this.#newest = Math.max(this.#newest, event.step)
      this.#breaks = 0
      this.#parts.roster.progress()
    }
    this.#parts.onEvent(event)
  }

  #notice(message: string): void {
    this.#parts.onEvent({ kind: 'notice', step: this.#newest, message })
  }

  #end(outcome: Outcome): void {
    if (this.#over) return
    this.#over = true
    this.#control.settle()
    this.#saves.end()
    for (const { slot } of this.#group.members) {
      slot.send({ type: 'release', run: this.#parts.id })
      this.#parts.roster.assign(slot, undefined)
    }
    this.#settle(outcome)
  }
}
