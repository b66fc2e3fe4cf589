/**
 * The recorder: runs a step once and writes down its TensorFlow.js kernel calls as a trace.
 *
 * While recording, `runKernelFunc` of the TensorFlow.js engine is replaced on that one object; nothing is patched at other
 * times. Only outermost calls are recorded (a kernel may call kernels). Reads of values are refused, because their result
 * would be baked into the trace; so are variables that are not inputs.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../core/errors.js'
import { registerGradients } from './gradients.js'
import { type KernelParams, type RecordedInput, type RecordedOutput, Recorder } from './recorder.js'
import { refuseDraw } from './random.js'
import { tfCore } from './tf.js'
import type { Trace } from './trace.js'

export type { RecordedInput, RecordedOutput } from './recorder.js'

/** The private parts of the TensorFlow.js engine that a recording stands in for. */
interface Hooks {
  runKernelFunc(params: KernelParams): Tensor | Tensor[]
  readSync(dataId: object): unknown
  read(dataId: object): unknown
}

/** A recording in progress. */
interface Recording {
  readonly recorder: Recorder
  /** Kernels that run inside one another. */
  depth: number
  refusal: ShardbookError | undefined
}

let active: Recording | undefined

const readRefusals = new WeakSet<object>()

/** Whether an error says that a step reads values: it can run, but not be recorded. */
export function isReadRefusal(error: unknown): error is ShardbookError {
  return error instanceof ShardbookError && readRefusals.has(error)
}

/** Whether a step is being recorded now. */
export function isRecording(): boolean {
  return active !== undefined
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
  if (active !== undefined) {
    throw new ShardbookError('engine', 'record: expected no other recording in progress, got a nested one.')
  }
  return recordPart(inputs, step)
}

/** `record`, also within another recording, which does not see what happens in it. */
export function recordPart(inputs: readonly RecordedInput[], step: () => readonly RecordedOutput[]): Trace {
  const outer = active
  const own: Recording = { recorder: new Recorder(inputs, outer?.recorder), depth: 0, refusal: undefined }
  const unhook = outer === undefined ? hook() : undefined
  active = own
  let trace: Trace | undefined
  try {
    tfCore().tidy(() => {
      const outputs: unknown = step()
      if (!Array.isArray(outputs)) {
        throw new ShardbookError('engine', 'record: expected the step to return its outputs at once, as a list.', {
          hint: 'A step is a plain function: not async.',
        })
      }
      if (own.refusal !== undefined) throw own.refusal
      trace = own.recorder.finish(outputs as RecordedOutput[])
    })
    return trace!
  } finally {
    active = outer
    unhook?.()
  }
}

/** Puts the hooks into TensorFlow.js's engine; returns how to take them off. They serve the innermost recording. */
function hook(): () => void {
  registerGradients()
  const hooks = tfCore().engine() as unknown as Hooks
  const original: Hooks = {
    runKernelFunc: hooks.runKernelFunc.bind(hooks),
    readSync: hooks.readSync.bind(hooks),
    read: hooks.read.bind(hooks),
  }
  const refuseRead = (): void => {
    const own = active!
    if (own.depth > 0 || own.recorder.reading) return
    if (own.refusal !== undefined) return
    own.refusal = new ShardbookError(
      'engine',
      'record: expected a step that only computes, got one that reads values.',
      {
        hint:
          'Leave data(), dataSync(), array() and print() out of the step; return the tensor as an output instead. A loop on a value: ' +
          'as many runs as there can be, with tf.where to keep what is done, or the loop around the compiled step.',
      },
    )
    readRefusals.add(own.refusal)
  }
  hooks.readSync = (dataId) => {
    refuseRead()
    if (active!.depth === 0 && !active!.recorder.reading) throw active!.refusal!
    return original.readSync(dataId)
  }
  hooks.read = (dataId) => {
    refuseRead() // told at the end: nobody may be waiting for this promise
    return original.read(dataId)
  }
  hooks.runKernelFunc = (params) => {
    const { kernelName } = params
    if (kernelName === undefined) return original.runKernelFunc(params)
    const own = active!
    const used = own.depth === 0 && kernelName !== 'Identity' ? own.recorder.use(params) : undefined
    own.depth++
    try {
      const result = original.runKernelFunc(params)
      if (used !== undefined) own.recorder.add(kernelName, used, params.attrs ?? {}, [result].flat())
      if (kernelName === 'Identity') own.recorder.alias(params, result as Tensor)
      return result
    } finally {
      own.depth--
    }
  }
  const { random } = Math
  Math.random = () => {
    if (active!.depth === 0) active!.refusal ??= refuseDraw()
    return random()
  }
  return () => {
    Math.random = random
    // The originals are methods of the prototype.
    for (const name of ['runKernelFunc', 'readSync', 'read'] as const) delete (hooks as Partial<Hooks>)[name]
  }
}
