/**
 * A trace as one TensorFlow function: its calls become nodes of a graph, and the graph a function that one `TFE_Execute`
 * runs.
 *
 * With S slices the graph holds S chains (`unroll-slices.ts`), so that as many cores as chains are busy although every operation
 * runs on one thread. Sums go in the order of the slices: results depend on S but not on the number of cores.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkInteger } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { checkInputs, inputSpecs } from '../check-inputs.js'
import type { Program } from '../engine.js'
import { onBackend } from '../on-backend.js'
import { isRecording } from '../record.js'
import { checkKernels } from '../run-call.js'
import type { Trace } from '../trace.js'
import { type OpAttribute, attributeTypes } from './attributes.js'
import { type NativeBackend, nativeBackend } from './backend.js'
import type { TensorFlow } from './c-api.js'
import { GraphBuilder, type NodeOutput } from './graph.js'
import { dataTypeOf } from './kernels.js'
import { Lowering } from './lower.js'
import { unrollSlices } from '../unroll-slices.js'
import { removeRepeats } from './remove-repeats.js'

export function nativeProgram(trace: Trace, backend: NativeBackend, tensorFlow: TensorFlow, slices: number): Program {
  checkInteger('load', 'slices', slices, 1)
  checkKernels(trace, nativeBackend, 'native')
  const specs = inputSpecs(trace, slices)
  const compiled = new NativeFunction(backend, tensorFlow, (lowering) => {
    const inputs = specs.map(({ shape, dtype }) => lowering.builder.placeholder(shape, dataTypeOf[dtype]!))
    return { inputs, outputs: lowering.trace(unrollSlices(removeRepeats(trace), slices), inputs), controls: [] }
  })
  return {
    run(inputs) {
      compiled.checkRunnable()
      checkInputs(specs, inputs)
      return onBackend(nativeBackend, () => compiled.run(backend.getInputTensorIds(inputs)))
    },
    dispose: () => compiled.dispose(),
  }
}

/** What a graph's function takes, gives and does. */
export interface FunctionBody {
  readonly inputs: readonly NodeOutput[]
  readonly outputs: readonly NodeOutput[]
  /** Nodes that run for what they do, not for what they put out. */
  readonly controls: readonly number[]
}

let functions = 0

/** The executor for one thread, without queues between operations, which would take another thread. It knows no branches. */
const oneAfterTheOther: OpAttribute = {
  name: 'executor_type',
  type: attributeTypes.TF_ATTR_STRING,
  value: 'SINGLE_THREADED_EXECUTOR',
}

/** A graph as a function of the engine. */
export class NativeFunction {
  readonly #name = `shardbook_${functions++}`
  readonly #backend: NativeBackend
  readonly #tensorFlow: TensorFlow
  readonly #outputs: readonly Pick<NodeOutput, 'shape' | 'dtype'>[]
  readonly #names: readonly string[]
  readonly #attributes: readonly OpAttribute[]
  #disposed = false

  constructor(backend: NativeBackend, tensorFlow: TensorFlow, build: (lowering: Lowering) => FunctionBody) {
    this.#backend = backend
    this.#tensorFlow = tensorFlow
    const builder = new GraphBuilder(tensorFlow)
    try {
      const lowering = new Lowering(builder, backend)
      const { inputs, outputs, controls } = onBackend(nativeBackend, () => lowering.build(() => build(lowering)))
      this.#outputs = outputs.map(({ shape, dtype }) => ({ shape, dtype }))
      const empty = outputs.length === 0 && controls.length === 0
      if (!empty) builder.addFunction(this.#name, inputs, outputs, controls)
      this.#names = empty ? [] : [this.#name, ...builder.functions]
      this.#attributes = tensorFlow.threads > 1 || builder.branches ? [] : [oneAfterTheOther]
    } finally {
      builder.dispose()
    }
  }

  /** Raises unless the function is live and nothing is being recorded. */
  checkRunnable(): void {
    if (this.#disposed) throw new ShardbookError('state', 'run: expected a live program, got a disposed one.')
    if (isRecording()) {
      throw new ShardbookError('engine', 'run: expected no recording in progress, got a program in a step.')
    }
  }

  /** Starts it on tensors by their ids on the binding; who reads the results waits. The engine is the current one. */
  run(inputs: readonly number[]): Tensor[] {
    if (this.#names.length === 0) return []
    const { binding } = this.#backend
    const handles = binding.start(this.#name, this.#attributes, inputs, this.#outputs.length)
    return this.#outputs.map(({ shape, dtype }, i) =>
      this.#backend.createOutputTensor({ id: binding.add(handles[i]!), shape: [...shape], dtype }),
    )
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#backend.binding.finish()
    for (const name of this.#names) {
      this.#tensorFlow.api.TFE_ContextRemoveFunction(this.#tensorFlow.context, name, this.#tensorFlow.status)
      this.#tensorFlow.check('dispose')
    }
  }
}
