/**
 * A training step with its state: weights and optimiser slots stay on the engine between steps. This is the step of engines
 * that compute with values only; those that have variables bring their own.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { sizeOf } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'
import { checkInputs } from './check-inputs.js'
import type { Program } from './engine.js'
import { tfCore } from './tf.js'
import type { Trace } from './trace.js'

/**
 * The two traces of a step. The state is what `update` puts out and takes first; its first `reads` tensors are what
 * `gradients` takes first. What `gradients` puts out behind its first `results` outputs `update` takes behind the state.
 */
export interface StepTraces {
  readonly gradients: Trace
  readonly update: Trace
  readonly reads: number
  readonly results: number
}

export interface Step {
  /** Runs `gradients` on the present state: inputs behind the state -> all results, the caller's. */
  gradients(inputs: readonly Tensor[]): Tensor[]
  /** Runs `update` on the state: gradients and the inputs behind them. */
  update(inputs: readonly Tensor[]): void
  /** As `gradients`, with all results one behind the other in `into`: as they travel between processes. */
  flatGradients(inputs: readonly Tensor[], into: Float32Array): Promise<void>
  /** As `update`, with gradients that lie one behind the other in `flat`, which is free again at once. */
  flatUpdate(flat: Float32Array, inputs: readonly Tensor[]): void
  /**
   * Both at once: inputs of `gradients` behind the state, then of `update` behind the gradients -> the first results, the
   * caller's. Where the very first, the loss, is not finite the state stays as it was, also in all runs after it, which may have
   * been begun before anyone saw that loss; until the state is set.
   */
  run(inputs: readonly Tensor[]): Tensor[]
  /** The state; the caller owns the tensors. */
  state(): Tensor[]
  /** Sets the state. The tensors stay the caller's. */
  restore(state: readonly Tensor[]): void
  dispose(): void
}

/** Names, shapes and dtypes of the state. */
export function stateSpecs({ update }: StepTraces) {
  return update.outputs.map(({ name, value }) => ({ name, ...update.values[value]! }))
}

/** Shapes of the gradients that `update` takes, and the number of floats in front of them and in all. */
export function flatLayout({ gradients, results }: StepTraces) {
  const shapes = gradients.outputs.map(({ value }) => gradients.values[value]!.shape)
  const sizes = shapes.map(sizeOf)
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, size) => total + size, 0)
  return {
    shapes: shapes.slice(results),
    sizes: sizes.slice(results),
    before: sum(sizes.slice(0, results)),
    length: sum(sizes),
  }
}

/** A step of programs that `load` makes when they are first run. */
export class ValueStep implements Step {
  #state: readonly Tensor[] = []
  readonly #traces: StepTraces
  readonly #gradients: () => Program
  readonly #update: () => Program
  readonly #loaded: Program[] = []
  /** Whether all losses since the state was set were finite. */
  #sound = true
  #disposed = false

  constructor(traces: StepTraces, slices: number, load: (trace: Trace, slices: number) => Program) {
    const once = (trace: Trace, count: number): (() => Program) => {
      let program: Program | undefined
      return () => {
        if (this.#disposed) throw new ShardbookError('state', 'run: expected a live step, got a disposed one.')
        if (program === undefined) this.#loaded.push((program = load(trace, count)))
        return program
      }
    }
    this.#traces = traces
    this.#gradients = once(traces.gradients, slices)
    this.#update = once(traces.update, 1)
  }

  gradients(inputs: readonly Tensor[]): Tensor[] {
    return this.#gradients().run([...this.#state.slice(0, this.#traces.reads), ...inputs])
  }

  update(inputs: readonly Tensor[]): void {
    this.#replace(this.#update().run([...this.#state, ...inputs]))
  }

  async flatGradients(inputs: readonly Tensor[], into: Float32Array): Promise<void> {
    let at = 0
    for (const output of this.gradients(inputs)) {
      into.set(await output.data(), at)
      at += output.size
      output.dispose()
    }
  }

  flatUpdate(flat: Float32Array, inputs: readonly Tensor[]): void {
    const { shapes, sizes, before } = flatLayout(this.#traces)
    let at = before
    const gradients = shapes.map((shape, i) => {
      // Copied: an engine may keep the array until it needs it, or for good.
      const values = flat.slice(at, (at += sizes[i]!))
      return tfCore().tensor(values, [...shape], 'float32')
    })
    this.update([...gradients, ...inputs])
    for (const tensor of gradients) tensor.dispose()
  }

  run(inputs: readonly Tensor[]): Tensor[] {
    const { gradients, reads, results } = this.#traces
    const own = gradients.inputs.length - reads
    const outputs = this.gradients(inputs.slice(0, own))
    const computed = outputs.slice(results)
    try {
      this.#sound &&= Number.isFinite(outputs[0]!.dataSync()[0])
      if (this.#sound) this.update([...computed, ...inputs.slice(own)])
    } finally {
      for (const tensor of computed) tensor.dispose()
    }
    return outputs.slice(0, results)
  }

  state(): Tensor[] {
    return this.#state.map((tensor) => tensor.clone())
  }

  restore(state: readonly Tensor[]): void {
    checkInputs(stateSpecs(this.#traces), state)
    this.#sound = true
    this.#replace(state.map((tensor) => tensor.clone()))
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#replace([])
    for (const program of this.#loaded) program.dispose()
  }

  #replace(state: readonly Tensor[]): void {
    for (const tensor of this.#state) tensor.dispose()
    this.#state = state.map((tensor) => tfCore().keep(tensor))
  }
}
