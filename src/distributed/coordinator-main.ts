/** The program of the coordinator process. */
import { readSettings, type CoordinatorSettings } from './child.js'
import { coordinate } from './coordinator.js'

// The coordinator of a detached pool outlives who started it.
await coordinate(await readSettings<CoordinatorSettings>(({ session }) => session === undefined))
