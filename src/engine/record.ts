/**
 * The recorder: runs a step once and writes down its TensorFlow.js kernel calls as a trace.
 *
 * While recording, `runKernelFunc` of the TensorFlow.js engine is replaced on that one object; nothing is patched at other
 * times. Only outermost calls are recorded (a kernel may call kernels). A value is a (buffer, shape, dtype): kernels such as
 * `Identity` and `Reshape` hand on their input's buffer. Reads of values are refused, because their result would be
 * baked into the trace; so are variables that are not inputs.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import type { DType } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'
import { encodeAttributes } from './attributes.js'
import { checkTrace } from './check-trace.js'
import { describe } from './errors.js'
import { registerGradients } from './gradients.js'
import { removeDeadCalls } from './remove-dead-calls.js'
import { dataOf, tfCore } from './tf.js'
import type { Call, CallInput, Trace, TraceInput, TraceOutput, ValueSpec } from './trace.js'

export interface RecordedInput {
  readonly name: string
  readonly tensor: Tensor
  /** Whether each slice of a batch gets its own rows of it. */
  readonly split: boolean
}

export interface RecordedOutput {
  readonly name: string
  readonly tensor: Tensor
  /** How the outputs of several slices become one. */
  readonly merge: 'sum' | 'concat'
}

/** The private parts of the TensorFlow.js engine that a recording stands in for. */
interface Hooks {
  runKernelFunc(params: KernelParams): Tensor | Tensor[]
  readSync(dataId: object): unknown
  read(dataId: object): unknown
}

interface KernelParams {
  readonly kernelName?: string
  readonly inputs: Readonly<Record<string, Tensor | undefined>> | readonly Tensor[]
  readonly attrs?: object
}

let recording = false

/** Whether a step is being recorded now. */
export function isRecording(): boolean {
  return recording
}

/**
 * Runs `step` once on the current engine and returns what it did as a trace.
 *
 * Inputs keep their order; tensors that are not inputs become constants by value. Everything that the step made is
 * disposed, variables and kept tensors excepted.
 *
 * @throws ShardbookError `engine` when the step reads values, returns a promise, uses a variable that is not an input, or
 *   two inputs are the same tensor.
 *
 * @example
 * ```ts
 * const trace = record([{ name: 'x', tensor: x, split: true }], () => [
 *   { name: 'y', tensor: tf.relu(x), merge: 'concat' },
 * ])
 * ```
 */
export function record(inputs: readonly RecordedInput[], step: () => readonly RecordedOutput[]): Trace {
  if (recording)
    throw new ShardbookError('engine', 'record: expected no other recording in progress, got a nested one.')
  registerGradients()
  const recorder = new Recorder(inputs)
  const hooks = tfCore().engine() as unknown as Hooks
  const original: Hooks = {
    runKernelFunc: hooks.runKernelFunc.bind(hooks),
    readSync: hooks.readSync.bind(hooks),
    read: hooks.read.bind(hooks),
  }
  let depth = 0
  let refusal: ShardbookError | undefined
  const refuseRead = (): void => {
    if (depth > 0 || recorder.reading) return
    refusal ??= new ShardbookError('engine', 'record: expected a step that only computes, got one that reads values.', {
      hint: 'Leave data(), dataSync(), array() and print() out of the step; return the tensor as an output instead.',
    })
  }
  hooks.readSync = (dataId) => {
    refuseRead()
    if (refusal !== undefined) throw refusal
    return original.readSync(dataId)
  }
  hooks.read = (dataId) => {
    refuseRead() // told at the end: nobody may be waiting for this promise
    return original.read(dataId)
  }
  hooks.runKernelFunc = (params) => {
    const { kernelName } = params
    if (kernelName === undefined) return original.runKernelFunc(params)
    const used = depth === 0 && kernelName !== 'Identity' ? recorder.use(params) : undefined
    depth++
    try {
      const result = original.runKernelFunc(params)
      if (used !== undefined) recorder.add(kernelName, used, params.attrs ?? {}, [result].flat())
      if (kernelName === 'Identity') recorder.alias(params, result as Tensor)
      return result
    } finally {
      depth--
    }
  }
  recording = true
  let trace: Trace | undefined
  try {
    tfCore().tidy(() => {
      const outputs: unknown = step()
      if (!Array.isArray(outputs)) {
        throw new ShardbookError('engine', 'record: expected the step to return its outputs at once, as a list.', {
          hint: 'A step is a plain function: not async.',
        })
      }
      if (refusal !== undefined) throw refusal
      trace = recorder.finish(outputs as RecordedOutput[])
    })
    return trace!
  } finally {
    recording = false
    // The originals are methods of the prototype.
    for (const name of ['runKernelFunc', 'readSync', 'read'] as const) delete (hooks as Partial<Hooks>)[name]
  }
}

/** What identifies a tensor at one moment. */
type Reference = Pick<Tensor, 'id' | 'dataId' | 'shape' | 'dtype'>

const ambiguous = -1

class Recorder {
  /** A constant is being taken: the read is ours. */
  reading = false
  private readonly values: ValueSpec[] = []
  private readonly inputs: TraceInput[] = []
  private readonly constants: Trace['constants'][number][] = []
  private readonly calls: Call[] = []
  private readonly byTensor = new Map<number, { dataId: object; value: number }>()
  private readonly aliasOfTensor = new Map<number, { dataId: object; source: Reference }>()
  private readonly aliasOfBuffer = new Map<object, Reference>()
  private readonly byBuffer = new Map<object, Map<string, number>>()

  constructor(inputs: readonly RecordedInput[]) {
    for (const { name, tensor, split } of inputs) {
      if (this.byTensor.has(tensor.id)) {
        const other = this.inputs[[...this.byTensor.keys()].indexOf(tensor.id)]!.name
        throw new ShardbookError(
          'engine',
          `record: expected inputs of their own, got one tensor as both "${other}" and "${name}".`,
          { hint: 'Give a clone() as the second.' },
        )
      }
      const value = this.newValue(tensor)
      const shapes = this.buffer(tensor)
      shapes.set(describe(tensor), shapes.has(describe(tensor)) ? ambiguous : value)
      this.byTensor.set(tensor.id, { dataId: tensor.dataId, value })
      this.inputs.push({ name, value, split })
    }
  }

  /** The values that a kernel is about to use: it may give its input's buffer away, so before it runs. */
  use({ inputs }: KernelParams): Record<string, CallInput> {
    if (Array.isArray(inputs)) return { inputs: (inputs as Tensor[]).map((tensor) => this.valueOf(tensor)) }
    const result: Record<string, CallInput> = {}
    for (const [name, tensor] of Object.entries(inputs as Record<string, Tensor | Tensor[] | null | undefined>)) {
      if (Array.isArray(tensor)) result[name] = tensor.map((item) => this.valueOf(item))
      else result[name] = tensor == null ? null : this.valueOf(tensor)
    }
    return result
  }

  add(kernel: string, inputs: Record<string, CallInput>, attrs: object, results: readonly Tensor[]): void {
    // A result that is a known value (a reshape to the same shape) needs no call.
    if (results.every((tensor) => this.find(tensor) !== undefined)) return
    const outputs = results.map((tensor) => {
      const value = this.newValue(tensor)
      this.define(tensor, value)
      return value
    })
    this.calls.push({ kernel, inputs, attrs: encodeAttributes(kernel, attrs), outputs })
  }

  /**
   * An `Identity` is no call: its result is its input, in a buffer of its own on some engines. Kernels run it to save
   * what their gradients need, their own result among it, which `add` has not seen then: so the source is looked up later.
   */
  alias({ inputs }: KernelParams, result: Tensor): void {
    const { id, dataId, shape, dtype } = (inputs as Record<string, Tensor>)['x']!
    const source: Reference = { id, dataId, shape: [...shape], dtype }
    this.aliasOfTensor.set(result.id, { dataId: result.dataId, source })
    if (result.dataId !== dataId) this.aliasOfBuffer.set(result.dataId, source)
  }

  finish(results: readonly RecordedOutput[]): Trace {
    const outputs: TraceOutput[] = results.map(({ name, tensor, merge }) => ({
      name,
      value: this.valueOf(tensor),
      merge,
    }))
    const { values, inputs, constants, calls } = this
    return checkTrace(removeDeadCalls({ version: 1, values, inputs, constants, calls, outputs }))
  }

  private find(tensor: Reference): number | undefined {
    // A variable keeps its id when it is assigned, so an id counts only with its buffer.
    const known = this.byTensor.get(tensor.id)
    if (known?.dataId === tensor.dataId) return known.value
    const alias = this.aliasOfTensor.get(tensor.id)
    if (alias?.dataId === tensor.dataId) return this.find(alias.source)
    const value = this.byBuffer.get(tensor.dataId)?.get(describe(tensor))
    if (value === ambiguous) {
      throw new ShardbookError(
        'engine',
        `record: expected to know which input ${describe(tensor)} is, got two that share it.`,
        { hint: 'Make one of the inputs with its own values (tf.tensor), not as a clone or an assigned variable.' },
      )
    }
    if (value !== undefined) return value
    const source = this.aliasOfBuffer.get(tensor.dataId)
    return source !== undefined && describe(source) === describe(tensor) ? this.find(source) : undefined
  }

  private valueOf(tensor: Tensor): number {
    return this.find(tensor) ?? this.constant(tensor)
  }

  private constant(tensor: Tensor): number {
    if (tensor instanceof tfCore().Variable) {
      throw new ShardbookError(
        'engine',
        `record: expected every variable that the step uses to be an input, got "${tensor.name}" besides them.`,
        { hint: 'A variable that is not an input would be frozen at its present value.' },
      )
    }
    this.reading = true
    try {
      const value = this.newValue(tensor)
      this.constants.push({ value, data: dataOf(tensor) })
      this.define(tensor, value)
      return value
    } finally {
      this.reading = false
    }
  }

  private newValue({ shape, dtype }: Tensor): number {
    return this.values.push({ shape: [...shape], dtype: dtype as DType }) - 1
  }

  private define(tensor: Tensor, value: number): void {
    this.byTensor.set(tensor.id, { dataId: tensor.dataId, value })
    this.buffer(tensor).set(describe(tensor), value)
  }

  private buffer({ dataId }: Tensor): Map<string, number> {
    let shapes = this.byBuffer.get(dataId)
    if (shapes === undefined) this.byBuffer.set(dataId, (shapes = new Map()))
    return shapes
  }
}
