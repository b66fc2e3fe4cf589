/**
 * Which task has the workers: of those that are ready one of the highest priority, and of these the one that had the least time.
 * A task of higher priority takes the place of one that runs at once, one of the same after its turn. A training makes room
 * between two steps and goes on from its state, with the same bits.
 */
import type { Task } from './task.js'
import type { TaskRunner } from './task-runner.js'

export class Scheduler {
  readonly tasks: Task[] = []
  readonly #runner: TaskRunner
  readonly #turnMs: number
  readonly #onIdle: () => void
  #current: Task | undefined
  #turn: NodeJS.Timeout | undefined

  constructor(runner: TaskRunner, turnMs: number, onIdle: () => void) {
    this.#runner = runner
    this.#turnMs = turnMs
    this.#onIdle = onIdle
  }

  get isIdle(): boolean {
    return this.#current === undefined
  }

  add(task: Task): void {
    // Who comes late does not make up for the time before.
    const open = this.tasks.filter((other) => !other.isOver && other.priority === task.priority)
    task.servedMs = Math.min(...open.map(({ servedMs }) => servedMs), Infinity)
    if (!Number.isFinite(task.servedMs)) task.servedMs = 0
    this.tasks.push(task)
    this.consider()
  }

  find(id: number): Task | undefined {
    return this.tasks.find((task) => task.id === id)
  }

  remove(task: Task): void {
    const at = this.tasks.indexOf(task)
    if (at >= 0) this.tasks.splice(at, 1)
  }

  /** Something changed: whose turn is it now? */
  consider(): void {
    const current = this.#current
    const next = this.#choose()
    if (current === undefined) {
      if (next !== undefined) void this.#run(next)
      return
    }
    if (next === undefined || current.isYielding) return
    const isIdle = current.mode === 'pause' || current.isLeftAlone
    if (isIdle || next.priority > current.priority) this.#runner.yield(current)
    else if (next.priority === current.priority && current.work.kind !== 'transform') {
      this.#turn ??= setTimeout(() => {
        this.#turn = undefined
        if (this.#choose()?.priority === current.priority) this.#runner.yield(current)
      }, this.#turnMs).unref()
    }
  }

  /** The task to run next, but for the one that runs. */
  #choose(): Task | undefined {
    const ready = this.tasks.filter((task) => task.isReady && task !== this.#current)
    return ready.reduce<Task | undefined>((best, task) => {
      if (best === undefined || task.priority > best.priority) return task
      return task.priority === best.priority && task.servedMs < best.servedMs ? task : best
    }, undefined)
  }

  async #run(task: Task): Promise<void> {
    this.#current = task
    this.consider()
    await this.#runner.run(task)
    clearTimeout(this.#turn)
    this.#turn = this.#current = undefined
    this.consider()
    if (this.#current === undefined) this.#onIdle()
  }
}
