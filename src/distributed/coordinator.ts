/**
 * The coordinator: holds the workers and runs the sessions' tasks on them, in a process of its own. So trainings go on while a
 * session's code spins, blocks or waits; those of a detached pool also while there is no session.
 */
import { rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { availableParallelism } from 'node:os'
import { removePoolFolders, type CoordinatorSettings } from './child.js'
import { Connection } from './connection.js'
import type { Mode } from './control.js'
import { listen } from './endpoint.js'
import { greet } from './handshake.js'
import type { Answer, Claim, CoordinatorMessage, SessionMessage } from './messages.js'
import { Outbox } from './outbox.js'
import { removeFromRegistry } from './registry.js'
import { Roster } from './roster.js'
import { Scheduler } from './scheduler.js'
import { removeTask, storedTasks, storeTask } from './task-store.js'
import { Task } from './task.js'
import { TaskRunner } from './task-runner.js'
import { toWire } from './wire-error.js'

/** How many tasks that are over stay, for sessions that come to fetch their results. */
const keptTasks = 16
const lookMs = 500
const unreadyMs = 30_000

/** Runs until the pool is closed, or nobody is left who could use it; then ends the process. */
export async function coordinate(settings: CoordinatorSettings): Promise<void> {
  await new Coordinator(settings).run()
}

class Coordinator {
  readonly #settings: CoordinatorSettings
  readonly #secret: Buffer
  readonly #roster: Roster
  readonly #scheduler: Scheduler
  readonly #sessions = new Set<Outbox>()
  readonly #runner: TaskRunner
  #ready: CoordinatorMessage | undefined
  #idleSince = performance.now()
  #leaving = false
  #stopListening = (): void => {}

  constructor(settings: CoordinatorSettings) {
    this.#settings = settings
    this.#secret = Buffer.from(settings.secret, 'base64')
    this.#roster = new Roster(settings, availableParallelism())
    this.#runner = new TaskRunner(this.#roster, settings)
    this.#scheduler = new Scheduler(this.#runner, settings.turnMs, () => (this.#idleSince = performance.now()))
  }

  async run(): Promise<void> {
    const { endpoint, stateFolder, idleMs } = this.#settings
    const listener = await listen(endpoint, this.#secret, (socket) => void this.#admit(socket))
    this.#stopListening = () => listener.close()
    this.#roster.useEndpoint(listener.endpoint)
    // Before anyone reads: whoever started this process waits for that line.
    const begun = this.#roster.begin()
    begun.catch(() => {})
    process.stdout.write(`listening ${listener.endpoint}\n`)
    try {
      await begun
    } catch (error) {
      this.#announce({ type: 'unready', error: toWire(error) })
      // Whoever started it comes to hear why, or never will.
      setTimeout(() => void this.#leave(), unreadyMs)
      return
    }
    if (this.#isDetached) this.#takeUp(storedTasks(stateFolder))
    this.#announce({ type: 'ready', workers: this.#roster.report() })
    setInterval(() => {
      this.#scheduler.consider()
      const isIdle = this.#sessions.size === 0 && this.#scheduler.isIdle
      if (!isIdle) this.#idleSince = performance.now()
      if (idleMs !== undefined && performance.now() - this.#idleSince > idleMs) void this.#leave()
    }, lookMs)
  }

  get #isDetached(): boolean {
    return this.#settings.session === undefined
  }

  #announce(message: CoordinatorMessage): void {
    this.#ready = message
    for (const session of this.#sessions) this.#tellReady(session)
  }

  #tellReady(session: Outbox): void {
    if (this.#ready === undefined) return
    session.send(this.#ready)
    if (this.#ready.type === 'unready') void session.drained().then(async () => this.#leave())
  }

  /** Goes on with what a coordinator before this one has left. */
  #takeUp({ tasks, damaged }: ReturnType<typeof storedTasks>): void {
    for (const path of damaged) process.stderr.write(`passed over ${path}: it is damaged\n`)
    for (const submission of tasks) this.#scheduler.add(new Task(submission))
  }

  async #admit(socket: Socket): Promise<void> {
    const objection = (claim: Claim): string | undefined => {
      if (claim.role === 'worker') return this.#roster.objection(claim)
      if (claim.role !== 'session') return `expected a session or a worker, got a ${claim.role}.`
      return this.#isDetached || this.#sessions.size === 0 ? undefined : 'expected one session, got a second.'
    }
    try {
      const claim = await greet(socket, this.#secret, objection)
      if (claim.role === 'worker') this.#roster.connect(claim, socket)
      else if (claim.role === 'session') this.#connectSession(socket)
    } catch (error) {
      process.stderr.write(`turned a caller away: ${error instanceof Error ? error.message : String(error)}\n`)
    }
  }

  #connectSession(socket: Socket): void {
    const connection = new Connection<SessionMessage, CoordinatorMessage>(socket, (message) => {
      this.#receive(outbox, message)
    })
    const outbox = new Outbox(connection)
    this.#sessions.add(outbox)
    this.#tellReady(outbox)
    void connection.closed.then(async () => {
      this.#sessions.delete(outbox)
      for (const task of this.#scheduler.tasks) {
        task.followers.delete(outbox)
        if (task.work.kind !== 'step' && task.followers.size === 0) this.#cancel(task)
      }
      if (!this.#isDetached) await this.#leave()
    })
  }

  #receive(from: Outbox, message: SessionMessage): void {
    const answer = (request: number, content: Answer = {}): void =>
      from.send({ type: 'done', request, answer: content })
    const find = 'task' in message ? this.#scheduler.find(message.task) : undefined
    switch (message.type) {
      case 'submit':
        return this.#submit(from, message)
      case 'follow': {
        if (find?.work.kind === 'step') {
          answer(message.request, { job: find.work.job })
          return find.follow(from)
        }
        const error = {
          code: 'argument',
          message: 'pool.training: expected a training of this pool, got none.',
        } as const
        return answer(message.request, { error })
      }
      case 'control':
        return void this.#control(find, message.mode).then(() => answer(message.request))
      case 'save':
        return void this.#save(find).then((content) => answer(message.request, content))
      case 'pull':
        if (find === undefined || find.pulls.includes(message.block)) return
        find.pulls.push(message.block)
        find.touch()
        find.transform?.pull(message.block)
        return this.#scheduler.consider()
      case 'cancel':
        return find === undefined ? undefined : this.#cancel(find)
      case 'status': {
        const tasks = this.#scheduler.tasks.map((task) => task.report())
        return answer(message.request, { workers: this.#roster.report(), tasks })
      }
      case 'logs':
        return answer(message.request, { lines: this.#roster.logs(message.lines, message.rank) })
      case 'close':
        return void this.#leave()
      default:
        message satisfies never
    }
  }

  #submit(from: Outbox, submission: SessionMessage & { type: 'submit' }): void {
    const known = this.#scheduler.find(submission.task)
    if (known !== undefined) return known.follow(from)
    if (this.#isDetached && submission.work.kind === 'step') storeTask(this.#settings.stateFolder, submission)
    const task = new Task(submission)
    task.follow(from)
    const over = this.#scheduler.tasks.filter((other) => other.isOver)
    for (const old of over.slice(0, Math.max(0, over.length - keptTasks))) {
      this.#scheduler.remove(old)
      removeTask(this.#settings.stateFolder, old.id)
    }
    this.#scheduler.add(task)
  }

  async #control(task: Task | undefined, mode: Mode): Promise<void> {
    if (task === undefined || task.isOver || task.mode === 'stop') return
    task.mode = mode
    for (const run of task.runs) if (!task.isYielding) run.control(mode)
    if (mode === 'stop' && !task.isRunning) this.#runner.stopWaiting(task)
    this.#scheduler.consider()
    if (mode === 'pause') await Promise.all(task.runs.map(async (run) => run.paused()))
  }

  async #save(task: Task | undefined): Promise<Answer> {
    const [run] = task?.runs ?? []
    if (run !== undefined) return await run.save()
    const message = 'training.checkpoint: expected a training that runs, got one that waits or is over.'
    return { error: { code: 'state', message } }
  }

  #cancel(task: Task): void {
    if (task.isOver) return
    const error = { code: 'state', message: 'pool: nobody waits for this any more.' } as const
    task.finish({ type: 'failed', task: task.id, error })
    task.transform?.end()
    for (const run of task.runs) run.abandon(error)
  }

  async #leave(): Promise<void> {
    if (this.#leaving) return
    this.#leaving = true
    this.#stopListening()
    await this.#roster.close()
    removePoolFolders(this.#settings)
    rmSync(this.#settings.stateFolder, { recursive: true, force: true })
    if (this.#isDetached) removeFromRegistry(this.#settings.name)
    process.exit(0)
  }
}
