/** The program of the coordinator process. */
import { ShardbookError } from '../core/errors.js'
import { readSettings, type CoordinatorSettings } from './child.js'
import { coordinate } from './coordinator.js'

// The coordinator of a detached pool outlives who started it.
const settings = await readSettings<CoordinatorSettings>(({ session }) => session === undefined)
try {
  await coordinate(settings)
} catch (error) {
  process.stderr.write(`${error instanceof ShardbookError ? error.message : String(error)}\n`)
  process.exit(1)
}
