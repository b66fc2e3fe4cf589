/** The check of what a program is run with, the same for every engine. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { describe, sameShape } from './errors.js'
import { tfCore } from './tf.js'
import type { Trace } from './trace.js'

/** The shapes and dtypes that a program takes, given how many slices it runs at once. */
export function inputSpecs(trace: Trace, slices: number): { name: string; dtype: string; shape: readonly number[] }[] {
  return trace.inputs.map(({ name, value, split }) => {
    const { shape, dtype } = trace.values[value]!
    return { name, dtype, shape: split ? [shape[0]! * slices, ...shape.slice(1)] : shape }
  })
}

/** Raises unless the tensors are live and have the shapes and dtypes of `specs`. */
export function checkInputs(specs: ReturnType<typeof inputSpecs>, inputs: readonly Tensor[]): void {
  if (inputs.length !== specs.length) {
    throw new ShardbookError('engine', `run: expected ${specs.length} inputs, got ${inputs.length}.`)
  }
  for (const [i, spec] of specs.entries()) {
    const input = inputs[i]!
    if (!isLive(input)) {
      const got = input instanceof tfCore().Tensor ? 'a disposed one' : show(input)
      throw new ShardbookError('engine', `run: expected input "${spec.name}" to be a live tensor, got ${got}.`)
    }
    if (input.dtype !== spec.dtype || !sameShape(input.shape, spec.shape)) {
      throw new ShardbookError(
        'engine',
        `run: expected input "${spec.name}" to be ${describe(spec)}, got ${describe(input)}.`,
      )
    }
  }
}

function isLive(input: unknown): boolean {
  return input instanceof tfCore().Tensor && !input.isDisposed
}
