/** Pools of worker processes. */
export { pool, type Pool, type PoolOptions } from './pool.js'
export { TrainingFailure } from './wire-error.js'
