/**
 * A trace as one TensorFlow function: its calls run once through tfjs-node's kernels while the binding builds a graph, and
 * the graph becomes a function that one `TFE_Execute` runs.
 *
 * With S slices the graph holds S independent chains (inputs split along the first axis, outputs added or joined), so
 * that as many cores as chains are busy although every operation runs on one thread. Sums go in the order of the slices:
 * results depend on S but not on the number of cores.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkInteger } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { checkInputs, inputSpecs } from '../check-inputs.js'
import type { Program } from '../engine.js'
import { planSlices } from '../plan-slices.js'
import { isRecording } from '../record.js'
import { checkKernels, runCall } from '../run-call.js'
import { tensorOf, tfCore } from '../tf.js'
import type { Call, Trace } from '../trace.js'
import { attributeTypes } from './attributes.js'
import { type NativeBackend, nativeBackend } from './backend.js'
import type { TensorMetadata } from './binding.js'
import type { TensorFlow } from './c-api.js'
import { GraphBuilder, type NodeOutput } from './graph.js'
import { dataTypeOf, typeAttribute } from './kernels.js'

let functions = 0

export function nativeProgram(trace: Trace, backend: NativeBackend, tensorFlow: TensorFlow, slices: number): Program {
  checkInteger('load', 'slices', slices, 1)
  checkKernels(trace, nativeBackend, 'native')
  const specs = inputSpecs(trace, slices)
  const name = `shardbook_${functions++}`
  const results = compile(trace, backend, tensorFlow, slices, name)
  let disposed = false
  return {
    run(inputs) {
      if (disposed) throw new ShardbookError('state', 'run: expected a live program, got a disposed one.')
      if (isRecording())
        throw new ShardbookError('engine', 'run: expected no recording in progress, got a program in a step.')
      if (tfCore().getBackend() !== nativeBackend) {
        throw new ShardbookError(
          'engine',
          `run: expected the engine native to be current, got ${tfCore().getBackend()}.`,
          {
            hint: "Call openEngine('native') first.",
          },
        )
      }
      checkInputs(specs, inputs)
      if (results.length === 0) return []
      const handles = backend.binding.start(name, backend.getInputTensorIds(inputs), results.length)
      return results.map(({ shape, dtype }, i) =>
        backend.createOutputTensor({ id: backend.binding.add(handles[i]!), shape: [...shape], dtype }),
      )
    },
    dispose() {
      if (disposed) return
      disposed = true
      if (results.length === 0) return
      backend.binding.finish()
      tensorFlow.api.TFE_ContextRemoveFunction(tensorFlow.context, name, tensorFlow.status)
      tensorFlow.check('dispose')
    },
  }
}

/** Makes the function `name` of the trace; the shapes and dtypes of its results. */
function compile(
  trace: Trace,
  backend: NativeBackend,
  tensorFlow: TensorFlow,
  slices: number,
  name: string,
): readonly NodeOutput[] {
  if (trace.outputs.length === 0) return []
  const builder = new GraphBuilder(tensorFlow)
  const { binding } = backend
  try {
    return binding.building(builder, () => {
      let results: NodeOutput[] = []
      tfCore().tidy(() => {
        const placeholders = inputSpecs(trace, slices).map(({ shape, dtype }) =>
          builder.placeholder(shape, dataTypeOf[dtype]!),
        )
        const nodeOf = (value: Tensor): NodeOutput => binding.nodeAt(backend.getInputTensorIds([value])[0]!, 'load')
        const axis = nodeOf(tfCore().scalar(0, 'int32'))
        const tensor = (metadata: TensorMetadata): Tensor => backend.createOutputTensor(metadata)
        const shared = new Map<number, Tensor>()
        const own = Array.from({ length: slices }, () => new Map<number, Tensor>())
        for (const { value, data } of trace.constants) shared.set(value, tensorOf(data))
        for (const [i, { value, split }] of trace.inputs.entries()) {
          if (!split) shared.set(value, tensor(binding.addNode(placeholders[i]!)))
          else {
            const parts = splitRows(builder, axis, placeholders[i]!, slices)
            for (const [slice, part] of parts.entries()) own[slice]!.set(value, tensor(binding.addNode(part)))
          }
        }
        const plan = planSlices(trace)
        runCalls(trace, plan.shared, shared)
        for (const values of own) runCalls(trace, plan.sliced, values, shared)
        results = trace.outputs.map(({ value, merge }) => {
          const parts = own.map((values) => nodeOf(values.get(value) ?? shared.get(value)!))
          return mergeParts(builder, axis, parts, merge)
        })
        builder.addFunction(name, placeholders, results)
      })
      return results
    })
  } finally {
    builder.dispose()
  }
}

function runCalls(
  trace: Trace,
  calls: readonly Call[],
  values: Map<number, Tensor>,
  outer?: ReadonlyMap<number, Tensor>,
): void {
  for (const call of calls) {
    const outputs = runCall(trace, call, (value) => values.get(value) ?? outer!.get(value)!)
    for (const [i, value] of call.outputs.entries()) values.set(value, outputs[i]!)
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
