/**
 * Networks with several inputs. The inputs of a sample lie one after the other in one vector, so that a network stays layers in a
 * row over one tensor; a branch that begins with `nn.input` sees one of them in its own shape.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { show } from '../../core/check.js'
import { sizeOf } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import type { Tf } from '../../engine/tf.js'
import { layer, showShape } from './layer.js'
import type { Layer, LayerOptions, Shape } from './layer.js'
import type { LayerOf } from './literal-shapes.js'

/** The inputs of a network by name, in the order in which they lie in a sample: the shape of one sample each. */
export type InputShapes = Readonly<Record<string, Shape>>

/** The same as a list, which keeps its order as JSON. */
export type InputList = readonly (readonly [name: string, shape: Shape])[]

export interface InputOptions extends LayerOptions {
  /** Which of them it gives. */
  readonly input: string
  /** All inputs of the network, in order. */
  readonly of: InputList
}

/** What makes one of several inputs again: `x: [batch, numbers of all inputs] -> [batch, ...its shape]`. */
export function input(options: InputOptions): Layer {
  const at = options.of.findIndex(([name]) => name === options.input)
  const shape = options.of[at]?.[1]
  if (shape === undefined) {
    throw new ShardbookError('argument', `nn.inputs: expected one of the inputs, got ${show(options.input)}.`)
  }
  const start = numbersOf(options.of.slice(0, at))
  const all = numbersOf(options.of)
  return layer('input', options, {
    infer: (sample) => {
      if (sample.length === 1 && sample[0] === all) return { output: shape, weights: [] }
      throw new ShardbookError(
        'argument',
        `nn.inputs: expected samples of ${all} numbers, those of ${showInputs(options.of)}, got ${showShape(sample)}.`,
        { hint: 'A branch begins with an input; in a model give these inputs instead of inputShape.' },
      )
    },
    apply: ({ tf }, x) => tf.reshape(tf.slice(x, [0, start], [x.shape[0], sizeOf(shape)]), [x.shape[0], ...shape]),
  })
}

/**
 * The inputs of a network with several, each a layer that begins a branch.
 *
 * @throws ShardbookError `argument` with fewer than two inputs, and for shapes that are no positive integers.
 * @example
 * ```ts
 * const shapes = { image: [28, 28, 1], size: [4] }
 * const { image, size } = nn.inputs(shapes)
 * const seen = [image, nn.conv2d({ filters: 8, kernelSize: 3 }), nn.flatten()]
 * const model = nn.model([nn.concatenate({ branches: [seen, [size]] }), nn.dense({ units: 10 })], { inputs: shapes })
 * ```
 */
export function inputs<const Shapes extends InputShapes>(
  shapes: Shapes,
): { readonly [K in keyof Shapes]: LayerOf<'inputs', 'any', Shapes[K]> } {
  const of = inputList('nn.inputs', shapes)
  return Object.fromEntries(of.map(([name]) => [name, input({ input: name, of, name })])) as {
    [K in keyof Shapes]: LayerOf<'inputs', 'any', Shapes[K]>
  }
}

/** @throws ShardbookError `argument` with fewer than two inputs, and for shapes that are no positive integers */
export function inputList(caller: string, shapes: InputShapes): InputList {
  const list = Object.entries(shapes)
  const isShape = (shape: Shape): boolean =>
    Array.isArray(shape) && shape.length > 0 && shape.every((n) => Number.isInteger(n) && n >= 1)
  if (list.length >= 2 && list.every(([, shape]) => isShape(shape)))
    return list.map(([name, shape]) => [name, [...shape]])
  throw new ShardbookError(
    'argument',
    `${caller}: expected at least two inputs, each the shape of one sample in positive integers, got ${show(shapes)}.`,
  )
}

/** How many numbers the inputs of a sample have together. */
export function numbersOf(list: InputList): number {
  return list.reduce((sum, [, shape]) => sum + sizeOf(shape), 0)
}

/** `image [28, 28, 1], size [4]` */
function showInputs(list: InputList): string {
  return list.map(([name, shape]) => `${name} ${showShape(shape)}`).join(', ')
}

/** Samples whose inputs lie one after the other: `[batch, ...shape]` each -> `[batch, numbers]`. */
export function packInputs(tf: Tf, tensors: readonly Tensor[]): Tensor {
  return tf.concat(
    tensors.map((tensor) => tf.reshape(tensor, [tensor.shape[0], sizeOf(tensor.shape.slice(1))])),
    1,
  )
}

/** @throws ShardbookError `argument` when layers, or layers within them, begin with inputs other than these */
export function checkInputLayers(caller: string, layers: readonly unknown[], list: InputList | undefined): void {
  const expected = list === undefined ? 'no layers of nn.inputs' : `inputs ${showInputs(list)}`
  for (const item of layers) {
    if (Array.isArray(item)) checkInputLayers(caller, item, list)
    if (typeof item !== 'object' || item === null || !('infer' in item)) continue
    const { kind, options } = item as Layer
    if (kind !== 'input') checkInputLayers(caller, Object.values(options), list)
    else if (list === undefined || showInputs(list) !== showInputs((options as InputOptions).of)) {
      const got = showInputs((options as InputOptions).of)
      throw new ShardbookError('argument', `${caller}: expected ${expected}, got ${got}.`, {
        hint: 'Names, shapes and their order are those of nn.model({ inputs }), or of the columns of inputCols.',
      })
    }
  }
}
