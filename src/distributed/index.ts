/** Pools of worker processes. */
export { pool, type Pool, type PoolOptions } from './pool.js'
export type { PoolState, PoolStatus } from './status.js'
export type { WorkerReport, WorkerState } from './messages.js'
export { TrainingFailure } from './wire-error.js'
