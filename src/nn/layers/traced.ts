/**
 * A layer of the user's own as it is saved: not its code, which is no data, but what it does with a slice of rows, recorded as
 * every step is. Such a layer predicts, to the bit as the one that it was recorded of; it does not train, as while training a
 * layer may do something else, on slices of any size.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkTrace, record, runTrace, tfCore } from '../../engine/index.js'
import type { Trace } from '../../engine/index.js'
import { allocate } from '../../core/dtype.js'
import type { TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { layer, showShape } from './layer.js'
import type { Inferred, Layer, LayerContext, LayerOptions, Shape, WeightSpec } from './layer.js'

/** Rows of the slices that models predict on: a recording has the shapes of those. */
export const sliceRows = 64

/** What a layer does with samples of one shape. */
interface Recording {
  readonly input: Shape
  readonly output: Shape
  readonly weights: readonly WeightSpec[]
  /** Plain data: the values of constants are lists. */
  readonly trace: object
}

export interface TracedOptions extends LayerOptions {
  /** One for each shape of samples that it stands before. */
  readonly recordings: readonly Recording[]
}

/** What `traced` makes a layer of again that predicts as `apply` does, for samples of these shapes. */
export function traceLayer(
  name: string | undefined,
  shapes: Iterable<Shape>,
  { infer, apply }: Pick<Layer, 'infer' | 'apply'>,
): { readonly kind: 'traced'; readonly options: TracedOptions } {
  const recordings = Array.from(shapes, (input): Recording => {
    const { output, weights } = infer(input)
    return {
      input,
      output,
      weights: weights.map(({ name: weight, shape, initial }) => ({ name: weight, shape, initial })),
      trace: recordLayer(input, weights, apply),
    }
  })
  return { kind: 'traced', options: { ...(name === undefined ? {} : { name }), recordings } }
}

function recordLayer(input: Shape, weights: readonly WeightSpec[], apply: Layer['apply']): object {
  const tf = tfCore()
  const { fill } = tf
  const tensors = [[sliceRows, ...input], ...weights.map(({ shape }) => shape)].map((shape) => fill([...shape], 0))
  const named = tensors.map((tensor, i) => ({ name: i === 0 ? 'x' : `weight${i}`, tensor, split: i === 0 }))
  try {
    const step = (): Tensor => apply({ tf }, tensors[0]!, tensors.slice(1))
    return withConstants(
      record(named, () => [{ name: 'y', tensor: step(), merge: 'concat' }]),
      (data) => [...data.values],
    )
  } finally {
    for (const tensor of tensors) tensor.dispose()
  }
}

/**
 * Makes such a layer again.
 *
 * @throws ShardbookError `engine` for a recording that is no valid trace.
 */
export function traced(options: TracedOptions): Layer {
  const known = options.recordings.map((each) => ({
    ...each,
    trace: checkTrace(withConstants(each.trace as Trace, typed)),
  }))
  const find = (input: Shape) => {
    const found = known.find((each) => showShape(each.input) === showShape(input))
    if (found !== undefined) return found
    throw new ShardbookError(
      'argument',
      `nn.layer: expected samples of shape ${known.map((each) => showShape(each.input)).join(' or ')}, for which it was saved, got ${showShape(input)}.`,
    )
  }
  return layer('traced', options, {
    infer: (input): Inferred => find(input),
    apply: ({ tf, training }: LayerContext, x, weights) => {
      const [rows] = x.shape as [number]
      if (training !== undefined || rows % sliceRows !== 0) {
        throw new ShardbookError(
          'argument',
          'nn.layer: expected a layer that predicts only, as it was loaded, got a training.',
          {
            hint: 'What was saved is what it does when it predicts. To train it, build the network of its code, and set the weights.',
          },
        )
      }
      const { trace } = find(x.shape.slice(1))
      // On every step of a sequence there are several times as many rows.
      const run = (part: Tensor): Tensor => runTrace(trace, [part, ...weights])[0]!
      return rows === sliceRows ? run(x) : tf.concat(tf.split(x, rows / sliceRows, 0).map(run))
    },
  })
}

/** A trace with the values of its constants, and of those of its loops, as lists or as typed arrays. */
function withConstants(trace: Trace, values: (data: TensorData) => unknown): Trace {
  return {
    ...trace,
    constants: trace.constants.map(({ value, data }) => ({
      value,
      data: { ...data, values: values(data) as TensorData['values'] },
    })),
    calls: trace.calls.map((call) =>
      call.body === undefined ? call : { ...call, body: withConstants(call.body, values) },
    ),
  }
}

function typed({ dtype, values }: TensorData): TensorData['values'] {
  const array = allocate(dtype, values.length)
  array.set(values)
  return array
}
