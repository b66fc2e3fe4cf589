/**
 * A trace run over some slices of a batch whose others run in other processes. It is cut at every `AllReduce` into segments, each
 * a program of its own; between them the caller adds up over all processes.
 *
 * Every process runs the same trace, so it hands on as many vectors, of the same lengths, in the same order as all others; so does
 * one without any slice, which hands on zeros.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { sizeOf } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'
import { allReduceKernel } from './all-reduce.js'
import { checkInputs, inputSpecs } from './check-inputs.js'
import type { Engine } from './engine.js'
import { removeDeadCalls } from './remove-dead-calls.js'
import { inputsOf } from './call-inputs.js'
import type { Step, StepTraces } from './step.js'
import { tensorOf, tfCore } from './tf.js'
import type { Call, Trace } from './trace.js'
import { unrollSlices } from './unroll-slices.js'

/** Adds a vector up over all processes, in place; rejects when that cannot be done. */
export type Reduce = (vector: Float32Array) => Promise<void>

export interface SpreadProgram {
  /**
   * Runs the program over this process's slices. Inputs and results as those of a `Program`: results are of these slices, to be
   * added up by the caller. When `reduce` rejects, so does this, with nothing left behind.
   */
  run(inputs: readonly Tensor[], reduce: Reduce): Promise<Tensor[]>
  dispose(): void
}

/** Whether a trace sums over the whole batch on its way. */
function isReduced(trace: Trace): boolean {
  return trace.calls.some((call) => call.kernel === allReduceKernel)
}

/**
 * Makes a trace ready to run over `slices` slices of a batch, where other processes run the others.
 *
 * Without slices (0) `run` takes no inputs and gives no results, but takes part in every sum.
 *
 * @example
 * ```ts
 * const program = loadSpread(engine, trace, 2)
 * const results = await program.run(inputs, (vector) => ring.allReduce(vector))
 * ```
 */
export function loadSpread(engine: Pick<Engine, 'load'>, trace: Trace, slices: number): SpreadProgram {
  if (slices === 0) return { run: (_, reduce) => contributeNothing(trace, reduce), dispose: () => {} }
  const whole = unrollSlices(trace, slices, { spread: true })
  const specs = inputSpecs(trace, slices)
  const segments = cut(whole).map((segment) => ({ ...segment, program: engine.load(segment.trace) }))
  let disposed = false
  return {
    async run(inputs, reduce) {
      if (disposed) throw new ShardbookError('state', 'run: expected a live program, got a disposed one.')
      checkInputs(specs, inputs)
      const values = new Map(whole.inputs.map(({ value }, i) => [value, inputs[i]!]))
      const given = new Set(values.keys())
      const forget = (value: number): void => {
        if (!given.has(value)) values.get(value)?.dispose()
        values.delete(value)
      }
      try {
        for (const { program, needs, gives, reduced, last } of segments) {
          const results = program.run(needs.map((value) => values.get(value)!))
          for (const [i, value] of gives.entries()) values.set(value, results[i]!)
          const sums = results.slice(gives.length)
          if (reduced === undefined) return sums
          const totals = await reduceAll(sums, reduce)
          for (const [i, value] of reduced.outputs.entries()) values.set(value, totals[i]!)
          for (const value of last) forget(value)
        }
        throw new ShardbookError('internal', 'run: expected a last segment, got none.')
      } finally {
        for (const value of values.keys()) forget(value)
      }
    },
    dispose() {
      if (disposed) return
      disposed = true
      for (const { program } of segments) program.dispose()
    },
  }
}

/** Gradients of some slices of a batch. */
export interface SpreadGradients {
  /** As `Step.flatGradients`, with sums over the batch on the way; zeros without slices. Inputs are free once it has begun. */
  run(inputs: readonly Tensor[], into: Float32Array, reduce: Reduce): Promise<void>
  dispose(): void
}

/** The gradients of a step over `slices` slices of a batch, where other processes run the others, on the step's state. */
export function loadSpreadGradients(
  engine: Pick<Engine, 'load'>,
  step: Pick<Step, 'flatGradients' | 'state'>,
  { gradients, reads }: StepTraces,
  slices: number,
): SpreadGradients {
  if (slices > 0 && !isReduced(gradients))
    return { run: async (inputs, into) => step.flatGradients(inputs, into), dispose: () => {} }
  const program = loadSpread(engine, gradients, slices)
  return {
    async run(inputs, into, reduce) {
      const state = step.state()
      const own = inputs.map((input) => input.clone())
      const outputs = await program
        .run([...state.slice(0, reads), ...own], reduce)
        .finally(() => tfCore().dispose([...state, ...own]))
      if (slices === 0) into.fill(0)
      await readAll(outputs, into)
    },
    dispose: () => program.dispose(),
  }
}

/** Reads tensors into an array, one behind the other, and disposes them. */
async function readAll(tensors: readonly Tensor[], into: Float32Array): Promise<void> {
  let at = 0
  try {
    for (const tensor of tensors) {
      into.set(await tensor.data<'float32'>(), at)
      at += tensor.size
    }
  } finally {
    tfCore().dispose([...tensors])
  }
}

/** Adds tensors up over all processes as one vector, and disposes them. */
async function reduceAll(sums: readonly Tensor[], reduce: Reduce): Promise<Tensor[]> {
  const vector = new Float32Array(sums.reduce((size, tensor) => size + tensor.size, 0))
  await readAll(sums, vector)
  await reduce(vector)
  let at = 0
  return sums.map(({ size, shape }) => tensorOf({ shape, dtype: 'float32', values: vector.subarray(at, (at += size)) }))
}

async function contributeNothing(trace: Trace, reduce: Reduce): Promise<Tensor[]> {
  for (const call of trace.calls.filter(({ kernel }) => kernel === allReduceKernel)) {
    await reduce(new Float32Array(call.outputs.reduce((size, value) => size + sizeOf(trace.values[value]!.shape), 0)))
  }
  return []
}

interface Segment {
  /** Inputs: `needs`. Outputs: `gives`, then what is reduced, or, in the last segment, the results. */
  readonly trace: Trace
  readonly needs: readonly number[]
  readonly gives: readonly number[]
  readonly reduced: Call | undefined
  /** Values that no later segment needs. */
  readonly last: readonly number[]
}

/** The parts of a trace between its reductions. */
function cut(trace: Trace): Segment[] {
  const parts: { calls: Call[]; reduced?: Call }[] = [{ calls: [] }]
  for (const call of trace.calls) {
    if (call.kernel !== allReduceKernel) parts.at(-1)!.calls.push(call)
    else {
      parts.at(-1)!.reduced = call
      parts.push({ calls: [] })
    }
  }
  const results = trace.outputs.map(({ value }) => value)
  const read = parts.map(
    ({ calls, reduced }) =>
      new Set([...calls.flatMap(inputsOf), ...(reduced === undefined ? results : inputsOf(reduced))]),
  )
  const ready = new Set(trace.inputs.map(({ value }) => value))
  return parts.map(({ calls, reduced }, i) => {
    const later = new Set(read.slice(i + 1).flatMap((values) => [...values]))
    const needs = [...read[i]!].filter((value) => ready.has(value))
    const gives = calls.flatMap(({ outputs }) => outputs).filter((value) => later.has(value))
    const ends = reduced === undefined ? results : inputsOf(reduced)
    for (const value of [...gives, ...(reduced?.outputs ?? [])]) ready.add(value)
    const segment: Trace = {
      ...trace,
      inputs: needs.map((value) => ({ name: `value ${value}`, value, split: false })),
      calls,
      outputs: [...gives, ...ends].map((value, at) => ({ name: `output ${at}`, value, merge: 'sum' })),
    }
    const last = [...ready].filter((value) => !later.has(value))
    for (const value of last) ready.delete(value)
    return { trace: removeDeadCalls(segment), needs, gives, reduced, last }
  })
}
