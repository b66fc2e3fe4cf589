/** A trace as nodes of a TensorFlow graph: its calls run through tfjs-node's kernels while the binding builds. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { runCall } from '../run-call.js'
import { tensorOf, tfCore } from '../tf.js'
import type { Call, Trace } from '../trace.js'
import type { NativeBackend } from './backend.js'
import type { GraphBuilder, NodeOutput } from './graph.js'
import { typeAttribute } from './kernels.js'

/** A graph that is being built; nothing else may run on the binding meanwhile. */
export class Lowering {
  readonly builder: GraphBuilder
  readonly #backend: NativeBackend

  constructor(builder: GraphBuilder, backend: NativeBackend) {
    this.builder = builder
    this.#backend = backend
  }

  /** Runs `build` with kernels putting nodes into the graph. */
  build<T>(build: () => T): T {
    let result: T | undefined
    this.#backend.binding.building(this.builder, () =>
      tfCore().tidy(() => {
        result = build()
      }),
    )
    return result!
  }

  /** Adds a trace over one slice. Inputs that it hands out get nodes of their own: a function cannot hand out an input itself. */
  trace(trace: Trace, inputs: readonly NodeOutput[]): NodeOutput[] {
    const values = new Map<number, Tensor>()
    for (const { value, data } of trace.constants) values.set(value, tensorOf(data))
    for (const [i, { value }] of trace.inputs.entries()) values.set(value, this.tensorOf(inputs[i]!))
    this.calls(trace, trace.calls, values)
    const given = new Set(trace.inputs.map(({ value }) => value))
    return trace.outputs.map(({ value }) => {
      const node = this.nodeOf(values.get(value)!)
      const type = { ...typeAttribute('T', 'float32'), value: node.dtype }
      return given.has(value) ? this.builder.node('Identity', [type], [node])[0]! : node
    })
  }

  /** Adds some calls of a trace, with their values in `values`. */
  calls(trace: Trace, calls: readonly Call[], values: Map<number, Tensor>): void {
    for (const call of calls) {
      const outputs = runCall(trace, call, (value) => values.get(value)!)
      for (const [i, value] of call.outputs.entries()) values.set(value, outputs[i]!)
    }
  }

  nodeOf(value: Tensor): NodeOutput {
    return this.#backend.binding.nodeAt(this.#backend.getInputTensorIds([value])[0]!, 'load')
  }

  tensorOf(node: NodeOutput): Tensor {
    return this.#backend.createOutputTensor(this.#backend.binding.addNode(node))
  }
}
