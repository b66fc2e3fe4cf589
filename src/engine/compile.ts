/**
 * `compile(step)`: a function of tensors that runs as one program after its first calls.
 *
 * The first call runs eagerly (optimisers make their variables then). From then on each new combination of shapes and
 * dtypes is recorded once, while it runs, and its program serves the calls that follow. Variables that the step reads are
 * inputs of the program; those that it assigns are outputs, assigned after each run.
 */
import type { Tensor, Variable } from '@tensorflow/tfjs-core'
import { checkInteger, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { fold, keyOf } from '../core/random.js'
import type { Engine, Program } from './engine.js'
import { inputsOf } from './call-inputs.js'
import { describe } from './errors.js'
import { currentEngine } from './open.js'
import { withRandom } from './random.js'
import { type RecordedOutput, isRecording, record } from './record.js'
import { removeDeadCalls } from './remove-dead-calls.js'
import { tfCore } from './tf.js'
import type { Trace } from './trace.js'

/** Programs kept by one compiled function; the least recently used goes first. */
const maxPrograms = 16
/** Recordings of one function after which it warns, and after which new shapes run eagerly. */
const [manyRecordings, maxRecordings] = [8, 64]

export interface CompileOptions {
  /** Seed of the random numbers that the step draws. Default 0. */
  readonly seed?: number
}

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
  /** Whether it draws random numbers: the key is its last input. */
  readonly random: boolean
}

/**
 * Compiles a step: a plain function of tensors that returns a tensor or a list of them.
 *
 * JavaScript values that the step computes with (rates, counters) are frozen at their value when it was recorded: pass what
 * changes as tensors. Random numbers of `engine.tf` (dropout, randomNormal and the like) are fresh at every call and the same
 * ones for the same seed. The caller owns the results. Every combination of input shapes is recorded by itself; after many of
 * them a warning names the inputs that change, and further ones run eagerly.
 *
 * @throws ShardbookError `state` when no engine is open, `engine` when the step reads values, draws random numbers in JavaScript
 *   or is async.
 *
 * @example
 * ```ts
 * const norm = compile((x: Tensor) => tf.sqrt(tf.sum(tf.square(x))))
 * const y = norm(tf.tensor1d([3, 4]))
 * ```
 */
export function compile<Inputs extends readonly Tensor[], Output extends Tensor | Tensor[]>(
  step: (...inputs: Inputs) => Output,
  { seed = 0 }: CompileOptions = {},
): Compiled<Inputs, Output> {
  checkInteger('compile', 'seed', seed, 0)
  if (typeof step !== 'function')
    throw new ShardbookError('argument', `compile: expected a function, got ${show(step)}.`)
  const entries = new Map<string, Entry>()
  const seen: string[][] = []
  let warm = false
  let calls = 0

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
    if (isRecording() || tf.engine().state.gradientDepth > 0) return step(...inputs)
    const key = tf.scalar(fold(keyOf(seed), calls++) | 0, 'int32')
    try {
      return callWith(key, engine, inputs)
    } finally {
      key.dispose()
    }
  }

  const callWith = (key: Tensor, engine: Engine, inputs: Inputs): Output => {
    const eagerly = (): Output => withRandom({ key }, () => step(...inputs))
    if (!warm) {
      const result = eagerly()
      warm = true
      return result
    }
    const shapes = inputs.map(describe)
    const signature = `${engine.name} ${shapes.join(' ')}`
    const entry = entries.get(signature)
    if (entry !== undefined) {
      entries.delete(signature)
      entries.set(signature, entry) // used last
      return run(entry, inputs, key) as Output
    }
    if (seen.length >= maxRecordings) return eagerly()
    seen.push(shapes)
    if (seen.length === manyRecordings) warnOfShapes(step.name, seen)
    const { trace, results, ...recorded } = recordCall(step, inputs, key)
    if (trace !== undefined) {
      entries.set(signature, { program: engine.load(trace), ...recorded })
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

/** Says once which inputs of a function keep changing their shape. */
function warnOfShapes(name: string, seen: readonly string[][]): void {
  const changing = seen[0]!.flatMap((_, i) => {
    const shapes = [...new Set(seen.map((each) => each[i]!))]
    return shapes.length < 2
      ? []
      : [`input ${i} was ${shapes.slice(0, 4).join(', ')}${shapes.length > 4 ? ', ...' : ''}`]
  })
  console.warn(
    `compile: ${name === '' ? 'a step' : name} was recorded ${seen.length} times: ${changing.join('; ')}. ` +
      `Each shape takes a program of its own, and after ${maxRecordings} new ones run eagerly: pad batches to one shape.`,
  )
}

function run(
  { program, read, assigned, single, random }: Entry,
  inputs: readonly Tensor[],
  key: Tensor,
): Tensor | Tensor[] {
  const outputs = program.run([...inputs, ...read, ...(random ? [key] : [])])
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
  key: Tensor,
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
        { name: 'key', tensor: key, split: false },
      ],
      () => {
        const output = withRandom({ key }, () => step(...(inputs as unknown as Inputs)))
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
    if (variables().length !== before.length) return { results, single, read: [], assigned, random: false }
    const used = new Set([...whole.calls.flatMap(inputsOf), ...whole.outputs.map((output) => output.value)])
    const wanted = whole.inputs.map((input, i) => i < inputs.length || used.has(input.value))
    const read = before.filter((_, i) => wanted[inputs.length + i])
    const trace = removeDeadCalls({ ...whole, inputs: whole.inputs.filter((_, i) => wanted[i]) })
    return { trace, results, single, read, assigned, random: wanted.at(-1)! }
  } finally {
    tf.dispose([...kept, ...inputs])
  }
}
