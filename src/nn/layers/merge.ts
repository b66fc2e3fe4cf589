/** Several tensors become one: what branches of a layer and nodes of a graph share. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkOneOf } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import type { Tf } from '../../engine/tf.js'
import { layer, showShape } from './layer.js'
import type { Layer, LayerOptions, Shape } from './layer.js'

export interface MergeRule {
  /** @throws ShardbookError `argument` for shapes that do not fit each other */
  output(shapes: readonly Shape[]): Shape
  apply(tf: Tf, tensors: readonly Tensor[]): Tensor
}

function alike(name: string): MergeRule['output'] {
  return (shapes) => {
    const [first] = shapes as [Shape]
    const other = shapes.find((shape) => showShape(shape) !== showShape(first))
    if (other === undefined) return first
    throw new ShardbookError(
      'argument',
      `nn.${name}: expected branches with one output shape, got ${showShape(first)} and ${showShape(other)}.`,
      { hint: 'A convolution with kernelSize 1 or a dense layer in the shorter branch changes its shape.' },
    )
  }
}

/** The sum, the product, or one behind the other along the last axis. */
export const mergeRules = {
  add: { output: alike('add'), apply: (tf, tensors) => tf.addN([...tensors]) },
  multiply: { output: alike('multiply'), apply: (tf, tensors) => tensors.reduce((a, b) => tf.mul(a, b)) },
  concatenate: {
    output: (shapes) => {
      const [first] = shapes as [Shape]
      const lead = (shape: Shape): string => showShape(shape.slice(0, -1))
      const other = shapes.find((shape) => shape.length !== first.length || lead(shape) !== lead(first))
      if (other === undefined) return [...first.slice(0, -1), shapes.reduce((sum, shape) => sum + shape.at(-1)!, 0)]
      throw new ShardbookError(
        'argument',
        `nn.concatenate: expected outputs that differ in the last axis only, got ${showShape(first)} and ${showShape(other)}.`,
      )
    },
    apply: (tf, tensors) => tf.concat([...tensors], -1),
  },
} as const satisfies Record<string, MergeRule>

export type MergeName = keyof typeof mergeRules

export interface MergeOptions extends LayerOptions {
  readonly by: MergeName
}

/** A node of a graph that joins others: it takes several tensors, where a layer takes one. */
export function merge(options: MergeOptions): Layer {
  checkOneOf('nn.model', 'by', options.by, Object.keys(mergeRules))
  const joins: MergeRule = mergeRules[options.by]
  return layer('merge', options, {
    infer: (input) => ({ output: joins.output([input]), weights: [] }),
    apply: ({ tf }, x) => joins.apply(tf, [x]),
    joins,
  })
}
