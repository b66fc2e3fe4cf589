/**
 * A training step whose state stays on the device: gradients and their application are one program, which takes the memory of
 * weights and slots over and gives it back as the next ones. Where the loss is not finite the program hands on the state as it
 * was. Steps are started in their order and not waited for.
 *
 * State that was handed out is shared until the next step: that step computes into new memory.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/dtype.js'
import { checkInputs, inputSpecs } from '../check-inputs.js'
import { type Step, type StepTraces, flatLayout, stateSpecs } from '../step.js'
import { tfCore } from '../tf.js'
import type { ValueSpec } from '../trace.js'
import type { PjrtBackend } from './backend.js'
import type { Executable } from './client.js'
import type { DeviceBuffer } from './device-buffer.js'
import type { Builder, Value } from './lower/builder.js'
import { isFinite } from './lower/elementwise.js'
import { type LowerOptions, checkLowerings, lowerTrace } from './lower/index.js'
import { type Module, buildModule } from './module.js'
import { checkRunnable, elementFor, tensorsOf } from './program.js'

type Part = 'gradients' | 'update' | 'flatGradients' | 'flatUpdate' | 'both'

type Spec = ReturnType<typeof inputSpecs>[number]

/** What a part of a step takes besides the state. */
function givenSpecs(traces: StepTraces, part: Part, slices: number): Spec[] {
  const { gradients, update, reads, results } = traces
  const own = inputSpecs(gradients, slices).slice(reads)
  const given = inputSpecs(update, 1).slice(update.outputs.length)
  const behind = given.slice(gradients.outputs.length - results)
  switch (part) {
    case 'gradients':
    case 'flatGradients':
      return own
    case 'update':
      return given
    case 'flatUpdate': {
      const { before, length } = flatLayout(traces)
      return [{ name: 'gradients', shape: [length - before], dtype: 'float32' }, ...behind]
    }
    case 'both':
      return [...own, ...behind]
    default:
      return part satisfies never
  }
}

/** The state that a part takes: what gradients read; all of it; and for both whether all losses so far were finite. */
function stateOf(traces: StepTraces, part: Part): Pick<Spec, 'shape' | 'dtype'>[] {
  const all = stateSpecs(traces)
  if (part === 'gradients' || part === 'flatGradients') return all.slice(0, traces.reads)
  return part === 'both' ? [...all, { shape: [], dtype: 'bool' }] : all
}

/** How many results come before the next state. */
function resultsOf({ gradients, results }: StepTraces, part: Part): number {
  if (part === 'gradients') return gradients.outputs.length
  if (part === 'both') return results
  return part === 'flatGradients' ? 1 : 0
}

/** The program of a part: the state that it needs, then its other inputs -> its results, then the next state if it makes one. */
export function stepModule(traces: StepTraces, part: Part, options: LowerOptions = {}): Module {
  const { gradients, update, reads, results } = traces
  const { slices = 1, replicas = 1 } = options
  const before = stateOf(traces, part)
  const donates = part === 'both' || part === 'update' || part === 'flatUpdate'
  const first = resultsOf(traces, part)
  const parameters = [
    ...before.map(({ shape, dtype }, i) => ({
      shape,
      element: elementFor(dtype),
      ...(donates && { donatedTo: first + i }),
    })),
    ...givenSpecs(traces, part, slices).map(({ shape, dtype }) => ({ shape, element: elementFor(dtype) })),
  ]
  /** The update is in single precision, and the same on every device. */
  const updated = (b: Builder, inputs: readonly Value[]): Value[] => lowerTrace(b, update, inputs)
  const build = (b: Builder, inputs: readonly Value[]): readonly Value[] => {
    const [state, given] = [inputs.slice(0, before.length), inputs.slice(before.length)]
    if (part === 'update') return updated(b, inputs)
    if (part === 'flatUpdate') {
      const [flat, ...behind] = given
      return updated(b, [...state, ...unflattened(b, traces, flat!), ...behind])
    }
    const own = gradients.inputs.length - reads
    const outputs = lowerTrace(b, gradients, [...state.slice(0, reads), ...given.slice(0, own)], options)
    if (part === 'gradients') return outputs
    if (part === 'flatGradients') return [flattened(b, outputs)]
    const weights = state.slice(0, -1)
    const after = updated(b, [...weights, ...outputs.slice(results), ...given.slice(own)])
    const sound = b.binary('and', state.at(-1)!, isFinite(b, outputs[0]!))
    return [...outputs.slice(0, results), ...after.map((value, i) => b.select(sound, value, weights[i]!)), sound]
  }
  return buildModule(parameters, build, replicas)
}

function flattened(b: Builder, values: readonly Value[]): Value {
  return b.concatenate(
    values.map((value) => b.reshape(value, [sizeOf(value.shape)])),
    0,
  )
}

/** The gradients that lie one behind the other. */
function unflattened(b: Builder, traces: StepTraces, flat: Value): Value[] {
  const { shapes, sizes } = flatLayout(traces)
  let at = 0
  return shapes.map((shape, i) => b.reshape(b.slice(flat, [at], [(at += sizes[i]!)]), shape))
}

export class PjrtStep implements Step {
  readonly #traces: StepTraces
  readonly #backend: PjrtBackend
  readonly #options: LowerOptions
  readonly #programs = new Map<Part, Executable>()
  #state: readonly DeviceBuffer[] = []
  /** Whether all losses since the state was set were finite. */
  #sound: DeviceBuffer | undefined
  #disposed = false

  constructor(traces: StepTraces, backend: PjrtBackend, options: LowerOptions) {
    for (const trace of [traces.gradients, traces.update]) checkLowerings(trace)
    this.#traces = traces
    this.#backend = backend
    this.#options = options
  }

  gradients(inputs: readonly Tensor[]): Tensor[] {
    const specs = this.#traces.gradients.outputs.map(({ value }) => this.#traces.gradients.values[value]!)
    return this.#tensors('gradients', inputs, specs)
  }

  update(inputs: readonly Tensor[]): void {
    this.#run('update', inputs)
  }

  async flatGradients(inputs: readonly Tensor[], into: Float32Array): Promise<void> {
    const [flat] = this.#run('flatGradients', inputs)
    try {
      await this.#backend.client.download(flat!, [into.length], into)
    } finally {
      flat!.release()
    }
  }

  flatUpdate(flat: Float32Array, inputs: readonly Tensor[]): void {
    const { before, length } = flatLayout(this.#traces)
    const gradients = tfCore().tensor1d(flat.slice(before, length), 'float32')
    this.#run('flatUpdate', [gradients, ...inputs])
    gradients.dispose()
  }

  run(inputs: readonly Tensor[]): Tensor[] {
    const { gradients, results } = this.#traces
    return this.#tensors(
      'both',
      inputs,
      gradients.outputs.slice(0, results).map(({ value }) => gradients.values[value]!),
    )
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
    this.#replace(buffers, this.#backend.client.upload(Uint8Array.of(1), [], 'bool'))
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#replace([], undefined)
    for (const program of this.#programs.values()) this.#backend.client.destroyExecutable(program)
  }

  #replace(state: readonly DeviceBuffer[], sound: DeviceBuffer | undefined): void {
    for (const buffer of this.#state) buffer.release()
    this.#state = state
    this.#sound?.release()
    this.#sound = sound
  }

  /** Results of a part as tensors; shapes are the program's, which has the rows of all slices. */
  #tensors(part: Part, inputs: readonly Tensor[], specs: readonly ValueSpec[]): Tensor[] {
    const results = this.#run(part, inputs)
    const { module } = this.#programs.get(part)!
    return tensorsOf(
      this.#backend,
      results,
      specs.map(({ dtype }, i) => ({ dtype, shape: module.results[i]!.shape })),
    )
  }

  /** Starts a part; its results without the next state, which becomes this step's. */
  #run(part: Part, inputs: readonly Tensor[]): DeviceBuffer[] {
    checkRunnable(this.#disposed, 'step')
    checkInputs(givenSpecs(this.#traces, part, this.#options.slices ?? 1), inputs)
    const { client } = this.#backend
    let program = this.#programs.get(part)
    if (program === undefined) {
      program = client.compile(stepModule(this.#traces, part, this.#options))
      this.#programs.set(part, program)
    }
    const before = stateOf(this.#traces, part).length
    const state = [...this.#state, ...(part === 'both' ? [this.#sound!] : [])].slice(0, before)
    const given = inputs.map((tensor) => this.#backend.bufferOf(this.#backend.entryOf(tensor)))
    const shared = state.flatMap((buffer, i) => (buffer.isSole ? [] : [i]))
    const outputs = client.execute(program, [[...state, ...given]], shared)[0]!
    const first = resultsOf(this.#traces, part)
    const next = outputs.slice(first)
    if (next.length > 0) {
      const sound = part === 'both' ? next.pop() : this.#sound?.retain()
      this.#replace(next, sound)
    }
    return outputs.slice(0, first)
  }
}
