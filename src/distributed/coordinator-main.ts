/** The program of the coordinator process. */
import { readSettings, type CoordinatorSettings } from './child.js'
import { coordinate } from './coordinator.js'

await coordinate(await readSettings<CoordinatorSettings>())
