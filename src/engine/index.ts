/** What the other parts use of the engines. */
export type { Engine, EngineName, EngineOptions, Program } from './engine.js'
export { engineNames } from './engine.js'
export type { Trace } from './trace.js'
export { checkTrace } from './check-trace.js'
export { currentEngine, openEngine } from './open.js'
export { type RecordedInput, type RecordedOutput, isRecording, record } from './record.js'
export { dataOf, loadTf, tensorOf } from './tf.js'
export { type EngineListing, type InstallOptions, installEngine, listEngines, removeEngine } from './install/index.js'
