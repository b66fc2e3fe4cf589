/**
 * The coordinator: holds the workers and runs the session's tasks on them, one after another, in a process of its own.
 * So trainings go on while the session's code spins, blocks or waits. Maps that follow one another share the workers: a worker
 * that is free takes the next job of any of them.
 */
import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { availableParallelism } from 'node:os'
import type { TrainingJob, TrainingState } from '../nn/train/job.js'
import { socketPath, type CoordinatorSettings } from './child.js'
import { Connection } from './connection.js'
import { greet } from './handshake.js'
import type { Claim, CoordinatorMessage, SessionMessage, WireError, Work } from './messages.js'
import { Outbox } from './outbox.js'
import { Roster, type Slot } from './roster.js'
import { TrainingRun, type Outcome } from './training-run.js'
import { TransformRun } from './transform-run.js'
import { toWire } from './wire-error.js'

interface Task {
  readonly id: number
  readonly work: Work
  stopped: boolean
  paused: boolean
  runs: TrainingRun[]
  transform: TransformRun | undefined
  /** Blocks that were asked for before the transform began. */
  pulls: number[]
  map: MapProgress | undefined
}

/** Where the jobs of a map stand. */
interface MapProgress {
  readonly waiting: (readonly [index: number, job: TrainingJob])[]
  readonly states: TrainingState[]
  running: number
  failure: WireError | undefined
  state: TrainingState | undefined
}

/** Runs until the session is gone or closes the pool; then ends the process. */
export async function coordinate(settings: CoordinatorSettings): Promise<void> {
  const secret = Buffer.from(settings.secret, 'base64')
  const roster = new Roster(settings, availableParallelism())
  const tasks: Task[] = []
  const sleepers: (() => void)[] = []
  let outbox: Outbox | undefined
  let lastRun = 0
  let lastGeneration = 0
  let sessionUp: () => void = () => {}
  const session = new Promise<void>((resolve) => (sessionUp = resolve))

  const server = createServer({ pauseOnConnect: true }, (socket) => void admit(socket))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath(settings.folder, 'coordinator'), resolve)
  })
  process.stdout.write('listening\n')
  const begun = roster.begin()
  begun.catch(() => {})
  await session
  try {
    await begun
  } catch (error) {
    outbox!.send({ type: 'unready', error: toWire(error) })
    await outbox!.drained()
    return await leave()
  }
  outbox!.send({ type: 'ready', workers: roster.report() })

  async function admit(socket: Socket): Promise<void> {
    const objection = (claim: Claim): string | undefined => {
      if (claim.role === 'worker') return roster.objection(claim)
      if (claim.role === 'session') return outbox === undefined ? undefined : 'expected one session, got a second.'
      return `expected a session or a worker, got a ${claim.role}.`
    }
    try {
      const claim = await greet(socket, secret, objection)
      if (claim.role === 'worker') roster.connect(claim, socket)
      else if (claim.role === 'session') connectSession(socket)
    } catch (error) {
      process.stderr.write(`turned a caller away: ${error instanceof Error ? error.message : String(error)}\n`)
    }
  }

  function connectSession(socket: Socket): void {
    const connection = new Connection<SessionMessage, CoordinatorMessage>(socket, onMessage)
    outbox = new Outbox(connection)
    void connection.closed.then(leave)
    sessionUp()
  }

  async function leave(): Promise<void> {
    server.close()
    await roster.close()
    rmSync(settings.folder, { recursive: true, force: true })
    process.exit(0)
  }

  function onMessage(message: SessionMessage): void {
    switch (message.type) {
      case 'submit':
        tasks.push({
          id: message.task,
          work: message.work,
          stopped: false,
          paused: false,
          runs: [],
          transform: undefined,
          pulls: [],
          map:
            message.work.kind === 'map'
              ? {
                  waiting: [...message.work.jobs.entries()],
                  states: [],
                  running: 0,
                  failure: undefined,
                  state: undefined,
                }
              : undefined,
        })
        if (tasks.length === 1) void work()
        else wake()
        return
      case 'control':
        return void control(message)
      case 'pull': {
        const task = tasks.find(({ id }) => id === message.task)
        if (task?.transform === undefined) task?.pulls.push(message.block)
        else task.transform.pull(message.block)
        return
      }
      case 'cancel': {
        const task = tasks.find(({ id }) => id === message.task)
        if (task === undefined) return
        task.stopped = true
        task.transform?.end()
        return
      }
      case 'status':
        return outbox!.send({ type: 'done', request: message.request, workers: roster.report() })
      case 'close':
        return void leave()
      default:
        message satisfies never
    }
  }

  async function control({ task: id, request, mode }: SessionMessage & { type: 'control' }): Promise<void> {
    const task = tasks.find((candidate) => candidate.id === id)
    if (task !== undefined) {
      if (mode === 'stop') task.stopped = true
      task.paused = mode === 'pause'
      for (const run of task.runs) run.control(mode)
      if (mode === 'pause') await Promise.all(task.runs.map(async (run) => run.paused()))
    }
    outbox!.send({ type: 'done', request })
  }

  /** Works the queue off. */
  async function work(): Promise<void> {
    for (let task = tasks[0]; task !== undefined; task = tasks[0]) {
      roster.start()
      if (task.map !== undefined) {
        await Promise.all(roster.slots.map(async (slot) => workOnMaps(slot)))
        continue
      }
      try {
        await workOn(task)
      } catch (error) {
        outbox!.send({ type: 'failed', task: task.id, error: toWire(error) })
      }
      tasks.shift()
    }
  }

  /** A worker's part in the maps at the front of the queue: job after job, until none of them goes on. */
  async function workOnMaps(slot: Slot): Promise<void> {
    for (;;) {
      const maps = leadingMaps()
      const next = maps.find(({ map }) => map.waiting.length > 0)
      if (next !== undefined) await workOnJob(slot, next, next.map)
      else if (maps.length > 0) await new Promise<void>((resolve) => sleepers.push(resolve))
      else return
    }
  }

  async function workOnJob(slot: Slot, task: Task, map: MapProgress): Promise<void> {
    const [index, job] = map.waiting.shift()!
    if (index === 0) roster.start()
    map.running++
    try {
      const outcome = await train(task, job, index, [slot])
      if (outcome.error === undefined) map.states[index] = outcome.state
      else fail(task, map, outcome.error, outcome.state)
    } catch (error) {
      fail(task, map, toWire(error))
    }
    map.running--
    if (map.running === 0 && map.waiting.length === 0) {
      const { failure, state, states } = map
      if (failure === undefined) outbox!.send({ type: 'trained', task: task.id, states })
      else outbox!.send({ type: 'failed', task: task.id, error: failure, state })
      tasks.splice(tasks.indexOf(task), 1)
    }
    wake()
  }

  /** Ends a map: none of its jobs begins, and those that run are abandoned. */
  function fail(task: Task, map: MapProgress, error: WireError, state?: TrainingState): void {
    if (map.failure !== undefined) return
    map.failure = error
    map.state = state
    map.waiting.length = 0
    for (const run of task.runs) run.abandon(error)
  }

  function leadingMaps(): (Task & { map: MapProgress })[] {
    const other = tasks.findIndex(({ map }) => map === undefined)
    return tasks.slice(0, other < 0 ? tasks.length : other) as (Task & { map: MapProgress })[]
  }

  /** Lets workers that have nothing to do look again. */
  function wake(): void {
    for (const resolve of sleepers.splice(0)) resolve()
  }

  async function workOn(task: Task): Promise<void> {
    const { work: todo, id } = task
    switch (todo.kind) {
      case 'step': {
        const outcome = await train(task, todo.job, 0, roster.slots)
        if (outcome.error !== undefined)
          outbox!.send({ type: 'failed', task: id, error: outcome.error, state: outcome.state })
        else outbox!.send({ type: 'trained', task: id, states: [outcome.state] })
        return
      }
      case 'map':
        throw new Error('maps are worked on side by side')
      case 'transform': {
        if (task.stopped) return
        const run = new TransformRun({
          id: ++lastRun,
          job: todo.job,
          roster,
          onBlock: (block, shards) => outbox!.send({ type: 'rows', task: id, block, shards }),
        })
        task.transform = run
        run.begin()
        for (const block of task.pulls) run.pull(block)
        const error = await run.outcome
        if (error !== undefined) outbox!.send({ type: 'failed', task: id, error })
        return
      }
      default:
        todo satisfies never
    }
  }

  async function train(task: Task, job: TrainingJob, index: number, slots: readonly Slot[]): Promise<Outcome> {
    const run = new TrainingRun({
      id: ++lastRun,
      job,
      slots,
      roster,
      restart: task.work.kind === 'map',
      nextGeneration: () => ++lastGeneration,
      onEvent: (event) => outbox!.event(task.id, { job: index, event }),
    })
    if (task.stopped) run.control('stop')
    else if (task.paused) run.control('pause')
    task.runs.push(run)
    run.begin()
    const outcome = await run.outcome
    task.runs = task.runs.filter((other) => other !== run)
    return outcome
  }
}
