/**
 * A training step whose state stays on the device: gradients and their application are one program, which takes the memory of
 * weights and slots over and gives it back as the next ones. Where the loss is not finite the program hands on the state as it
 * was. Steps are started in their order and not waited for.
 *
 * State that was handed out is shared until the next step: that step computes into new memory.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../../core/errors.js'
import { checkInputs, inputSpecs } from '../check-inputs.js'
import { type Step, type StepTraces, stateSpecs } from '../step.js'
import type { PjrtBackend } from './backend.js'
import type { DeviceBuffer, Executable } from './client.js'
import type { Builder, Value } from './lower/builder.js'
import { isFinite } from './lower/elementwise.js'
import { type LowerOptions, checkLowerings, lowerTrace } from './lower/index.js'
import { type Module, buildModule } from './module.js'
import { checkRunnable, elementFor, tensorsOf } from './program.js'

type Part = 'gradients' | 'update' | 'both'

/** What a part of a step takes besides the state. */
function givenSpecs({ gradients, update, reads, results }: StepTraces, part: Part, slices: number) {
  const own = inputSpecs(gradients, slices).slice(reads)
  const given = inputSpecs(update, 1).slice(update.outputs.length)
  if (part === 'gradients') return own
  return part === 'update' ? given : [...own, ...given.slice(gradients.outputs.length - results)]
}

/** The program of a part: the state that it needs, then its other inputs -> its results, then the next state if it makes one. */
export function stepModule(traces: StepTraces, part: Part, options: LowerOptions = {}): Module {
  const { gradients, update, reads, results } = traces
  const { slices = 1, replicas = 1 } = options
  const all = stateSpecs(traces)
  const state = part === 'gradients' ? all.slice(0, reads) : all
  const resultCount = part === 'gradients' ? gradients.outputs.length : part === 'both' ? results : 0
  const parameters = [
    ...state.map(({ shape, dtype }, i) => ({
      shape,
      element: elementFor(dtype),
      ...(part !== 'gradients' && { donatedTo: resultCount + i }),
    })),
    ...givenSpecs(traces, part, slices).map(({ shape, dtype }) => ({ shape, element: elementFor(dtype) })),
  ]
  // The update is in single precision always, and the same on every device.
  const exact = { slices: 1 }
  const build = (b: Builder, inputs: readonly Value[]): readonly Value[] => {
    const [before, given] = [inputs.slice(0, state.length), inputs.slice(state.length)]
    if (part === 'update') return lowerTrace(b, update, [...before, ...given], exact)
    const own = gradients.inputs.length - reads
    const outputs = lowerTrace(b, gradients, [...before.slice(0, reads), ...given.slice(0, own)], options)
    if (part === 'gradients') return outputs
    const after = lowerTrace(b, update, [...before, ...outputs.slice(results), ...given.slice(own)], exact)
    const finite = isFinite(b, outputs[0]!)
    return [...outputs.slice(0, results), ...after.map((value, i) => b.select(finite, value, before[i]!))]
  }
  return buildModule(parameters, build, replicas)
}

export class PjrtStep implements Step {
  readonly #traces: StepTraces
  readonly #backend: PjrtBackend
  readonly #options: LowerOptions
  readonly #programs = new Map<Part, Executable>()
  #state: readonly DeviceBuffer[] = []
  #disposed = false

  constructor(traces: StepTraces, backend: PjrtBackend, options: LowerOptions) {
    for (const trace of [traces.gradients, traces.update]) checkLowerings(trace)
    this.#traces = traces
    this.#backend = backend
    this.#options = options
  }

  gradients(inputs: readonly Tensor[]): Tensor[] {
    return this.#run('gradients', inputs)
  }

  update(inputs: readonly Tensor[]): void {
    this.#run('update', inputs)
  }

  run(inputs: readonly Tensor[]): Tensor[] {
    return this.#run('both', inputs)
  }

  state(): Tensor[] {
    return tensorsOf(
      this.#backend,
      this.#state.map((buffer) => buffer.retain()),
      stateSpecs(this.#traces),
    )
  }

  restore(state: readonly Tensor[]): void {
    checkInputs(stateSpecs(this.#traces), state)
    const buffers = state.map((tensor) => this.#backend.bufferOf(this.#backend.entryOf(tensor)).retain())
    for (const buffer of this.#state) buffer.release()
    this.#state = buffers
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const buffer of this.#state) buffer.release()
    this.#state = []
    for (const program of this.#programs.values()) this.#backend.client.destroyExecutable(program)
  }

  #run(part: Part, inputs: readonly Tensor[]): Tensor[] {
    if (this.#disposed) throw new ShardbookError('state', 'run: expected a live step, got a disposed one.')
    checkRunnable(false)
    checkInputs(givenSpecs(this.#traces, part, this.#options.slices ?? 1), inputs)
    const { client } = this.#backend
    let program = this.#programs.get(part)
    if (program === undefined) {
      program = client.compile(stepModule(this.#traces, part, this.#options))
      this.#programs.set(part, program)
    }
    const state = part === 'gradients' ? this.#state.slice(0, this.#traces.reads) : this.#state
    const given = inputs.map((tensor) => this.#backend.bufferOf(this.#backend.entryOf(tensor)))
    const shared = state.flatMap((buffer, i) => (buffer.isSole ? [] : [i]))
    const [outputs] = client.execute(program, [[...state, ...given]], part === 'gradients' ? [] : shared)
    const { gradients, results } = this.#traces
    const count = part === 'gradients' ? gradients.outputs.length : part === 'both' ? results : 0
    if (part !== 'gradients') {
      for (const buffer of state) buffer.release()
      this.#state = outputs!.slice(count)
    }
    const specs = gradients.outputs.slice(0, count).map(({ value }, i) => ({
      ...gradients.values[value]!,
      shape: program.module.results[i]!.shape,
    }))
    return tensorsOf(this.#backend, outputs!.slice(0, count), specs)
  }
}
