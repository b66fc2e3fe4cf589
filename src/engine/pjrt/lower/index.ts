/**
 * A trace as StableHLO: its calls one after the other, each through the lowering of its kernel.
 *
 * With slices (which are for processors: accelerators run with one) the trace is unrolled first. With replicas, outputs that merge
 * by sum are added over the devices, and so is what `AllReduce` is given.
 */
import { ShardbookError } from '../../../core/errors.js'
import { allReduceKernel } from '../../all-reduce.js'
import { decodeAttributes } from '../../attributes.js'
import { describe } from '../../errors.js'
import { inputsOf } from '../../call-inputs.js'
import { unrollSlices } from '../../unroll-slices.js'
import type { Call, CallInput, Trace } from '../../trace.js'
import { type Builder, type Element, type Value, elementOf, sameShape } from './builder.js'
import { convolutions } from './convolution.js'
import { elementwise } from './elementwise.js'
import { einsum, images, indexing } from './indexing.js'
import { linear } from './linear.js'
import { type Given, type Lowering, type Lowerings, listed } from './lowering.js'
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
export const loweredKernels: readonly string[] = [...Object.keys(table), 'Scan', allReduceKernel].toSorted()

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
  if (kernel === allReduceKernel) {
    return (b, given) => listed(given).map((value) => allReduce(b, value, options.replicas ?? 1))
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

/** Lowers a trace whose inputs are these values; its outputs, of the trace's element types. */
export function lowerTrace(b: Builder, trace: Trace, inputs: readonly Value[], options: LowerOptions = {}): Value[] {
  const { slices = 1, replicas = 1 } = options
  const whole = unrollSlices(trace, slices, { spread: replicas > 1 })
  const values = new Map<number, Value>(whole.inputs.map(({ value }, i) => [value, inputs[i]!]))
  for (const { value, data } of whole.constants) values.set(value, b.dense(data))
  for (const call of whole.calls) {
    const results = lowerCall(
      b,
      givenOf(call, (value) => values.get(value)!),
      options,
    )
    for (const [i, value] of call.outputs.entries()) values.set(value, checked(whole, call, value, results[i]))
  }
  return whole.outputs.map(({ value, merge }) => {
    const result = b.convert(values.get(value)!, elementOf[whole.values[value]!.dtype])
    return merge === 'sum' && result.element === 'f32' ? allReduce(b, result, replicas) : result
  })
}

/** A call's inputs as values. */
function givenOf(call: Call, valueOf: (value: number) => Value): Given {
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
