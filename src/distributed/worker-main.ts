/** The program of a worker process. */
import { getPriority, setPriority } from 'node:os'
import { useCores } from '../core/cores.js'
import { openEngine } from '../engine/index.js'
import { openFeed } from '../frame/open-feed.js'
import { createLoop } from '../nn/train/loop.js'
import { readSettings, socketPath, type WorkerSettings } from './child.js'
import { connect, Connection } from './connection.js'
import type { OrderMessage, WorkerMessage } from './messages.js'
import { RingDoor } from './ring-door.js'
import { openSegmentFolder } from './segment-file.js'
import { toWire } from './wire-error.js'
import { serve } from './worker.js'

const settings = await readSettings<WorkerSettings>()
const { secret: encoded, folder, shared: memory, rank, incarnation, engine: name, threads, host, niceness } = settings
// Whoever works at the notebook goes first.
setPriority(Math.min(19, Math.max(getPriority(), niceness)))
useCores(threads)
const secret = Buffer.from(encoded, 'base64')
const opening = openEngine(name, { threads })
opening.catch(() => {})
const place = host === undefined ? socketPath(folder, `ring-${rank}-${incarnation}`) : `tls:${host}:0`
const door = await RingDoor.open(place, secret)
const socket = await connect(settings.endpoint, secret, { role: 'worker', rank, incarnation })

let onOrder: (order: OrderMessage) => void = () => {}
const coordinator = new Connection<OrderMessage, WorkerMessage>(socket, (order) => onOrder(order))
void coordinator.closed.then(() => process.exit(0))
try {
  const engine = await opening
  const shared = memory === undefined ? undefined : await openSegmentFolder(memory)
  const send = (message: WorkerMessage): void => coordinator.send(message)
  onOrder = serve({ rank, engine, door, shared, createLoop, openFeed, send })
  send({ type: 'up', engine: engine.name, description: engine.description, door: door.endpoint })
} catch (error) {
  coordinator.send({ type: 'down', error: toWire(error) })
  await coordinator.drained()
  process.exit(1)
}
