import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import { loadTf, openEngine, record } from '../../../src/engine/index.js'
import type { Engine } from '../../../src/engine/index.js'
import type { Tf } from '../../../src/engine/tf.js'
import * as nn from '../../../src/nn/index.js'
import { modelOf } from '../../../src/nn/model-data.js'
import { onEngines } from '../on-engines.js'

interface Numbers {
  readonly shape: readonly number[]
  /** Numbers with blanks between. */
  readonly values: string
}

interface Case {
  readonly kind: string
  readonly options: object
  readonly input: Numbers
  readonly weights: readonly Numbers[]
  readonly towards: Numbers
  readonly output: string
  /** Absent for tokens. */
  readonly inputGradient: string | null
  /** Of the trained weights. */
  readonly gradients: readonly string[]
  readonly training: boolean
  /** The running averages after the step, where it is one of training. */
  readonly moved: readonly string[]
}

interface LossCase {
  readonly kind: string
  readonly output: Numbers
  readonly target: Numbers
  readonly smoothing: number | null
  readonly delta: number | null
  readonly rows: string
}

// Made by Keras: ../fixtures/layers.py
const { cases, losses } = JSON.parse(readFileSync(new URL('../fixtures/layers.json', import.meta.url), 'utf8')) as {
  cases: Case[]
  losses: LossCase[]
}

const plainLosses: Readonly<Record<string, nn.Loss>> = {
  binaryCrossEntropy: nn.binaryCrossEntropy,
  categoricalCrossEntropy: nn.categoricalCrossEntropy,
  cosineSimilarity: nn.cosineSimilarity,
  hinge: nn.hinge,
  klDivergence: nn.klDivergence,
  meanAbsoluteError: nn.meanAbsoluteError,
  meanSquaredError: nn.meanSquaredError,
  softmaxCrossEntropy: nn.softmaxCrossEntropy,
}

onEngines("layers equal Keras's", (name) => {
  let engine: Engine
  let tf: Tf
  beforeAll(async () => {
    engine = await openEngine(name)
    tf = await loadTf()
  })

  const tensor = ({ values, shape }: Numbers): Tensor => tf.tensor(numbers(values), [...shape])

  test.each(cases.map((reference) => [`${reference.kind} ${JSON.stringify(reference.options)}`, reference] as const))(
    '%s',
    (_, { kind, options, input, weights, towards, output, inputGradient, gradients, training, moved }) => {
      const model = modelOf({ inputShape: input.shape.slice(1), layers: [{ kind, options }] })
      const { layer } = model.layers[0]!
      expect(model.weights.map(({ shape }) => shape)).toEqual(weights.map(({ shape }) => shape))
      const trained = model.weights.flatMap(({ momentum }, i) => (momentum === undefined ? [i] : []))
      const averages = model.weights.flatMap(({ momentum }, i) => (momentum === undefined ? [] : [i]))

      const inputs = [tensor(input), ...weights.map(tensor), tensor(towards), tf.ones([input.shape[0]!]), tf.scalar(1)]
      const trace = record(
        inputs.map((given, i) => ({ name: `${i}`, tensor: given, split: false })),
        () => {
          const [target, mask, share] = inputs.slice(-3) as [Tensor, Tensor1D, Scalar]
          const context = training ? { tf, training: { mask, share } } : { tf }
          const apply = (x: Tensor, ...own: Tensor[]): Tensor => layer.apply(context, x, own)
          const y = apply(...(inputs.slice(0, 1 + weights.length) as [Tensor, ...Tensor[]]))
          const loss = (x: Tensor, ...own: Tensor[]) => tf.sum(tf.mul(target, apply(x, ...own)))
          const found =
            inputGradient === null
              ? tf.grads((...own) => loss(inputs[0]!, ...own))(inputs.slice(1, -3))
              : tf.grads(loss)(inputs.slice(0, -3))
          return [y, ...found].map((result, i) => ({ name: `out${i}`, tensor: result, merge: 'sum' }))
        },
      )
      const program = engine.load(trace)
      const [y, ...found] = program.run(inputs).map((result) => [...result.dataSync()])
      program.dispose()
      tf.dispose(inputs)

      expectClose(y!, output)
      const [dx, own] = inputGradient === null ? [[], found] : [found[0]!, found.slice(1)]
      expectClose(dx, inputGradient ?? '')
      for (const [k, i] of trained.entries()) expectClose(own[i]!, gradients[k]!)
      if (!training) return
      expect(moved.length).toBe(averages.length)
      for (const [k, i] of averages.entries()) {
        const rest = 1 - model.weights[i]!.momentum!
        expectClose(
          numbers(weights[i]!.values).map((value, j) => value - rest * own[i]![j]!),
          moved[k]!,
        )
      }
    },
  )
})

describe("losses equal Keras's", () => {
  test.each(losses.map((reference) => [reference.kind, reference.smoothing, reference] as const))(
    '%s, label smoothing %s',
    async (kind, smoothing, { output, target, delta, rows }) => {
      await openEngine('wasm')
      const tf = await loadTf()
      const plain = delta === null ? plainLosses[kind]! : nn.huber({ delta })
      const loss = smoothing === null ? plain : nn.labelSmoothing(plain, smoothing)
      const got = tf.tidy(
        () =>
          [
            ...loss
              .rows(
                tf,
                tf.tensor(numbers(output.values), [...output.shape]),
                tf.tensor(numbers(target.values), [...target.shape], loss.target),
              )
              .dataSync(),
          ] as never,
      )
      expectClose(got, rows)
    },
  )
})

/** Within 1e-5, absolute for small numbers and relative for great ones. */
function expectClose(got: readonly number[], reference: string): void {
  const expected = numbers(reference)
  expect(got.length).toBe(expected.length)
  const errors = got.map((value, i) => Math.abs(value - expected[i]!) / Math.max(1, Math.abs(expected[i]!)))
  expect(Math.max(0, ...errors)).toBeLessThan(1e-5)
}

function numbers(text: string): number[] {
  return text === '' ? [] : text.split(' ').map(Number)
}
