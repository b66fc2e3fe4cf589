/** What the other parts use of the engines. */
export type { Engine, EngineName, Program, SavedModel, SavedModelOptions } from './engine.js'
export { engineNames } from './engine.js'
export type { Trace } from './trace.js'
export { adamStep } from './adam.js'
export { allReduce } from './all-reduce.js'
export type { Step, StepTraces } from './step.js'
export { checkTrace } from './check-trace.js'
export { compile } from './compile.js'
export { sparseSoftmaxCrossEntropy } from './cross-entropy.js'
export { currentEngine, loadSavedModel, openEngine, useEngine } from './open.js'
export { activationGradient, type DifferentiableActivation, isNestedGradient } from './gradients.js'
export { type RecordedInput, type RecordedOutput, isReadRefusal, record } from './record.js'
export { standFor, whyEager } from './eager-step.js'
export { dropout, type Random, withRandom } from './random.js'
export { scan } from './scan.js'
export {
  loadSpread,
  loadSpreadGradients,
  type Reduce,
  type SpreadGradients,
} from './spread-program.js'
export { dataOf, loadTf, tensorOf } from './tf.js'
export { installEngine, listEngines, removeEngine } from './install/index.js'
