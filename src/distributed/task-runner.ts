/** Runs a task on the workers until it is over or makes room for another. */
import { join } from 'node:path'
import { latestCheckpoint, removeCheckpoints, saveCheckpoint } from '../nn/train/checkpoint.js'
import type { TrainingJob, TrainingState } from '../nn/train/job.js'
import type { CoordinatorSettings } from './child.js'
import type { Roster } from './roster.js'
import type { Slot } from './seat.js'
import type { Task } from './task.js'
import type { Outcome } from './run-parts.js'
import { TrainingRun } from './training-run.js'
import { TransformRun } from './transform-run.js'
import { toWire } from './wire-error.js'

export class TaskRunner {
  readonly #roster: Roster
  readonly #settings: CoordinatorSettings
  /** Workers that a map's job has. */
  readonly #taken = new Set<Slot>()
  readonly #sleepers: (() => void)[] = []
  #lastRun = 0
  #lastGeneration = 0

  constructor(roster: Roster, settings: CoordinatorSettings) {
    this.#roster = roster
    this.#settings = settings
  }

  /** Resolves when the task is over or has made room; it then goes on from there when it is run again. */
  async run(task: Task): Promise<void> {
    const began = performance.now()
    task.isRunning = true
    task.begin()
    this.#roster.start()
    try {
      await this.#work(task)
    } catch (error) {
      task.finish({ type: 'failed', task: task.id, error: toWire(error) })
    }
    task.isRunning = task.isYielding = false
    task.runs = []
    task.servedMs += performance.now() - began
  }

  /** Asks a task that runs to make room. */
  yield(task: Task): void {
    if (task.isYielding) return
    task.isYielding = true
    for (const run of task.runs) run.control('stop')
    task.transform?.end()
  }

  /** Ends a task that waits: with the state where it was left, or its start. */
  stopWaiting(task: Task): void {
    if (task.work.kind === 'transform') return
    const jobs = task.work.kind === 'step' ? [task.work.job] : task.work.jobs
    const states = jobs.map((job, index) => task.results.get(index) ?? task.left.get(index) ?? job.start)
    for (const [index, state] of states.entries()) {
      if (!task.results.has(index)) task.tellEnd(index, 'stopped', state.step)
    }
    task.finish({ type: 'trained', task: task.id, states })
  }

  /** Folder of the checkpoints of a job. */
  folderOf(task: Task, job: number): string {
    return join(this.#settings.stateFolder, `task-${task.id}`, `job-${job}`)
  }

  async #work(task: Task): Promise<void> {
    switch (task.work.kind) {
      case 'step':
        return await this.#step(task, task.work.job)
      case 'map':
        return await this.#map(task, task.work.jobs)
      case 'transform':
        return await this.#transform(task, task.work.job)
      default:
        task.work satisfies never
    }
  }

  async #step(task: Task, job: TrainingJob): Promise<void> {
    const outcome = await this.#train(task, job, 0, this.#roster.slots)
    if (outcome === 'left') return
    const { error, state } = outcome
    if (error !== undefined) return task.finish({ type: 'failed', task: task.id, error, state })
    task.finish({ type: 'trained', task: task.id, states: [state] })
  }

  async #map(task: Task, jobs: readonly TrainingJob[]): Promise<void> {
    const queue = [...jobs.entries()].filter(([index]) => !task.results.has(index))
    let failure: (Outcome & { error: object }) | undefined
    const isOver = (): boolean => queue.length === 0 || failure !== undefined || task.isYielding
    const serve = async (slot: Slot): Promise<void> => {
      if (isOver()) return
      const [index, job] = queue.shift()!
      const outcome = await this.#train(task, job, index, [slot])
      if (outcome === 'left') return
      if (outcome.error === undefined) {
        task.results.set(index, outcome.state)
        task.send({ type: 'mapped', task: task.id, job: index, state: outcome.state })
      } else if (slot.isGivenUp && this.#roster.slots.some(({ isGivenUp }) => !isGivenUp)) {
        // Another worker may fare better: the job is not to blame for what happens to this one.
        queue.push([index, job])
      } else {
        failure ??= outcome
        for (const run of task.runs) run.abandon(outcome.error)
      }
    }
    const lane = async (): Promise<void> => {
      while (!isOver()) {
        const slot = await this.#take()
        await serve(slot).finally(() => this.#give(slot))
      }
    }
    await Promise.all(this.#roster.slots.map(lane))
    if (failure !== undefined) {
      return task.finish({ type: 'failed', task: task.id, error: failure.error, state: failure.state })
    }
    if (task.results.size < jobs.length) return
    task.finish({ type: 'trained', task: task.id, states: jobs.map((_, index) => task.results.get(index)!) })
  }

  /** A worker for a job of a map; maps that run side by side take turns. One that was given up only where all were. */
  async #take(): Promise<Slot> {
    for (;;) {
      const free = this.#roster.slots.filter((slot) => !this.#taken.has(slot))
      const able = this.#roster.slots.every(({ isGivenUp }) => isGivenUp)
        ? free
        : free.filter((slot) => !slot.isGivenUp)
      const [slot] = able
      if (slot !== undefined) {
        this.#taken.add(slot)
        return slot
      }
      await new Promise<void>((resolve) => this.#sleepers.push(resolve))
    }
  }

  #give(slot: Slot): void {
    this.#taken.delete(slot)
    for (const wake of this.#sleepers.splice(0)) wake()
  }

  async #transform(task: Task, job: ConstructorParameters<typeof TransformRun>[0]['job']): Promise<void> {
    const run = new TransformRun({
      id: ++this.#lastRun,
      job,
      roster: this.#roster,
      onBlock: (block, shards) => {
        task.pulls = task.pulls.filter((other) => other !== block)
        task.touch()
        task.send({ type: 'rows', task: task.id, block, shards })
      },
    })
    task.transform = run
    run.begin()
    for (const block of task.pulls) run.pull(block)
    const error = await run.outcome
    task.transform = undefined
    if (error !== undefined) task.finish({ type: 'failed', task: task.id, error })
  }

  /** One training; `left` when it made room and is to go on later. */
  async #train(task: Task, job: TrainingJob, index: number, slots: readonly Slot[]): Promise<Outcome | 'left'> {
    const folder = this.folderOf(task, index)
    const base = task.left.get(index) ?? (await this.#found(task, folder, job, index)) ?? job.start
    const run = new TrainingRun({
      id: ++this.#lastRun,
      job,
      options: (task.work.kind === 'step' ? task.work.options : undefined) ?? {},
      base,
      slots,
      roster: this.#roster,
      checkpoint: { ...this.#settings.checkpoint, folder },
      filter: task.filterOf(index, base.step),
      nextGeneration: () => ++this.#lastGeneration,
      onEvent: (event) => task.event(index, event),
      recover: async () => this.#latest(folder, job),
    })
    if (task.mode === 'stop' || task.isYielding) run.control('stop')
    else if (task.mode === 'pause') run.control('pause')
    task.runs.push(run)
    run.begin()
    const outcome = await run.outcome
    task.runs = task.runs.filter((other) => other !== run)
    if (outcome.error === undefined && outcome.reason === 'stopped' && task.isYielding && task.mode !== 'stop') {
      task.left.set(index, outcome.state)
      return 'left'
    }
    task.left.delete(index)
    const { error, state } = outcome
    // Whoever comes back after the loss of this process finds it done.
    if (error === undefined && this.#settings.session === undefined)
      await saveCheckpoint(folder, job, state, { keep: 1 })
    else await removeCheckpoints(folder)
    task.tellEnd(index, error === undefined ? outcome.reason : 'failed', state?.step ?? run.step, error)
    return outcome
  }

  /** The checkpoint from which a job goes on that another coordinator began. */
  async #found(task: Task, folder: string, job: TrainingJob, index: number): Promise<TrainingState | undefined> {
    const found = await this.#latest(folder, job)
    for (const message of found?.notices ?? []) task.event(index, { kind: 'notice', step: 0, message })
    return found?.state
  }

  async #latest(
    folder: string,
    job: TrainingJob,
  ): Promise<{ state: TrainingState; notices: readonly string[] } | undefined> {
    try {
      const found = await latestCheckpoint(folder, job)
      return found === undefined ? undefined : { state: found.state, notices: found.damaged }
    } catch (error) {
      // Without a whole checkpoint the training begins again; what it lost is time.
      return { state: job.start, notices: [error instanceof Error ? error.message : String(error)] }
    }
  }
}
