/** The members of a run, and the orders by which they are made ready, put on a ring, halted and set back. */
import type { TrainingJob, TrainingState } from '../nn/train/job.js'
import type { Control } from './control.js'
import { membersOf, type Member } from './member.js'
import type { RunOptions, WorkerCheckpoints } from './messages.js'
import type { Slot } from './seat.js'

interface GroupParts {
  readonly id: number
  readonly job: TrainingJob
  readonly options: RunOptions
  readonly slots: readonly Slot[]
  readonly checkpoint: WorkerCheckpoints
  nextGeneration(): number
}

export class RunGroup {
  /** Of the present ring, or of the halt that ended it. */
  generation = 0
  readonly #parts: GroupParts
  #members: readonly Member[]

  constructor(parts: GroupParts) {
    this.#parts = parts
    this.#members = membersOf(
      parts.slots.filter(({ isGivenUp }) => !isGivenUp),
      parts.job.slices,
    )
  }

  get members(): readonly Member[] {
    return this.#members
  }

  get slots(): readonly Slot[] {
    return this.#members.map(({ slot }) => slot)
  }

  /** Who tells the events and saves the states, while it does. */
  get lead(): Member | undefined {
    return this.#members.find(({ lead, phase }) => lead && phase === 'running')
  }

  memberOf(slot: Slot): Member | undefined {
    return this.#members.find((member) => member.slot === slot)
  }

  allPausedAt(version: number): boolean {
    return this.#members.every(({ pausedAt }) => pausedAt === version)
  }

  /** Without one whose rank was given up; its slices are still to be dealt. */
  drop(member: Member): void {
    this.#members = this.#members.filter((other) => other !== member)
  }

  /** Has a loop made that begins from a state. */
  prepare(member: Member, base: TrainingState): void {
    member.phase = 'preparing'
    member.fresh = true
    member.step = base.step
    const { owned, slot } = member
    const { id, job, options } = this.#parts
    const workers = this.#members.length
    const index = this.#members.indexOf(member)
    slot.send({ type: 'assign', run: id, job: { ...job, start: base }, options, owned, workers, index })
  }

  /** The same for all whose process is there. */
  prepareAll(base: TrainingState): void {
    for (const member of this.#members) if (member.slot.up && member.phase !== 'halting') this.prepare(member, base)
  }

  /** Begins a new generation: whoever runs is halted. */
  interrupt(): void {
    if (this.#members.every(({ phase }) => phase !== 'running')) return
    this.generation = this.#parts.nextGeneration()
    for (const member of this.#members) {
      if (member.phase !== 'running' && member.phase !== 'halting') continue
      member.phase = 'halting'
      member.pausedAt = -1
      member.slot.send({ type: 'halt', run: this.#parts.id, generation: this.generation })
    }
  }

  /** Gives a state to whoever rests behind it. */
  restoreLaggards(state: TrainingState): void {
    for (const laggard of this.#members) {
      if (laggard.phase !== 'ready' || laggard.step >= state.step) continue
      laggard.phase = 'preparing'
      laggard.fresh = true
      laggard.slot.send({ type: 'restore', run: this.#parts.id, state })
    }
  }

  /** Deals the slices out to the members that are left. */
  deal(base: TrainingState): void {
    const before = this.#members
    this.#members = membersOf(this.slots, this.#parts.job.slices)
    for (const [i, member] of this.#members.entries()) member.lost = before[i]!.lost
    this.prepareAll(base)
  }

  /** Puts all members on a new ring. Events come from one that was there before, if there is one. */
  run(control: Control): void {
    this.generation = this.#parts.nextGeneration()
    const lead = this.#members.find(({ fresh }) => !fresh) ?? this.#members[0]!
    const peers = this.#members.map(({ slot }) => slot.door ?? '')
    const { id: run, checkpoint } = this.#parts
    for (const [rank, member] of this.#members.entries()) {
      member.phase = 'running'
      member.fresh = false
      member.lead = member === lead
      const part = { rank, lead: member.lead, peers, control, checkpoint }
      member.slot.send({ type: 'ring', run, generation: this.generation, ...part })
    }
  }
}
