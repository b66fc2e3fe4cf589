/**
 * A step that cannot be recorded, as the program that runs it: JavaScript, once a slice, in this process only. Its trace has the
 * signature of a recorded one and no calls; no check of traces lets it through to another process.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../core/errors.js'
import { runApart } from './all-reduce.js'
import { checkInputs, inputSpecs } from './check-inputs.js'
import type { Program } from './engine.js'
import type { RecordedInput, RecordedOutput } from './recorder.js'
import { tfCore } from './tf.js'
import type { Trace, ValueSpec } from './trace.js'

export type EagerStep = (inputs: readonly Tensor[]) => readonly RecordedOutput[]

const steps = new WeakMap<Trace, { readonly step: EagerStep; readonly refusal: ShardbookError }>()

/** Runs a step, whose recording was refused, once on its inputs and gives the trace that stands for it. */
export function standFor(inputs: readonly RecordedInput[], step: EagerStep, refusal: ShardbookError): Trace {
  const spec = ({ shape, dtype }: Tensor): ValueSpec => ({ shape: [...shape], dtype: dtype as ValueSpec['dtype'] })
  const values = inputs.map(({ tensor }) => spec(tensor))
  const outputs: { name: string; merge: 'sum' | 'concat'; value: number }[] = []
  tfCore().tidy(() => {
    for (const { name, tensor, merge } of step(inputs.map((input) => input.tensor))) {
      outputs.push({ name, merge, value: values.push(spec(tensor)) - 1 })
    }
  })
  const trace: Trace = {
    version: 1,
    values,
    inputs: inputs.map(({ name, split }, value) => ({ name, split, value })),
    constants: [],
    calls: [],
    outputs,
  }
  steps.set(trace, { step, refusal })
  return trace
}

/** Why a trace stands for a step in JavaScript, if it does. */
export function whyEager(trace: Trace): ShardbookError | undefined {
  return steps.get(trace)?.refusal
}

/** The program of a trace that stands for a step in JavaScript; none for a recorded one. */
export function stepProgram(trace: Trace, slices: number): Program | undefined {
  const standing = steps.get(trace)
  if (standing === undefined) return undefined
  const { step } = standing
  const tf = tfCore()
  const specs = inputSpecs(trace, slices)
  let disposed = false
  return {
    run(inputs) {
      if (disposed) throw new ShardbookError('state', 'run: expected a live program, got a disposed one.')
      checkInputs(specs, inputs)
      return tf.tidy(() => {
        const parts: Tensor[][] = []
        for (let slice = 0; slice < slices; slice++) {
          const ends = tf.tidy(() => {
            const own = trace.inputs.map(({ split }, i) => (split ? rowsOf(inputs[i]!, slice, slices) : inputs[i]!))
            return runApart(slices, () => step(own)).map(({ tensor }) => tf.clone(tensor))
          })
          mergeResults(trace, parts, ends)
        }
        return parts.map((part) => (part.length === 1 ? part[0]! : tf.concat(part, 0)))
      })
    },
    dispose() {
      disposed = true
    },
  }
}

/** Adds a slice's results to those of the slices before: sums are kept added up, rows as a list. */
function mergeResults(trace: Trace, parts: Tensor[][], results: readonly Tensor[]): void {
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
function rowsOf(tensor: Tensor, slice: number, slices: number): Tensor {
  const rows = tensor.shape[0] / slices
  const zeros = tensor.shape.slice(1).map(() => 0)
  return tfCore().slice(tensor, [slice * rows, ...zeros], [rows, ...tensor.shape.slice(1)])
}
