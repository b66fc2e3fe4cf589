/**
 * `compile(step)`: a function of tensors that runs as one program after its first calls.
 *
 * The first call runs eagerly (optimisers make their variables then). From then on each new combination of shapes and
 * dtypes is recorded once, while it runs, and its program serves the calls that follow. Variables that the step reads are
 * inputs of the program; those that it assigns are outputs, assigned after each run.
 */
import type { Tensor, Variable } from '@tensorflow/tfjs-core'
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import type { Program } from './engine.js'
import { describe } from './errors.js'
import { currentEngine } from './open.js'
import { type RecordedOutput, isRecording, record } from './record.js'
import { inputsOf, removeDeadCalls } from './remove-dead-calls.js'
import { tfCore } from './tf.js'
import type { Trace } from './trace.js'

/** Programs kept by one compiled function; the least recently used goes first. */
const maxPrograms = 16

export interface Compiled<Inputs extends readonly Tensor[], Output extends Tensor | Tensor[]> {
  (...inputs: Inputs): Output
  /** Frees the programs; the function can still be called and compiles anew. */
  dispose(): void
}

interface Entry {
  readonly program: Program
  readonly read: readonly Variable[]
  readonly assigned: readonly Variable[]
  readonly single: boolean
}

/**
 * Compiles a step: a plain function of tensors that returns a tensor or a list of them.
 *
 * JavaScript values that the step computes with (rates, counters, random numbers) are frozen at their value when it was
 * recorded: pass what changes as tensors. The caller owns the results.
 *
 * @throws ShardbookError `state` when no engine is open, `engine` when the step reads values or is async.
 *
 * @example
 * ```ts
 * const norm = compile((x: Tensor) => tf.sqrt(tf.sum(tf.square(x))))
 * const y = norm(tf.tensor1d([3, 4]))
 * ```
 */
export function compile<Inputs extends readonly Tensor[], Output extends Tensor | Tensor[]>(
  step: (...inputs: Inputs) => Output,
): Compiled<Inputs, Output> {
  if (typeof step !== 'function')
    throw new ShardbookError('argument', `compile: expected a function, got ${show(step)}.`)
  const entries = new Map<string, Entry>()
  let warm = false

  const forget = (key: string): void => {
    entries.get(key)!.program.dispose()
    entries.delete(key)
  }

  const call = (...inputs: Inputs): Output => {
    const tf = tfCore()
    const engine = currentEngine()
    if (engine === undefined) {
      throw new ShardbookError('state', 'compile: expected an open engine, got none.', {
        hint: 'Call openEngine() first.',
      })
    }
    for (const input of inputs) {
      if (!(input instanceof tf.Tensor)) {
        throw new ShardbookError('argument', `compile: expected tensors as inputs, got ${show(input)}.`)
      }
    }
    // Inside another recording or a gradient the step is part of that.
    if (!warm || isRecording() || tf.engine().state.gradientDepth > 0) {
      warm ||= !isRecording()
      return step(...inputs)
    }
    const key = `${engine.name} ${inputs.map(describe).join(' ')}`
    const entry = entries.get(key)
    if (entry !== undefined) {
      entries.delete(key)
      entries.set(key, entry) // used last
      return run(entry, inputs) as Output
    }
    const { trace, results, ...recorded } = recordCall(step, inputs)
    if (trace !== undefined) {
      entries.set(key, { program: engine.load(trace), ...recorded })
      if (entries.size > maxPrograms) forget(entries.keys().next().value!)
    }
    return (recorded.single ? results[0] : results) as Output
  }
  return Object.assign(call, {
    dispose() {
      for (const key of entries.keys()) forget(key)
    },
  })
}

function run({ program, read, assigned, single }: Entry, inputs: readonly Tensor[]): Tensor | Tensor[] {
  const outputs = program.run([...inputs, ...read])
  const results = outputs.slice(0, outputs.length - assigned.length)
  for (const [i, variable] of assigned.entries()) {
    const value = outputs[results.length + i]!
    variable.assign(value)
    value.dispose()
  }
  return single ? results[0]! : results
}

/** Runs the step eagerly while recording it. No trace when it made variables: the next call will not. */
function recordCall<Inputs extends readonly Tensor[]>(
  step: (...inputs: Inputs) => Tensor | Tensor[],
  given: Inputs,
): Omit<Entry, 'program'> & { trace?: Trace; results: Tensor[] } {
  const tf = tfCore()
  const variables = (): Variable[] => Object.values(tf.engine().registeredVariables)
  const before = variables()
  const buffers = before.map((variable) => variable.dataId)
  const inputs = given.map((input) => tf.clone(input)) // of their own, should one tensor be given twice
  const kept: Tensor[] = []
  let single = false
  let assigned: Variable[] = []
  try {
    const whole = record(
      [
        ...inputs.map((tensor, i) => ({ name: `input ${i}`, tensor, split: false })),
        ...before.map((tensor, i) => ({ name: `variable ${i}`, tensor, split: false })),
      ],
      () => {
        const output = step(...(inputs as unknown as Inputs))
        single = !Array.isArray(output)
        const outputs = [output].flat()
        for (const tensor of outputs) {
          if (!(tensor instanceof tf.Tensor)) {
            throw new ShardbookError('engine', `compile: expected a step that returns tensors, got ${show(tensor)}.`)
          }
        }
        assigned = before.filter((variable, i) => variable.dataId !== buffers[i])
        for (const tensor of outputs) kept.push(tf.keep(tf.clone(tensor)))
        return [...kept, ...assigned].map((tensor, i): RecordedOutput => {
          const merge = tensor.dtype === 'bool' ? 'concat' : 'sum' // one slice: nothing is merged
          return { name: `output ${i}`, tensor, merge }
        })
      },
    )
    const results = kept.map((tensor) => tf.clone(tensor))
    if (variables().length !== before.length) return { results, single, read: [], assigned }
    const used = new Set([...whole.calls.flatMap(inputsOf), ...whole.outputs.map((output) => output.value)])
    const wanted = whole.inputs.map((input, i) => i < inputs.length || used.has(input.value))
    const read = before.filter((_, i) => wanted[inputs.length + i])
    const trace = removeDeadCalls({ ...whole, inputs: whole.inputs.filter((_, i) => wanted[i]) })
    return { trace, results, single, read, assigned }
  } finally {
    tf.dispose([...kept, ...inputs])
  }
}
