/** Layers made of layers: branches side by side, a layer over time, a layer both ways. */
import { checkOneOf, show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { applyAsOne, inferAsOne, withMask } from './chain.js'
import { layer, showShape } from './layer.js'
import type { Layer, LayerOptions, Shape, WeightSpec } from './layer.js'
import type { LayerOf, Steps } from './literal-shapes.js'
import { mergeRules } from './merge.js'

export interface BranchesOptions extends LayerOptions {
  /** Each takes the whole input; one without layers passes it on. */
  readonly branches: readonly (readonly Layer[])[]
}

/**
 * The sum of branches with one output shape: `x: [batch, ...] -> [batch, ...output]`. `branches: [[...], []]` is a residual
 * connection.
 *
 * @throws ShardbookError `argument` with fewer than two branches, and when their outputs differ in shape.
 * @example
 * ```ts
 * nn.add({ branches: [[nn.conv2d({ filters: 8, kernelSize: 3, padding: 'same' })], []] })
 * ```
 */
export function add<const Branches extends readonly (readonly Layer[])[]>(
  options: BranchesOptions & { readonly branches: Branches },
): LayerOf<'add', 'any', readonly ['add', Branches]> {
  return branched('add', options)
}

/**
 * Branches side by side along the last axis: `x: [batch, ...] -> [batch, ..., sum of the last axes]`. With `nn.inputs` at
 * their beginnings the branches are the inputs of a network with several.
 *
 * @throws ShardbookError `argument` with fewer than two branches, and when their outputs differ before the last axis.
 * @example
 * ```ts
 * nn.concatenate({ branches: [[nn.dense({ units: 4, activation: 'tanh' })], []] })
 * ```
 */
export function concatenate<const Branches extends readonly (readonly Layer[])[]>(
  options: BranchesOptions & { readonly branches: Branches },
): LayerOf<'concatenate', 'any', readonly ['concatenate', Branches]> {
  return branched('concatenate', options)
}

export interface ResidualOptions extends LayerOptions {
  readonly layers: readonly Layer[]
}

/**
 * A residual connection (He and others, 2015), `x + layers(x)`: `x: [batch, ...] -> [batch, ...]`.
 *
 * @throws ShardbookError `argument` without layers, and when they change the shape.
 * @example
 * ```ts
 * nn.residual({ layers: [nn.dense({ units: 16, activation: 'relu' }), nn.dense({ units: 16 })] })
 * ```
 */
export function residual<const Layers extends readonly Layer[]>(
  options: ResidualOptions & { readonly layers: Layers },
): LayerOf<'residual', 'any', readonly ['residual', Layers]> {
  const layers = checkLayers('residual', 'layers', options.layers)
  return layer('residual', options, {
    infer: (input) => {
      const inferred = inferAsOne('nn.residual', layers, input)
      if (showShape(inferred.output) === showShape(input)) return inferred
      throw new ShardbookError(
        'argument',
        `nn.residual: expected layers that keep the shape ${showShape(input)}, got ${showShape(inferred.output)}.`,
        { hint: 'nn.add takes a branch that changes the input too.' },
      )
    },
    apply: (context, x, weights) => context.tf.add(x, applyAsOne(context, layers, x, weights)),
  })
}

export interface TimeDistributedOptions extends LayerOptions {
  readonly layer: Layer
}

/**
 * A layer on every step with the same weights: `x: [batch, steps, ...] -> [batch, steps, ...output]`.
 *
 * @throws ShardbookError `argument` when samples have no steps, or the layer cannot take one, or acts while training only.
 * @example
 * ```ts
 * nn.timeDistributed({ layer: nn.dense({ units: 8 }) })
 * ```
 */
export function timeDistributed<const Inner extends Layer>(
  options: TimeDistributedOptions & { readonly layer: Inner },
): LayerOf<'timeDistributed', 'any', readonly ['each', Inner]> {
  const [inner] = checkLayers('timeDistributed', 'layer', [options.layer]) as [Layer]
  if (perSample.has(inner.kind)) {
    throw new ShardbookError(
      'argument',
      `nn.timeDistributed: expected a layer of one step alone, got nn.${inner.kind}, whose numbers go by sample.`,
      { hint: 'Put it before or behind: it takes sequences as they are.' },
    )
  }
  return layer('timeDistributed', options, {
    infer: (input) => {
      if (input.length < 2) {
        throw new ShardbookError(
          'argument',
          `nn.timeDistributed: expected samples of shape [steps, ...], got ${showShape(input)}.`,
        )
      }
      const { output, weights } = inner.infer(input.slice(1))
      return { output: [input[0]!, ...output], weights }
    },
    apply: (context, x, weights) => {
      const [rows, steps, ...step] = x.shape as [number, number, ...number[]]
      const y = inner.apply(withMask(context, undefined), context.tf.reshape(x, [rows * steps, ...step]), weights)
      return context.tf.reshape(y, [rows, steps, ...y.shape.slice(1)])
    },
  })
}

/** Layers that draw or count by sample: on steps as rows they would take the wrong numbers. */
const perSample = new Set([
  'dropout',
  'spatialDropout',
  'gaussianNoise',
  'gaussianSample',
  'batchNormalization',
  'add',
  'concatenate',
  'residual',
  'multiHeadAttention',
  'crossAttention',
  'transformerBlock',
])

const merges = ['concat', 'sum'] as const

export interface BidirectionalOptions extends LayerOptions {
  /** A recurrent layer; the way back has its options and weights of its own. */
  readonly layer: Layer
  /** How both outputs become one. Default `'concat'`. */
  readonly merge?: (typeof merges)[number]
}

/**
 * A recurrent layer forward and another backward in time (Schuster and Paliwal, 1997): `x: [batch, steps, in] ->
 * [batch, 2 * units]`, or `[batch, steps, 2 * units]` where the layer returns sequences; `units` wide with `merge: 'sum'`.
 *
 * @throws ShardbookError `argument` for a layer that is not recurrent.
 * @example
 * ```ts
 * nn.bidirectional({ layer: nn.lstm({ units: 32 }) })
 * ```
 */
export function bidirectional<const Inner extends Layer, const Merge extends 'concat' | 'sum' = 'concat'>(
  options: BidirectionalOptions & { readonly layer: Inner; readonly merge?: Merge },
): LayerOf<'bidirectional', Steps, readonly ['both', Inner, Merge]> {
  const { merge = 'concat' } = options
  checkOneOf('nn.bidirectional', 'merge', merge, merges)
  const [inner] = checkLayers('bidirectional', 'layer', [options.layer]) as [Layer]
  checkOneOf('nn.bidirectional', 'layer', inner.kind, ['simpleRnn', 'lstm', 'gru'])
  const back = {}
  return layer('bidirectional', options, {
    infer: (input) => {
      const { output, weights } = inner.infer(input)
      const way = (name: string, spec: WeightSpec): WeightSpec => ({ ...spec, name: `${name}/${spec.name}` })
      return {
        output: merge === 'sum' ? output : [...output.slice(0, -1), 2 * output.at(-1)!],
        weights: [
          ...weights.map((spec) => way('forward', spec)),
          ...weights.map((spec) => way('backward', { ...spec, owner: { layer: back, weight: spec.name } })),
        ],
      }
    },
    apply: (context, x, weights) => {
      const { tf } = context
      const half = weights.length / 2
      const forward = inner.apply(context, x, weights.slice(0, half))
      const reversed = withMask(context, context.mask && tf.reverse(context.mask, 1))
      const last = inner.apply(reversed, tf.reverse(x, 1), weights.slice(half))
      const backward = last.rank === 3 ? tf.reverse(last, 1) : last
      return merge === 'sum' ? tf.add(forward, backward) : tf.concat([forward, backward], -1)
    },
  })
}

function branched(kind: 'add' | 'concatenate', options: BranchesOptions): Layer {
  const { branches } = options
  const rule = mergeRules[kind]
  if (!Array.isArray(branches) || branches.length < 2) {
    throw new ShardbookError('argument', `nn.${kind}: expected at least two branches, got ${show(branches)}.`)
  }
  for (const branch of branches) checkLayers(kind, 'every branch', branch, 0)
  const inferBranches = (input: Shape) =>
    branches.map((branch, i) => {
      const { output, weights } = inferAsOne(`nn.${kind}, branch ${i + 1}`, branch, input)
      return { output, weights: weights.map((spec) => ({ ...spec, name: `branch${i + 1}/${spec.name}` })) }
    })
  return layer(kind, options, {
    infer: (input) => {
      const inferred = inferBranches(input)
      return {
        output: rule.output(inferred.map(({ output }) => output)),
        weights: inferred.flatMap(({ weights }) => weights),
      }
    },
    apply: (context, x, weights) => {
      let taken = 0
      const counts = inferBranches(x.shape.slice(1)).map((inferred) => inferred.weights.length)
      const outputs = branches.map((branch, i) => {
        taken += counts[i]!
        return applyAsOne(context, branch, x, weights.slice(taken - counts[i]!, taken))
      })
      return rule.apply(context.tf, outputs)
    },
  })
}

/** @throws ShardbookError `argument` unless they are layers, `least` or more */
export function checkLayers(kind: string, name: string, layers: readonly Layer[], least = 1): readonly Layer[] {
  const isLayer = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && 'infer' in value && 'apply' in value
  if (Array.isArray(layers) && layers.length >= least && layers.every(isLayer)) return layers
  throw new ShardbookError('argument', `nn.${kind}: expected ${name} to be layers, got ${show(layers)}.`)
}
