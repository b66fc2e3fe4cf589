/** A trace as nodes of a TensorFlow graph: its calls run through tfjs-node's kernels while the binding builds. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { planSlices } from '../plan-slices.js'
import { runCall } from '../run-call.js'
import { tensorOf, tfCore } from '../tf.js'
import type { Call, Trace } from '../trace.js'
import { attributeTypes } from './attributes.js'
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

  /**
   * Adds a trace over `slices` slices: inputs that are split along the first axis feed as many independent chains, whose
   * results are added, in their order, or joined.
   */
  trace(trace: Trace, slices: number, inputs: readonly NodeOutput[]): NodeOutput[] {
    const axis = this.nodeOf(tfCore().scalar(0, 'int32'))
    const shared = new Map<number, Tensor>()
    const own = Array.from({ length: slices }, () => new Map<number, Tensor>())
    for (const { value, data } of trace.constants) shared.set(value, tensorOf(data))
    for (const [i, { value, split }] of trace.inputs.entries()) {
      if (!split) shared.set(value, this.tensorOf(inputs[i]!))
      else {
        const parts = splitRows(this.builder, axis, inputs[i]!, slices)
        for (const [slice, part] of parts.entries()) own[slice]!.set(value, this.tensorOf(part))
      }
    }
    const plan = planSlices(trace)
    this.calls(trace, plan.shared, shared)
    for (const values of own) this.calls(trace, plan.sliced, values, shared)
    return trace.outputs.map(({ value, merge }) => {
      const parts = own.map((values) => this.nodeOf(values.get(value) ?? shared.get(value)!))
      return mergeParts(this.builder, axis, parts, merge)
    })
  }

  /** Adds some calls of a trace, with their values in `values`, else in `outer`. */
  calls(trace: Trace, calls: readonly Call[], values: Map<number, Tensor>, outer?: ReadonlyMap<number, Tensor>): void {
    for (const call of calls) {
      const outputs = runCall(trace, call, (value) => values.get(value) ?? outer!.get(value)!)
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

function splitRows(builder: GraphBuilder, axis: NodeOutput, input: NodeOutput, slices: number): NodeOutput[] {
  if (slices === 1) return [input]
  const attributes = [
    { name: 'num_split', type: attributeTypes.TF_ATTR_INT, value: slices },
    { name: 'T', type: attributeTypes.TF_ATTR_TYPE, value: input.dtype },
  ]
  return builder.node('Split', attributes, [axis, input])
}

/** The slices' results as one. A lone result gets a node of its own, since a function cannot hand out an input. */
function mergeParts(
  builder: GraphBuilder,
  axis: NodeOutput,
  parts: readonly NodeOutput[],
  merge: 'sum' | 'concat',
): NodeOutput {
  const type = { name: 'T', type: attributeTypes.TF_ATTR_TYPE, value: parts[0]!.dtype }
  const count = { name: 'N', type: attributeTypes.TF_ATTR_INT, value: parts.length }
  if (parts.length === 1) return builder.node('Identity', [type], parts)[0]!
  if (merge === 'sum') return builder.node('AddN', [type, count], parts)[0]!
  return builder.node('ConcatV2', [type, count, typeAttribute('Tidx', 'int32')], [...parts, axis])[0]!
}
