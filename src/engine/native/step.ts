/**
 * A training step whose state lives in TensorFlow variables: gradients and their application are one function, which updates
 * weights and slots in place.
 *
 * A variable is read once a step, before it is written. What is written hangs on one side of a `Switch`, which is dead where the
 * loss, or one before it, is not finite. `Adam` whose results are all state becomes `ResourceApplyAdam`; everything else that the
 * update puts out is assigned. Functions are started, in order, and not waited for; the state is touched from outside only when
 * none is under way.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { adamKernel, type AdamAttributes } from '../adam.js'
import { checkInputs, inputSpecs } from '../check-inputs.js'
import { inputsOf } from '../call-inputs.js'
import { onBackend } from '../on-backend.js'
import { checkKernels } from '../run-call.js'
import { flatLayout, type Step, type StepTraces, stateSpecs } from '../step.js'
import { tensorOf, tfCore } from '../tf.js'
import type { Call, Trace } from '../trace.js'
import { attributeTypes } from './attributes.js'
import { type NativeBackend, nativeBackend } from './backend.js'
import { type TensorFlow, dataTypes } from './c-api.js'
import type { NodeOutput } from './graph.js'
import { dataTypeOf, typeAttribute } from './kernels.js'
import type { Lowering } from './lower.js'
import { type FunctionBody, NativeFunction } from './program.js'
import { unrollSlices } from '../unroll-slices.js'
import { removeRepeats } from './remove-repeats.js'

let variables = 0

type InputSpecs = ReturnType<typeof inputSpecs>

/** What a step has functions for. */
type Part = 'gradients' | 'update' | 'flatGradients' | 'flatUpdate' | 'both'

export class NativeStep implements Step {
  readonly #backend: NativeBackend
  readonly #tensorFlow: TensorFlow
  readonly #traces: StepTraces
  readonly #slices: number
  readonly #specs: ReturnType<typeof stateSpecs>
  /** Ids of the variables on the binding. */
  readonly #variables: readonly number[]
  /** Id of the variable that says whether all losses since the state was set were finite. */
  readonly #sound: number
  readonly #functions = new Map<Part, { readonly specs: InputSpecs; readonly compiled: NativeFunction }>()
  #disposed = false

  constructor(traces: StepTraces, slices: number, backend: NativeBackend, tensorFlow: TensorFlow) {
    for (const trace of [traces.gradients, traces.update]) checkKernels(trace, nativeBackend, 'native')
    this.#traces = { ...traces, gradients: removeRepeats(traces.gradients), update: removeRepeats(traces.update) }
    this.#slices = slices
    this.#backend = backend
    this.#tensorFlow = tensorFlow
    this.#specs = stateSpecs(traces)
    const variable = (dtype: string, shape: readonly number[]): number => {
      const attributes = [
        { name: 'shared_name', type: attributeTypes.TF_ATTR_STRING, value: `shardbook_variable_${variables++}` },
        typeAttribute('dtype', dtype),
        { name: 'shape', type: attributeTypes.TF_ATTR_SHAPE, value: shape },
      ]
      return backend.binding.add(backend.binding.execute('VarHandleOp', attributes, [], 1)[0]!)
    }
    this.#variables = this.#specs.map(({ dtype, shape }) => variable(dtype, shape))
    this.#sound = variable('bool', [])
  }

  gradients(inputs: readonly Tensor[]): Tensor[] {
    return this.#run('gradients', inputs)
  }

  update(inputs: readonly Tensor[]): void {
    this.#run('update', inputs)
  }

  async flatGradients(inputs: readonly Tensor[], into: Float32Array): Promise<void> {
    const [flat] = this.#run('flatGradients', inputs)
    try {
      await this.#backend.binding.readInto(this.#backend.getInputTensorIds([flat!])[0]!, into)
    } finally {
      flat!.dispose()
    }
  }

  flatUpdate(flat: Float32Array, inputs: readonly Tensor[]): void {
    const { before, length } = flatLayout(this.#traces)
    // The engine copies the values as the function starts.
    const gradients = tfCore().tensor1d(flat.subarray(before, length), 'float32')
    this.#run('flatUpdate', [gradients, ...inputs])
    gradients.dispose()
  }

  run(inputs: readonly Tensor[]): Tensor[] {
    return this.#run('both', inputs)
  }

  state(): Tensor[] {
    return onBackend(nativeBackend, () => this.#read())
  }

  #read(): Tensor[] {
    const { binding } = this.#backend
    binding.finish()
    return this.#specs.map(({ shape, dtype }, i) => {
      const attributes = [typeAttribute('dtype', dtype)]
      const [handle] = binding.execute('ReadVariableOp', attributes, [this.#variables[i]!], 1)
      return this.#backend.createOutputTensor({
        id: binding.add(handle!),
        shape: [...shape],
        dtype: dataTypeOf[dtype]!,
      })
    })
  }

  restore(state: readonly Tensor[]): void {
    checkInputs(this.#specs, state)
    this.#backend.binding.finish()
    const ids = this.#backend.getInputTensorIds(state)
    const assign = (variable: number, dtype: string, id: number): void => {
      this.#backend.binding.execute('AssignVariableOp', [typeAttribute('dtype', dtype)], [variable, id], 0)
    }
    for (const [i, { dtype }] of this.#specs.entries()) assign(this.#variables[i]!, dtype, ids[i]!)
    const sound = tfCore().scalar(true, 'bool')
    assign(this.#sound, 'bool', this.#backend.getInputTensorIds([sound])[0]!)
    sound.dispose()
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const { compiled } of this.#functions.values()) compiled.dispose()
    for (const id of [...this.#variables, this.#sound]) {
      this.#backend.binding.execute('DestroyResourceOp', [], [id], 0)
      this.#backend.binding.deleteTensor(id)
    }
  }

  #run(what: Part, inputs: readonly Tensor[]): Tensor[] {
    if (this.#disposed) throw new ShardbookError('state', 'run: expected a live step, got a disposed one.')
    const { specs, compiled } = this.#functions.get(what) ?? this.#make(what)
    compiled.checkRunnable()
    checkInputs(specs, inputs)
    return onBackend(nativeBackend, () =>
      compiled.run([...this.#variables, this.#sound, ...this.#backend.getInputTensorIds(inputs)]),
    )
  }

  #make(what: Part) {
    const specs = this.#inputSpecs(what)
    const build = (lowering: Lowering): FunctionBody => this.#build(lowering, what, specs)
    const made = { specs, compiled: new NativeFunction(this.#backend, this.#tensorFlow, build) }
    this.#functions.set(what, made)
    return made
  }

  /** What is given besides the state. */
  #inputSpecs(what: Part): InputSpecs {
    const { gradients, update, reads, results } = this.#traces
    const own = inputSpecs(gradients, this.#slices).slice(reads)
    const given = inputSpecs(update, 1).slice(this.#specs.length)
    const behind = given.slice(gradients.outputs.length - results)
    switch (what) {
      case 'gradients':
      case 'flatGradients':
        return own
      case 'update':
        return given
      case 'flatUpdate': {
        const { before, length } = flatLayout(this.#traces)
        return [{ name: 'gradients', shape: [length - before], dtype: 'float32' as const }, ...behind]
      }
      case 'both':
        return [...own, ...behind]
      default:
        return what satisfies never
    }
  }

  #build(lowering: Lowering, what: Part, specs: InputSpecs): FunctionBody {
    const { builder } = lowering
    const { gradients, update, reads, results } = this.#traces
    const handles = this.#specs.map(() => builder.placeholder([], dataTypes.TF_RESOURCE))
    const given = specs.map(({ shape, dtype }) => builder.placeholder(shape, dataTypeOf[dtype]!))
    const sound = builder.placeholder([], dataTypes.TF_RESOURCE)
    const inputs = [...handles, sound, ...given]
    const state = this.#specs.map(({ shape, dtype }, i) => builder.readVariable(handles[i]!, shape, dataTypeOf[dtype]!))
    const own = gradients.inputs.length - reads
    const applied = (values: readonly NodeOutput[]): FunctionBody => {
      return { inputs, outputs: [], controls: apply(lowering, update, handles, state, values, []) }
    }
    if (what === 'update') return applied(given)
    if (what === 'flatUpdate') {
      const { shapes } = flatLayout(this.#traces)
      return applied([...cut(lowering, given[0]!, shapes), ...given.slice(1)])
    }
    const slices = unrollSlices(gradients, this.#slices)
    const outputs = lowering.trace(slices, [...state.slice(0, reads), ...given.slice(0, own)])
    if (what === 'gradients') return { inputs, outputs, controls: [] }
    if (what === 'flatGradients') return { inputs, outputs: [joined(lowering, outputs)], controls: [] }
    const float = [typeAttribute('T', 'float32')]
    const isFinite = builder.node('IsFinite', float, [outputs[0]!])[0]!
    const before = builder.readVariable(sound, [], dataTypes.TF_BOOL)
    const goesOn = builder.node('LogicalAnd', [], [isFinite, before])[0]!
    const kept = builder.operation('AssignVariableOp', [typeAttribute('dtype', 'bool')], [sound, goesOn])
    const [, whereSound] = builder.node('Switch', float, [outputs[0]!, goesOn])
    const gate = builder.operation('Identity', float, [whereSound!])
    const rest = [...outputs.slice(results), ...given.slice(own)]
    const controls = apply(lowering, update, handles, state, rest, [gate])
    return { inputs, outputs: outputs.slice(0, results), controls: [...controls, kept] }
  }
}

/** The values of all nodes, one behind the other. */
function joined(lowering: Lowering, nodes: readonly NodeOutput[]): NodeOutput {
  const tf = tfCore()
  return lowering.nodeOf(tf.concat1d(nodes.map((node) => lowering.tensorOf(node).flatten())))
}

/** Tensors of `shapes` that lie one behind the other. */
function cut(lowering: Lowering, node: NodeOutput, shapes: readonly (readonly number[])[]): NodeOutput[] {
  const tf = tfCore()
  const parts = tf.split(lowering.tensorOf(node), shapes.map(sizeOf))
  return parts.map((part, i) => lowering.nodeOf(tf.reshape(part, [...shapes[i]!])))
}

/** Adds the update of the variables, behind the nodes `after`; the nodes that write. */
function apply(
  lowering: Lowering,
  update: Trace,
  handles: readonly NodeOutput[],
  state: readonly NodeOutput[],
  given: readonly NodeOutput[],
  after: readonly number[],
): number[] {
  const { builder } = lowering
  const values = new Map<number, Tensor>()
  for (const { value, data } of update.constants) values.set(value, tensorOf(data))
  for (const [i, { value }] of update.inputs.entries()) {
    values.set(value, lowering.tensorOf([...state, ...given][i]!))
  }
  const readers = new Map<number, number>()
  for (const value of update.calls.flatMap(inputsOf)) readers.set(value, (readers.get(value) ?? 0) + 1)
  /** The variable that a value is to be stored in, if nothing else needs the value. */
  const targetOf = (value: number): number | undefined => {
    const targets = update.outputs.flatMap((output, i) => (output.value === value ? [i] : []))
    return targets.length === 1 && !readers.has(value) ? targets[0] : undefined
  }
  const written: number[] = []
  const assign = (i: number, value: NodeOutput): number => {
    const attributes = [{ name: 'dtype', type: attributeTypes.TF_ATTR_TYPE, value: value.dtype }]
    return builder.operation('AssignVariableOp', attributes, [handles[i]!, value], [...after, state[i]!.output.pointer])
  }
  const stored = new Set<number>()
  const adam = (call: Call, targets: readonly number[]): void => {
    const at = (name: string): NodeOutput => lowering.nodeOf(values.get(call.inputs[name] as number)!)
    // What the kernel starts from is the variable's own value, or is put there first (a decayed weight).
    const started = ['weight', 'first', 'second'].flatMap((name, k) => {
      const i = targets[k]!
      return call.inputs[name] === update.inputs[i]!.value ? [] : [assign(i, at(name))]
    })
    const { beta1, beta2, epsilon } = call.attrs as unknown as AdamAttributes
    const tf = tfCore()
    const step = values.get(call.inputs['step'] as number)!
    const number = (value: number | Tensor): NodeOutput =>
      lowering.nodeOf(typeof value === 'number' ? tf.scalar(value) : value)
    const attributes = [
      typeAttribute('T', 'float32'),
      { name: 'use_locking', type: attributeTypes.TF_ATTR_BOOL, value: false },
    ]
    const numbers = [
      number(tf.pow(beta1, step)),
      number(tf.pow(beta2, step)),
      at('rate'),
      ...[beta1, beta2, epsilon].map(number),
    ]
    const variablesOf = targets.map((i) => handles[i]!)
    const reads = targets.map((i) => state[i]!.output.pointer)
    const node = builder.operation(
      'ResourceApplyAdam',
      attributes,
      [...variablesOf, ...numbers, at('gradient')],
      [...after, ...reads, ...started],
    )
    written.push(node, ...started)
    for (const i of targets) stored.add(i)
  }
  for (const call of update.calls) {
    const targets = call.kernel === adamKernel ? call.outputs.map(targetOf) : []
    if (targets.length > 0 && targets.every((i) => i !== undefined)) adam(call, targets)
    else lowering.calls(update, [call], values)
  }
  for (const [i, { value }] of update.outputs.entries()) {
    if (!stored.has(i)) written.push(assign(i, lowering.nodeOf(values.get(value)!)))
  }
  return written
}
