/**
 * The session's end of the connection to the coordinator: tasks and requests by number, each with who waits for it. What is open
 * outlives a coordinator: it is submitted again to the one that takes its place.
 */
import type { Socket } from 'node:net'
import { ShardbookError } from '../core/errors.js'
import type { TrainingJob, TrainingState } from '../nn/train/job.js'
import { Connection } from './connection.js'
import type { Mode } from './control.js'
import type { Answer, CoordinatorMessage, JobEvent, SessionMessage, Shard, Work, WorkerReport } from './messages.js'
import { fromWire, TrainingFailure } from './wire-error.js'

interface OpenTask {
  /** What a new coordinator is told. */
  readonly begin: SessionMessage & { type: 'submit' | 'follow' }
  readonly listener: (event: JobEvent) => void
  readonly resolve: (states: readonly TrainingState[]) => void
  readonly reject: (error: Error) => void
  readonly blocks: Map<number, Settler<readonly Shard[]>>
  readonly known: Map<number, TrainingState>
  mode: Mode
}

interface Settler<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

type Request = SessionMessage & { readonly request: number }

/** A task that goes on: its number, and its end. */
export interface Submitted {
  readonly task: number
  readonly done: Promise<readonly TrainingState[]>
}

/** Drawn, not counted: several sessions may share a pool, one after the other or at once. */
export function newTask(): number {
  return Math.floor(Math.random() * 2 ** 48)
}

export class Client {
  /** Resolves when the workers are up; rejects when they cannot start. */
  readonly ready: Promise<readonly WorkerReport[]>
  #connection: Connection<CoordinatorMessage, SessionMessage>
  readonly #tasks = new Map<number, OpenTask>()
  readonly #requests = new Map<number, Settler<Answer> & { readonly message: Request }>()
  #lastRequest = 0
  #over: Error | undefined
  #ready: Settler<readonly WorkerReport[]> | undefined

  constructor(socket: Socket) {
    this.ready = new Promise((resolve, reject) => (this.#ready = { resolve, reject }))
    this.ready.catch(() => {})
    this.#connection = new Connection(socket, (message) => this.#receive(message))
  }

  /** Goes on with another coordinator, from what is still open. */
  reconnect(socket: Socket): void {
    this.#connection = new Connection(socket, (message) => this.#receive(message))
    for (const [task, open] of this.#tasks) {
      const known = [...open.known].map(([job, state]) => ({ job, state }))
      this.#connection.send(open.begin.type === 'submit' ? { ...open.begin, known } : open.begin)
      if (open.mode !== 'run') this.#connection.send({ type: 'control', task, request: 0, mode: open.mode })
      for (const block of open.blocks.keys()) this.#connection.send({ type: 'pull', task, block })
    }
    for (const { message } of this.#requests.values()) this.#connection.send(message)
    this.#hold()
  }

  /** Submits a task; `done` settles when the coordinator says that it is over. */
  submit(
    work: Work,
    priority: number,
    listener: (event: JobEvent) => void = () => {},
    task: number = newTask(),
  ): Submitted {
    return this.#open({ type: 'submit', task, work, priority }, listener)
  }

  /** Follows a training that another session submitted; its job comes with it. */
  async follow(task: number, listener: (event: JobEvent) => void): Promise<Submitted & { job: TrainingJob }> {
    const request = ++this.#lastRequest
    const begin = { type: 'follow', task, request } as const
    const answer = this.#answer(begin)
    const submitted = this.#open(begin, listener)
    submitted.done.catch(() => {})
    try {
      return { ...submitted, job: (await answer).job! }
    } catch (error) {
      this.#tasks.delete(task)
      this.#hold()
      throw error
    }
  }

  /** Resolves when it has taken effect; at once for a task that is over. */
  async control(task: number, mode: Mode): Promise<void> {
    const open = this.#tasks.get(task)
    if (open === undefined) return
    open.mode = mode
    await this.request((request) => ({ type: 'control', task, request, mode }))
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

  /** Sends a message that is answered. @throws the error of the answer. */
  async request(message: (request: number) => Request): Promise<Answer> {
    const request = message(++this.#lastRequest)
    const answer = this.#answer(request)
    this.#send(request)
    return await answer
  }

  /** Asks the coordinator to end; everything still open rejects with `error`. */
  close(error: Error): void {
    this.#send({ type: 'close' })
    this.fail(error)
  }

  /** Leaves the coordinator to itself. */
  leave(error: Error): void {
    this.fail(error)
    this.#connection.close()
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

  #open(begin: SessionMessage & { type: 'submit' | 'follow' }, listener: (event: JobEvent) => void): Submitted {
    const { task } = begin
    const done = new Promise<readonly TrainingState[]>((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over)
      this.#connection.send(begin)
      const open = { begin, listener, resolve, reject, blocks: new Map(), known: new Map(), mode: 'run' as const }
      this.#tasks.set(task, open)
      this.#hold()
    })
    return { task, done }
  }

  async #answer(message: Request): Promise<Answer> {
    return await new Promise((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over)
      this.#requests.set(message.request, { message, resolve, reject })
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
      case 'mapped':
        this.#tasks.get(message.task)?.known.set(message.job, message.state)
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
      case 'done': {
        const { request, answer } = message
        const open = this.#requests.get(request)
        this.#requests.delete(request)
        if (answer.error === undefined) open?.resolve(answer)
        else open?.reject(fromWire(answer.error))
        break
      }
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
