/** Pools of worker processes. */
export { pool, type Pool, type PoolOptions } from './pool.js'
export type { PoolStatus } from './status.js'
export { TrainingFailure } from './wire-error.js'
