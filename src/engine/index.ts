/** What the other parts use of the engines. */
export type { Engine, EngineName, EngineOptions, Program } from './engine.js'
export type { Trace } from './trace.js'
