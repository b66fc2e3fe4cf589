/**
 * What a recording has written down so far: values, constants and calls.
 *
 * A value is a (buffer, shape, dtype): kernels such as `Identity` and `Reshape` hand on their input's buffer.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import type { DType } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'
import { encodeAttributes } from './attributes.js'
import { checkTrace } from './check-trace.js'
import { describe } from './errors.js'
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

/** What TensorFlow.js is asked to run a kernel with. */
export interface KernelParams {
  readonly kernelName?: string
  readonly inputs: Readonly<Record<string, Tensor | undefined>> | readonly Tensor[]
  readonly attrs?: object
}

/** What identifies a tensor at one moment. */
type Reference = Pick<Tensor, 'id' | 'dataId' | 'shape' | 'dtype'>

const ambiguous = -1

export class Recorder {
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

  /** The recording that this one is a part of: of the body of a loop. */
  private readonly outer: Recorder | undefined

  constructor(inputs: readonly RecordedInput[], outer?: Recorder) {
    this.outer = outer
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
    const { body, ...plain } = attrs as { readonly body?: Trace }
    const call = { kernel, inputs, attrs: encodeAttributes(kernel, plain), outputs }
    this.calls.push(body === undefined ? call : { ...call, body })
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
    if (this.outer?.find(tensor) !== undefined) {
      throw new ShardbookError(
        'engine',
        `scan: expected a body that computes from its arguments, got one that uses ${describe(tensor)} from around it.`,
        { hint: 'Pass it as one of `shared`.' },
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
