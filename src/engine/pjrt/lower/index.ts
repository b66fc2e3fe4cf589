/**
 * A trace as StableHLO: its calls one after the other, each through the lowering of its kernel.
 *
 * With slices, each call is lowered once a slice (a trace has the rows of one slice); slices of a batch are for processors, so
 * accelerators run with one. With replicas, outputs that merge by sum are added over the devices, and `AllReduce` adds what it is
 * given over slices and devices.
 */
import { ShardbookError } from '../../../core/errors.js'
import { decodeAttributes } from '../../attributes.js'
import { describe } from '../../errors.js'
import { planSlices } from '../../plan-slices.js'
import { inputsOf } from '../../remove-dead-calls.js'
import type { Call, CallInput, Trace } from '../../trace.js'
import { type Builder, type Element, type Value, elementOf, sameShape } from './builder.js'
import { convolutions } from './convolution.js'
import { elementwise } from './elementwise.js'
import { einsum, images, indexing } from './indexing.js'
import { linear } from './linear.js'
import type { Given, Lowering, Lowerings } from './lowering.js'
import { pooling } from './pooling.js'
import { type Precision, castInputs } from './precision.js'
import { reductions } from './reductions.js'
import { shapes } from './shapes.js'
import { allReduce, scanLowering, training } from './training.js'

export interface LowerOptions {
  readonly slices?: number
  /** Devices that run the program together. */
  readonly replicas?: number
  readonly precision?: Precision
}

const table: Lowerings = {
  ...elementwise,
  ...reductions,
  ...shapes,
  ...linear,
  ...convolutions,
  ...pooling,
  ...indexing,
  ...images,
  ...einsum,
  ...training,
}

/** Kernels that the engine computes on the device. */
export const loweredKernels: readonly string[] = [...Object.keys(table), 'Scan', 'AllReduce'].toSorted()

/** Lowers one call. The values may be of a lower precision than the trace's. */
export function lowerCall(b: Builder, given: Given, options: LowerOptions = {}): readonly Value[] {
  const lowering = lookUp(given.kernel, options)
  const results = lowering(b, castInputs(b, given, options.precision ?? 'float32'))
  return (Array.isArray(results) ? results : [results]) as readonly Value[]
}

function lookUp(kernel: string, options: LowerOptions): Lowering {
  if (kernel === 'Scan') {
    const precision = options.precision ?? 'float32'
    return scanLowering((b, { body }, inputs) => lowerTrace(b, body!, inputs, { precision }))
  }
  if (kernel === 'AllReduce') {
    return (b, { inputs }) => allReduce(b, Object.values(inputs)[0] as Value, options.replicas ?? 1)
  }
  const lowering = table[kernel]
  if (lowering !== undefined) return lowering
  throw new ShardbookError('engine', `lower: expected a kernel that pjrt has, got ${kernel}.`)
}

/** Raises unless every call of a trace has a lowering. */
export function checkLowerings(trace: Trace): void {
  for (const call of trace.calls) {
    if (call.body !== undefined) checkLowerings(call.body)
    if (loweredKernels.includes(call.kernel)) continue
    const inputs = inputsOf(call).map((value) => describe(trace.values[value]!))
    const outputs = call.outputs.map((value) => describe(trace.values[value]!))
    throw new ShardbookError(
      'engine',
      `load: expected kernels that the engine pjrt has, got ${call.kernel}(${inputs.join(', ')}) -> ${outputs.join(', ')}.`,
      { hint: `Compute it outside of the compiled step, compose it from other operations, or use the engine native.` },
    )
  }
}

type Values = Map<number, Value>

/** Lowers a trace whose inputs are these values; its outputs, of the trace's element types. */
export function lowerTrace(b: Builder, trace: Trace, inputs: readonly Value[], options: LowerOptions = {}): Value[] {
  const { slices = 1, replicas = 1 } = options
  const common: Values = new Map()
  const own = Array.from({ length: slices }, (): Values => new Map())
  for (const { value, data } of trace.constants) common.set(value, b.dense(data))
  for (const [i, { value, split }] of trace.inputs.entries()) {
    const given = inputs[i]!
    if (!split || slices === 1) common.set(value, given)
    else for (const [slice, values] of own.entries()) values.set(value, rowsOf(b, given, slice, slices))
  }
  const at = (values: Values, value: number): Value => values.get(value) ?? common.get(value)!
  const run = (call: Call, values: Values): void => {
    const results = lowerCall(
      b,
      givenOf(call, (value) => at(values, value)),
      options,
    )
    for (const [i, value] of call.outputs.entries()) values.set(value, checked(trace, call, value, results[i]))
  }
  const sliced = new Set(slices === 1 ? [] : planSlices(trace).sliced)
  for (const call of trace.calls) {
    if (!sliced.has(call)) run(call, common)
    else if (call.kernel === 'AllReduce') {
      const [source] = inputsOf(call)
      const sum = own.map((values) => at(values, source!)).reduce((left, right) => b.binary('add', left, right))
      const [whole] = lowerCall(b, { kernel: 'AllReduce', inputs: { x: sum }, attrs: {} }, options)
      for (const values of own) values.set(call.outputs[0]!, whole!)
    } else for (const values of own) run(call, values)
  }
  return trace.outputs.map(({ value, merge }) => {
    const { dtype } = trace.values[value]!
    const parts = own.map((values) => b.convert(at(values, value), elementOf[dtype]))
    if (merge === 'concat' || dtype === 'bool') return b.concatenate(parts, 0)
    const sum = parts.reduce((left, right) => b.binary('add', left, right))
    return allReduce(b, sum, replicas)
  })
}

/** A call's inputs as values. */
export function givenOf(call: Call, valueOf: (value: number) => Value): Given {
  const one = (input: CallInput): Value | readonly Value[] | undefined => {
    if (input === null) return undefined
    return typeof input === 'number' ? valueOf(input) : input.map(valueOf)
  }
  return {
    kernel: call.kernel,
    inputs: Object.fromEntries(Object.entries(call.inputs).map(([name, input]) => [name, one(input)])),
    attrs: decodeAttributes(call.attrs),
    ...(call.body !== undefined && { body: call.body }),
  }
}

/** What a lowering gave must be what was recorded. */
function checked(trace: Trace, call: Call, value: number, result: Value | undefined): Value {
  const spec = trace.values[value]!
  const element: Element | undefined = result?.element === 'bf16' ? 'f32' : result?.element
  if (result !== undefined && element === elementOf[spec.dtype] && sameShape(result.shape, spec.shape)) return result
  const got = result === undefined ? 'nothing' : `${result.element}[${result.shape.join(', ')}]`
  throw new ShardbookError('engine', `lower: expected ${call.kernel} to give ${describe(spec)}, got ${got}.`)
}

function rowsOf(b: Builder, x: Value, slice: number, slices: number): Value {
  const rows = x.shape[0]! / slices
  const begin = x.shape.map((_, axis) => (axis === 0 ? slice * rows : 0))
  const end = x.shape.map((size, axis) => (axis === 0 ? (slice + 1) * rows : size))
  return b.slice(x, begin, end)
}
