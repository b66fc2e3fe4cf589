/** Data sets that are one call away. */
import { mnist } from './mnist.js'

export const datasets = { mnist } as const
