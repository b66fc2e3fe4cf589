/**
 * A trace run call by call through TensorFlow.js: the program of an engine without graphs. Slices run one after the
 * other; a tensor is disposed as soon as no later call needs it, so that peak memory is that of one slice.
 */
import { checkInteger } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { checkInputs, inputSpecs } from './check-inputs.js'
import type { Program } from './engine.js'
import { inputsOf } from './call-inputs.js'
import { onBackend } from './on-backend.js'
import { isRecording } from './record.js'
import { checkKernels, runCall } from './run-call.js'
import { tensorOf, tfCore } from './tf.js'
import type { Call, Trace } from './trace.js'
import { unrollSlices } from './unroll-slices.js'

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
  const whole = unrollSlices(trace, slices)
  const steps = schedule(whole)
  const constants = onBackend(backend, () =>
    whole.constants.map(({ value, data }) => [value, tf.keep(tensorOf(data))] as const),
  )
  let disposed = false

  return {
    run(inputs) {
      if (disposed) throw new ShardbookError('state', 'run: expected a live program, got a disposed one.')
      if (isRecording())
        throw new ShardbookError('engine', 'run: expected no recording in progress, got a program in a step.')
      checkInputs(specs, inputs)
      return onBackend(backend, () =>
        tf.tidy(() => {
          const values = new Map(constants)
          for (const [i, { value }] of whole.inputs.entries()) values.set(value, inputs[i]!)
          for (const { call, last } of steps) {
            const outputs = runCall(whole, call, (value) => values.get(value)!)
            for (const [i, value] of call.outputs.entries()) values.set(value, outputs[i]!)
            for (const value of last) values.get(value)!.dispose()
          }
          // The caller owns results: one may be an input, a constant, or be handed out twice.
          return whole.outputs.map(({ value }) => tf.clone(values.get(value)!))
        }),
      )
    },
    dispose() {
      if (disposed) return
      disposed = true
      for (const [, tensor] of constants) tensor.dispose()
    },
  }
}

/** Finds for each call the values made by calls that it is the last to read. */
function schedule({ calls, outputs }: Trace): Step[] {
  const made = new Set(calls.flatMap((call) => call.outputs))
  const seen = new Set(outputs.map(({ value }) => value))
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
