/**
 * Which task has the workers: of those that are ready one of the highest priority, and of these the one that had the least time.
 * A task of higher priority takes the place of one that runs at once, one of the same after its turn. A training makes room
 * between two steps and goes on from its state, with the same bits. Maps of one priority run side by side: a worker that is free
 * takes the next job of any of them.
 */
import type { Task } from './task.js'
import type { TaskRunner } from './task-runner.js'

export class Scheduler {
  readonly tasks: Task[] = []
  readonly #runner: TaskRunner
  readonly #turnMs: number
  readonly #onIdle: () => void
  /** One task, or several maps. */
  readonly #running = new Set<Task>()
  #turn: NodeJS.Timeout | undefined

  constructor(runner: TaskRunner, turnMs: number, onIdle: () => void) {
    this.#runner = runner
    this.#turnMs = turnMs
    this.#onIdle = onIdle
  }

  get isIdle(): boolean {
    return this.#running.size === 0
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
    const next = this.#choose()
    if (next === undefined) return
    const running = [...this.#running]
    if (running.some(({ isYielding }) => isYielding)) return
    if (running.every((task) => next.goesBeside(task))) return void this.#run(next)
    const isIdle = running.every((task) => task.mode === 'pause' || task.isLeftAlone)
    const { priority, work } = running[0]!
    if (isIdle || next.priority > priority) this.#makeRoom()
    else if (next.priority === priority && work.kind !== 'transform') {
      this.#turn ??= setTimeout(() => {
        this.#turn = undefined
        if (this.#choose()?.priority === priority) this.#makeRoom()
      }, this.#turnMs).unref()
    }
  }

  #makeRoom(): void {
    for (const task of this.#running) this.#runner.yield(task)
  }

  /** The task to run next, but for those that run. */
  #choose(): Task | undefined {
    const ready = this.tasks.filter((task) => task.isReady && !this.#running.has(task))
    return ready.reduce<Task | undefined>((best, task) => {
      if (best === undefined || task.priority > best.priority) return task
      return task.priority === best.priority && task.servedMs < best.servedMs ? task : best
    }, undefined)
  }

  async #run(task: Task): Promise<void> {
    this.#running.add(task)
    this.consider()
    await this.#runner.run(task)
    this.#running.delete(task)
    if (this.isIdle) {
      clearTimeout(this.#turn)
      this.#turn = undefined
    }
    this.consider()
    if (this.isIdle) this.#onIdle()
  }
}
