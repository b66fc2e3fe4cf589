/**
 * A trace run call by call through TensorFlow.js: the program of an engine without graphs. Slices run one after the
 * other; a tensor is disposed as soon as no later call needs it, so that peak memory is that of one slice.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkInteger } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { checkInputs, inputSpecs } from './check-inputs.js'
import type { Program } from './engine.js'
import { planSlices } from './plan-slices.js'
import { isRecording } from './record.js'
import { inputsOf } from './remove-dead-calls.js'
import { checkKernels, runCall } from './run-call.js'
import { tensorOf, tfCore } from './tf.js'
import type { Call, Trace } from './trace.js'

type Environment = Map<number, Tensor>

/** A call with the values that nothing reads after it. */
interface Step {
  readonly call: Call
  readonly last: readonly number[]
}

export function eagerProgram(trace: Trace, backend: string, engine: string, slices: number): Program {
  checkInteger('load', 'slices', slices, 1)
  checkKernels(trace, backend, engine)
  const tf = tfCore()
  const specs = inputSpecs(trace, slices)
  const plan = planSlices(trace)
  const results = new Set(trace.outputs.map((output) => output.value))
  const sliced = schedule(plan.sliced, results)
  const neededLater = new Set([...results, ...plan.sliced.flatMap(inputsOf)])
  const shared = schedule(plan.shared, neededLater)
  const constants = trace.constants.map(({ value, data }) => [value, tf.keep(tensorOf(data))] as const)
  let disposed = false

  const runSteps = (steps: readonly Step[], environment: Environment, outer?: Environment): void => {
    const tensorAt = (value: number): Tensor => environment.get(value) ?? outer!.get(value)!
    for (const { call, last } of steps) {
      const outputs = runCall(trace, call, tensorAt)
      for (const [i, value] of call.outputs.entries()) environment.set(value, outputs[i]!)
      for (const value of last) {
        environment.get(value)?.dispose()
        environment.delete(value)
      }
    }
  }

  return {
    run(inputs) {
      if (disposed) throw new ShardbookError('state', 'run: expected a live program, got a disposed one.')
      if (isRecording())
        throw new ShardbookError('engine', 'run: expected no recording in progress, got a program in a step.')
      if (tf.getBackend() !== backend) {
        throw new ShardbookError(
          'engine',
          `run: expected the engine ${engine} to be current, got ${tf.getBackend()}.`,
          {
            hint: `Call openEngine('${engine}') first.`,
          },
        )
      }
      checkInputs(specs, inputs)
      return tf.tidy(() => {
        const common: Environment = new Map(constants)
        for (const [i, { value, split }] of trace.inputs.entries()) if (!split) common.set(value, inputs[i]!)
        const given = new Set(common.keys())
        runSteps(shared, common)
        const parts: Tensor[][] = []
        for (let slice = 0; slice < slices; slice++) {
          const own: Environment = new Map()
          for (const [i, { value, split }] of trace.inputs.entries()) {
            if (split) own.set(value, rowsOf(inputs[i]!, slice, slices))
          }
          runSteps(sliced, own, common)
          // The caller owns results: what is not made by this slice alone is handed out as a clone.
          const ends = trace.outputs.map(({ value }) => tf.clone(own.get(value) ?? common.get(value)!))
          for (const tensor of own.values()) tensor.dispose()
          mergeResults(trace, parts, ends)
        }
        for (const [value, tensor] of common) if (!given.has(value)) tensor.dispose()
        return parts.map((part) => (part.length === 1 ? part[0]! : tf.concat(part, 0)))
      })
    },
    dispose() {
      if (disposed) return
      disposed = true
      for (const [, tensor] of constants) tensor.dispose()
    },
  }
}

/** Adds a slice's results to those of the slices before: sums are kept added up, rows as a list. */
export function mergeResults(trace: Trace, parts: Tensor[][], results: readonly Tensor[]): void {
  for (const [i, result] of results.entries()) {
    const part = (parts[i] ??= [])
    const before = part[0]
    if (before === undefined || trace.outputs[i]!.merge === 'concat') {
      part.push(result)
      continue
    }
    part[0] = tfCore().add(before, result)
    before.dispose()
    result.dispose()
  }
}

/** The rows of one slice; a tensor of its own. */
export function rowsOf(tensor: Tensor, slice: number, slices: number): Tensor {
  const rows = tensor.shape[0] / slices
  const zeros = tensor.shape.slice(1).map(() => 0)
  return tfCore().slice(tensor, [slice * rows, ...zeros], [rows, ...tensor.shape.slice(1)])
}

/** Finds for each call the values made by these calls that it is the last to read. */
function schedule(calls: readonly Call[], kept: ReadonlySet<number>): Step[] {
  const made = new Set(calls.flatMap((call) => call.outputs))
  const seen = new Set(kept)
  return calls
    .toReversed()
    .map((call) => {
      const touched = new Set([...inputsOf(call), ...call.outputs])
      const last = [...touched].filter((value) => made.has(value) && !seen.has(value))
      for (const value of last) seen.add(value)
      return { call, last }
    })
    .toReversed()
}
