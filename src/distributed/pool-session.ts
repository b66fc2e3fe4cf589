/**
 * A session's hold on the coordinator of a pool: started or found, replaced when it is lost, ended or left.
 *
 * What was open goes on when a coordinator is replaced: its tasks are submitted again, and begin from their checkpoints.
 */
import { rmSync } from 'node:fs'
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { removePoolFolders, type PoolFolders } from './child.js'
import { Client } from './client.js'
import { connect } from './connection.js'
import { isAlive } from './is-alive.js'
import { launch, release, type PoolSettings, type Started } from './launch.js'
import { isRunning, readFromRegistry, removeFromRegistry, type Registered } from './registry.js'
import type { PoolState } from './status.js'

const closeMs = 5000
const lookMs = 100
/** How many coordinators may be lost within how long. */
const restarts = 3
const restartWindowMs = 60_000

/** A coordinator that this or another process started. */
interface Coordinator {
  readonly pid: number
  readonly folders: PoolFolders
  /** Resolves with how it ended. */
  readonly exited: Promise<string>
  kill(): void
  /** Whether this process stays until it has ended. */
  hold(keep: boolean): void
}

export class PoolSession {
  readonly settings: PoolSettings
  readonly client: Client
  #coordinator: Coordinator
  #state: PoolState = 'open'
  #closing: Promise<void> | undefined
  #lostAt: number[] = []

  private constructor(settings: PoolSettings, coordinator: Coordinator, client: Client) {
    this.settings = settings
    this.client = client
    this.#coordinator = coordinator
    void this.#watch()
  }

  /** Starts a pool; resolves when its workers are up. */
  static async start(settings: PoolSettings): Promise<PoolSession> {
    let started: Started | undefined
    try {
      started = await launch(settings)
      return await PoolSession.#open(settings, ownCoordinator(started), started.endpoint, started.secret)
    } catch (error) {
      started?.child.kill('SIGKILL')
      await started?.exited
      if (started !== undefined) removePoolFolders(started.settings)
      removeState(settings)
      throw error
    }
  }

  /** Connects to a pool that is there; one that was lost is started again. */
  static async attach({ pid, endpoint, settings }: Registered): Promise<PoolSession> {
    const secret = Buffer.from(settings.secret, 'base64')
    if (isAlive(pid)) return await PoolSession.#open(settings, foundCoordinator(pid, settings), endpoint, secret)
    removePoolFolders(settings)
    const started = await launch(settings)
    return await PoolSession.#open(settings, ownCoordinator(started), started.endpoint, started.secret)
  }

  static async #open(
    settings: PoolSettings,
    coordinator: Coordinator,
    endpoint: string,
    secret: Buffer,
  ): Promise<PoolSession> {
    const client = new Client(await connect(endpoint, secret, { role: 'session' }))
    const lost = coordinator.exited.then((how) => {
      throw lostError(settings.name, how)
    })
    lost.catch(() => {})
    await Promise.race([client.ready, lost])
    coordinator.hold(false)
    return new PoolSession(settings, coordinator, client)
  }

  get state(): PoolState {
    return this.#state
  }

  /** Ends the pool. */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  /** Leaves a detached pool to itself. */
  leave(): void {
    if (this.#state !== 'open') return
    this.#state = 'detached'
    this.client.leave(
      new ShardbookError('state', `pool ${show(this.settings.name)}: it goes on without this session.`, {
        hint: `(await pool.attach(${show(this.settings.name)})).training() takes a training up again.`,
      }),
    )
  }

  async #close(): Promise<void> {
    if (this.#state === 'detached') return
    const wasOpen = this.#state === 'open'
    this.#state = wasOpen ? 'closed' : this.#state
    this.client.close(this.#closedError())
    const { exited } = this.#coordinator
    this.#coordinator.hold(true)
    const timer = setTimeout(() => this.#coordinator.kill(), closeMs)
    await exited
    clearTimeout(timer)
    this.#tidy()
    if (this.settings.session === undefined) removeFromRegistry(this.settings.name)
    removeState(this.settings)
  }

  #closedError(): ShardbookError {
    return new ShardbookError(
      'state',
      `pool ${show(this.settings.name)}: expected an open pool, got one that was closed.`,
    )
  }

  /** Waits for the coordinator's end, and puts another in its place. */
  async #watch(): Promise<void> {
    while (this.#state === 'open') {
      const how = await this.#coordinator.exited
      if (this.#state !== 'open') return
      this.#tidy()
      const now = performance.now()
      this.#lostAt = [...this.#lostAt.filter((at) => now - at < restartWindowMs), now]
      if (this.#lostAt.length > restarts) return this.#fail(how)
      try {
        await this.#replace()
      } catch (error) {
        return this.#fail(
          `${how} Another could not be started: ${error instanceof Error ? error.message : String(error)}`,
        )
      }
    }
  }

  async #replace(): Promise<void> {
    // Another session may have been quicker.
    const found = this.settings.session === undefined ? readFromRegistry(this.settings.name) : undefined
    if (found !== undefined && isRunning(found)) {
      this.#coordinator = foundCoordinator(found.pid, found.settings)
      const secret = Buffer.from(found.settings.secret, 'base64')
      return this.client.reconnect(await connect(found.endpoint, secret, { role: 'session' }))
    }
    const started = await launch(this.settings)
    this.#coordinator = ownCoordinator(started)
    this.client.reconnect(await connect(started.endpoint, started.secret, { role: 'session' }))
    this.#coordinator.hold(false)
  }

  #fail(how: string): void {
    this.#state = 'failed'
    this.client.fail(lostError(this.settings.name, how))
    this.#tidy()
    if (this.settings.session !== undefined) removeState(this.settings)
  }

  #tidy(): void {
    removePoolFolders(this.#coordinator.folders)
  }
}

function lostError(name: string, how: string): ShardbookError {
  return new ShardbookError('pool', `pool ${show(name)}: expected its coordinator to run, but ${how}`)
}

function removeState({ stateFolder }: PoolSettings): void {
  rmSync(stateFolder, { recursive: true, force: true })
}

function ownCoordinator({ child, pid, exited, settings }: Started): Coordinator {
  return {
    pid,
    folders: settings,
    exited,
    kill: () => void child.kill('SIGKILL'),
    hold: (keep) => (keep ? child.ref() : release(child)),
  }
}

/** One that is not our child tells nobody of its end: it is looked for. */
function foundCoordinator(pid: number, folders: Coordinator['folders']): Coordinator {
  let timer: NodeJS.Timeout | undefined
  const exited = new Promise<string>((resolve) => {
    timer = setInterval(() => {
      if (isAlive(pid)) return
      clearInterval(timer)
      resolve('it has ended.')
    }, lookMs)
    timer.unref()
  })
  return {
    pid,
    folders,
    exited,
    kill: () => void process.kill(pid, 'SIGKILL'),
    hold: (keep) => void (keep ? timer?.ref() : timer?.unref()),
  }
}
