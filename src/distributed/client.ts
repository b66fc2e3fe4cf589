/** The session's end of the connection to the coordinator: tasks and requests by number, each with who waits for it. */
import type { Socket } from 'node:net'
import { ShardbookError } from '../core/errors.js'
import type { TrainingState } from '../nn/train/job.js'
import { Connection } from './connection.js'
import type { Mode } from './control.js'
import type { CoordinatorMessage, JobEvent, SessionMessage, Shard, Work, WorkerReport } from './messages.js'
import { fromWire, TrainingFailure } from './wire-error.js'

interface OpenTask {
  readonly listener: (event: JobEvent) => void
  readonly resolve: (states: readonly TrainingState[]) => void
  readonly reject: (error: Error) => void
  readonly blocks: Map<number, Settler<readonly Shard[]>>
}

interface Settler<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

export class Client {
  /** Resolves when the workers are up; rejects when they cannot start. */
  readonly ready: Promise<readonly WorkerReport[]>
  readonly closed: Promise<Error | undefined>
  readonly #connection: Connection<CoordinatorMessage, SessionMessage>
  readonly #tasks = new Map<number, OpenTask>()
  readonly #requests = new Map<number, Settler<readonly WorkerReport[]>>()
  #lastNumber = 0
  #over: Error | undefined
  #ready: Settler<readonly WorkerReport[]> | undefined

  constructor(socket: Socket) {
    this.ready = new Promise((resolve, reject) => (this.#ready = { resolve, reject }))
    this.#connection = new Connection(socket, (message) => this.#receive(message))
    this.closed = this.#connection.closed
  }

  /** Submits a task; `done` settles when the coordinator says that it is over. */
  submit(
    work: Work,
    listener: (event: JobEvent) => void = () => {},
  ): { task: number; done: Promise<readonly TrainingState[]> } {
    const task = ++this.#lastNumber
    const done = new Promise<readonly TrainingState[]>((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over)
      this.#connection.send({ type: 'submit', task, work })
      this.#tasks.set(task, { listener, resolve, reject, blocks: new Map() })
      this.#hold()
    })
    return { task, done }
  }

  /** Resolves when it has taken effect; at once for a task that is over. */
  async control(task: number, mode: Mode): Promise<void> {
    if (this.#tasks.has(task)) await this.#request((request) => ({ type: 'control', task, request, mode }))
  }

  /** Asks for a block of a transform. */
  async pull(task: number, block: number): Promise<readonly Shard[]> {
    return await new Promise((resolve, reject) => {
      const open = this.#tasks.get(task)
      if (open === undefined)
        return reject(
          this.#over ??
            new ShardbookError('state', 'transform: expected a transform that goes on, got one that is over.'),
        )
      open.blocks.set(block, { resolve, reject })
      this.#send({ type: 'pull', task, block })
    })
  }

  /** Ends a transform. */
  cancel(task: number): void {
    if (!this.#tasks.delete(task)) return
    this.#send({ type: 'cancel', task })
    this.#hold()
  }

  async status(): Promise<readonly WorkerReport[]> {
    return await this.#request((request) => ({ type: 'status', request }))
  }

  /** Asks the coordinator to end; everything still open rejects with `error`. */
  close(error: Error): void {
    this.#send({ type: 'close' })
    this.fail(error)
  }

  /** The coordinator is gone: everything still open rejects with `error`. */
  fail(error: Error): void {
    this.#over ??= error
    this.#ready?.reject(this.#over)
    for (const { reject } of this.#requests.values()) reject(this.#over)
    for (const task of this.#tasks.values()) {
      for (const { reject } of task.blocks.values()) reject(this.#over)
      task.reject(this.#over)
    }
    this.#requests.clear()
    this.#tasks.clear()
    this.#hold()
  }

  async #request(message: (request: number) => SessionMessage): Promise<readonly WorkerReport[]> {
    return await new Promise((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over)
      const request = ++this.#lastNumber
      this.#requests.set(request, { resolve, reject })
      this.#send(message(request))
    })
  }

  #send(message: SessionMessage): void {
    this.#connection.send(message)
    this.#hold()
  }

  /** Only what is still awaited keeps the process open. */
  #hold(): void {
    this.#connection.hold(this.#tasks.size > 0 || this.#requests.size > 0)
  }

  #receive(message: CoordinatorMessage): void {
    switch (message.type) {
      case 'ready':
        this.#ready?.resolve(message.workers)
        break
      case 'unready':
        this.#ready?.reject(fromWire(message.error))
        break
      case 'events':
        for (const event of message.events) tell(this.#tasks.get(message.task)?.listener, event)
        break
      case 'trained':
        this.#tasks.get(message.task)?.resolve(message.states)
        this.#tasks.delete(message.task)
        break
      case 'rows':
        this.#tasks.get(message.task)?.blocks.get(message.block)?.resolve(message.shards)
        this.#tasks.get(message.task)?.blocks.delete(message.block)
        break
      case 'failed': {
        const task = this.#tasks.get(message.task)
        const error = new TrainingFailure(message.error, message.state)
        this.#tasks.delete(message.task)
        for (const { reject } of task?.blocks.values() ?? []) reject(error)
        task?.reject(error)
        break
      }
      case 'done':
        this.#requests.get(message.request)?.resolve(message.workers ?? [])
        this.#requests.delete(message.request)
        break
      default:
        message satisfies never
    }
    this.#hold()
  }
}

/** A listener that throws harms nobody but itself. */
function tell(listener: ((event: JobEvent) => void) | undefined, event: JobEvent): void {
  try {
    listener?.(event)
  } catch (error) {
    process.emitWarning(`a listener of a training failed: ${error instanceof Error ? error.message : String(error)}`)
  }
}
