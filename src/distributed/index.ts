/** Pools of worker processes. */
export { pool, type Pool, type PoolFunction, type PoolOptions, type SharingOptions } from './pool.js'
export { TrainingFailure } from './wire-error.js'
