/** A task of a session, as the coordinator keeps it: where it stands, who follows it, how it ended. */
import type { TrainingEvent } from '../nn/train/event.js'
import type { TrainingState } from '../nn/train/job.js'
import type { Mode } from './control.js'
import { EventFilter } from './event-filter.js'
import { EventHistory } from './event-history.js'
import type { CoordinatorMessage, SessionMessage, TaskReport, WireError, Work } from './messages.js'
import type { Outbox } from './outbox.js'
import type { TrainingRun } from './training-run.js'
import type { TransformRun } from './transform-run.js'

/** How long a transform keeps the workers although nobody asks for more of it. */
const patienceMs = 1000

/** A task's end, as it is told. */
export type TaskEnd = Extract<CoordinatorMessage, { type: 'trained' | 'failed' }>

export class Task {
  readonly id: number
  readonly work: Work
  readonly priority: number
  /** What was asked for last. */
  mode: Mode = 'run'
  /** Asked to make room for others. */
  isYielding = false
  isRunning = false
  /** Time that it had the workers. */
  servedMs = 0
  /** Where jobs stand that were left, and of a `map` the results. */
  readonly left = new Map<number, TrainingState>()
  readonly results = new Map<number, TrainingState>()
  readonly filters = new Map<number, EventFilter>()
  readonly followers = new Set<Outbox>()
  runs: TrainingRun[] = []
  transform: TransformRun | undefined
  /** Blocks that were asked for before the transform began. */
  pulls: number[] = []
  end: TaskEnd | undefined
  readonly #history = new EventHistory()
  #began: number | undefined
  #step = 0
  #askedAt = 0

  constructor({ task, work, priority, known = [] }: SessionMessage & { type: 'submit' }) {
    this.id = task
    this.work = work
    this.priority = priority
    for (const { job, state } of known) this.results.set(job, state)
  }

  get isOver(): boolean {
    return this.end !== undefined
  }

  /** Whether it would do something with the workers. */
  get isReady(): boolean {
    return !this.isOver && this.mode !== 'pause' && (this.work.kind !== 'transform' || this.pulls.length > 0)
  }

  /** Whether both can have workers at the same time. */
  goesBeside(other: Task): boolean {
    const areMaps = this.work.kind === 'map' && other.work.kind === 'map'
    return areMaps && this.priority === other.priority && other.mode !== 'pause'
  }

  /** A transform that nobody has asked for a block for a while. */
  get isLeftAlone(): boolean {
    return this.work.kind === 'transform' && this.pulls.length === 0 && performance.now() - this.#askedAt > patienceMs
  }

  /** A block was asked for, or delivered. */
  touch(): void {
    this.#askedAt = performance.now()
  }

  begin(): void {
    this.touch()
    this.#began ??= performance.now()
  }

  filterOf(job: number, step: number): EventFilter {
    const filter = this.filters.get(job) ?? new EventFilter(step)
    this.filters.set(job, filter)
    return filter
  }

  /** Tells all followers, now and later. */
  event(job: number, event: TrainingEvent): void {
    if (event.kind === 'step') this.#step = event.step
    this.#history.add({ job, event })
    for (const follower of this.followers) follower.event(this.id, { job, event })
  }

  /** A training is over: its last event. */
  tellEnd(job: number, reason: 'done' | 'stopped' | 'failed', step: number, error?: WireError): void {
    const seconds = (performance.now() - (this.#began ?? performance.now())) / 1000
    const message = error === undefined ? {} : { message: error.message }
    this.event(job, { kind: 'end', reason, step, seconds, ...message })
  }

  send(message: CoordinatorMessage): void {
    for (const follower of this.followers) follower.send(message)
  }

  finish(end: TaskEnd): void {
    if (this.isOver) return
    this.end = end
    this.send(end)
  }

  /** Whoever follows hears all that was, then what comes. */
  follow(outbox: Outbox): void {
    if (this.followers.has(outbox)) return
    this.followers.add(outbox)
    for (const event of this.#history.events) outbox.event(this.id, event)
    if (this.end !== undefined) outbox.send(this.end)
  }

  report(): TaskReport {
    const { id: task, work, priority } = this
    const name =
      work.kind === 'step' ? work.job.name : work.kind === 'map' ? `${work.jobs.length} trainings` : 'transform'
    return { task, name, kind: work.kind, state: this.#state(), priority, step: this.#step }
  }

  #state(): TaskReport['state'] {
    if (this.end !== undefined) {
      if (this.end.type === 'failed') return 'failed'
      return this.mode === 'stop' ? 'stopped' : 'done'
    }
    if (this.mode === 'pause') return 'paused'
    return this.isRunning ? 'running' : 'waiting'
  }
}
