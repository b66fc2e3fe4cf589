/** A worker: serves the coordinator's orders, run by run. */
import type { OrderMessage } from './messages.js'
import { WorkerRun, type WorkerParts } from './worker-run.js'
import { WorkerTransform } from './worker-transform.js'

/** Gives each order to its run. */
export function serve(parts: WorkerParts): (order: OrderMessage) => void {
  const trainings = new Map<number, WorkerRun>()
  const transforms = new Map<number, WorkerTransform>()
  return (order) => {
    if (order.type === 'assign' && !trainings.has(order.run)) trainings.set(order.run, new WorkerRun(order.run, parts))
    if (order.type === 'transform') transforms.set(order.run, new WorkerTransform(order.run, parts))
    if (order.type === 'transform' || order.type === 'pull') transforms.get(order.run)?.take(order)
    else if (order.type === 'release') {
      trainings.get(order.run)?.take(order)
      transforms.get(order.run)?.take(order)
      trainings.delete(order.run)
      transforms.delete(order.run)
    } else trainings.get(order.run)?.take(order)
  }
}
