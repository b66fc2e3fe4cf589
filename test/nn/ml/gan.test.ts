/** Adversarial networks: what they learn, what they draw, and that a step is one job like any other. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tensor } from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadTf, openEngine } from '../../../src/engine/index.js'
import type { EngineName } from '../../../src/engine/index.js'
import { withRandom } from '../../../src/engine/random.js'
import * as nn from '../../../src/nn/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { playRound } from '../../../src/nn/ml/adversaries.js'
import { applyModel, initialWeights } from '../../../src/nn/model.js'
import type { Strategy } from '../../../src/nn/strategy.js'
import type { TrainingJob } from '../../../src/nn/train/job.js'
import { clusters } from './clusters.js'
import { onEngines } from '../on-engines.js'
import { bars, distance, trainWith } from '../train/fixture.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shardbook-generative-'))
})
afterAll(async () => rm(folder, { recursive: true, force: true }))

onEngines('GAN', (name) => {
  beforeAll(async () => {
    await openEngine(name)
  })

  test.each([
    ['gan', { maxIter: 40 }, nn.adam({ beta1: 0.5 })],
    ['wgan-gp', { maxIter: 80 }, nn.adam({ beta1: 0, beta2: 0.9 })],
  ] as const)(
    '%s: makes points where the real ones are, by class, and is the same when loaded',
    async (loss, options, optimiser) => {
      const gan = new ml.GAN({
        inputCol: 'point',
        labelCol: 'label',
        loss,
        latentSize: 4,
        batchSize: 40,
        stepSize: 0.003,
        // Players circle around each other; the average of their weights lies in the middle.
        optimiser: nn.movingAverage(optimiser, { decay: 0.98 }),
        ...options,
      })
      const training = gan.fit(clusters(400, 1))
      const model = await training
      expect(Object.keys(training.history[0]!)).toEqual(['epoch', 'step', 'loss', 'critic', 'generator'])
      const drawn = await model.sample(200, { seed: 1 })
      const rows = await drawn.toRows()
      const centre = (label: number) => {
        const points = rows.filter((row) => row.label === label).map((row) => [...row.point.values])
        return [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis]!, 0) / points.length)
      }
      for (const [label, [x, y]] of [
        [2, 0],
        [-1, 3],
      ].entries()) {
        const [a, b] = centre(label)
        expect(Math.hypot(a! - x!, b! - y!)).toBeLessThan(0.8)
      }
      expect((await (await model.sample(5, { label: 1 })).toColumns()).label).toEqual(Int32Array.from([1, 1, 1, 1, 1]))
      await expect(model.sample(5, { label: 2 })).rejects.toThrow(/label/)

      await model.save(join(folder, `gan-${name}-${loss}`))
      const again = await ml.load(join(folder, `gan-${name}-${loss}`), 'GANModel')
      expect(await (await again.sample(200, { seed: 1 })).toRows()).toEqual(rows)
      expect(await again.transform(clusters(9, 2)).toRows()).toEqual(await model.transform(clusters(9, 2)).toRows())
    },
  )

  test('ends with the averages that its players keep', async () => {
    const drawnAfter = async (maxIter: number, decay: number) => {
      const optimiser = nn.movingAverage(nn.adam(), { decay })
      const gan = new ml.GAN({ inputCol: 'point', latentSize: 4, maxIter, batchSize: 40, optimiser })
      return (await (await gan.fit(clusters(80, 1))).sample(5, { seed: 1 })).toRows()
    }
    expect(await drawnAfter(1, 1)).toEqual(await drawnAfter(2, 1))
    expect(await drawnAfter(1, 0)).not.toEqual(await drawnAfter(2, 0))
  })

  test('of images: makes bytes of the shape that was learnt from', async () => {
    const model = await new ml.GAN({
      inputCol: 'image',
      filters: [4, 6],
      latentSize: 5,
      maxIter: 1,
      batchSize: 16,
    }).fit(bars(48))
    const [row] = await (await model.sample(3)).toRows()
    expect(row!.image).toMatchObject({ shape: [8, 8, 1], dtype: 'uint8' })
    expect(model.transform(bars(4)).columns).toContain('score')
  })

  test.each(['gan', 'wgan-gp'] as const)('%s: shares its steps among workers as any training', async (loss) => {
    const states: { one: TrainingJob['start']; two: TrainingJob['start'] }[] = []
    const engine = await openEngine(name)
    const both = strategyOf(name, async (job) => {
      const [one, two] = [await trainWith(engine, job, 1), await trainWith(engine, job, 2)]
      states.push({ one: one.state, two: two.state })
      return one.state
    })
    await new ml.GAN({
      inputCol: 'image',
      loss,
      filters: [3],
      latentSize: 3,
      maxIter: 1,
      batchSize: 16,
      slices: 2,
    }).fit(bars(48), { on: both })
    expect(distance(states[0]!.one, states[0]!.two)).toBeLessThan(2e-4)
  })

  test('the gradients of one loss are those of two players', async () => {
    const tf = await loadTf()
    const generator = nn.model([nn.dense({ units: 6, activation: 'tanh' }), nn.dense({ units: 2 })], {
      inputShape: [3],
    })
    const critic = nn.model([nn.dense({ units: 5 }), nn.leakyRelu(), nn.dense({ units: 1 })], { inputShape: [2] })
    const weights = [...initialWeights(generator, 1), ...initialWeights(critic, 2)].map(({ values, shape }) =>
      tf.tensor(values.slice(), [...shape]),
    )
    const split = generator.weights.length
    const [z, real] = [tf.randomNormal([4, 3], 0, 1, 'float32', 1), tf.randomNormal([4, 2], 0, 1, 'float32', 2)]
    const made = (w: readonly Tensor[]): Tensor => applyModel(generator, { tf }, w.slice(0, split), z)
    const judged = (w: readonly Tensor[], x: Tensor): Tensor =>
      tf.reshape(applyModel(critic, { tf }, w.slice(split), x), [4])
    const key = tf.scalar(7, 'int32')
    const ours = tf.grads((...w: Tensor[]) =>
      withRandom({ key, rows: tf.tensor1d([0, 1, 2, 3], 'int32') }, (random) =>
        tf.sum(
          playRound(
            { tf, random },
            { kind: 'gan', gradientPenalty: 0, real, made: made(w), critic: (x) => judged(w, x) as never },
          ).output,
        ),
      ),
    )(weights)
    const ofGenerator = tf
      .grads((...w: Tensor[]) => tf.sum(tf.softplus(tf.neg(judged(w, made(w))))))(weights)
      .slice(0, split)
    const ofCritic = tf
      .grads((...w: Tensor[]) =>
        tf.add(tf.sum(tf.softplus(tf.neg(judged(w, real)))), tf.sum(tf.softplus(judged(w, made(w))))),
      )(weights)
      .slice(split)
    for (const [i, expected] of [...ofGenerator, ...ofCritic].entries()) {
      expect(tf.max(tf.abs(tf.sub(ours[i]!, expected))).dataSync()[0]).toBeLessThan(1e-6)
    }
  })

  test('the penalty on the slope is differentiated twice: its gradients equal finite differences', async () => {
    const tf = await loadTf()
    const critic = nn.model(
      [
        nn.conv2d({ filters: 3, kernelSize: 4, strides: 2, padding: 'same' }),
        nn.activation('tanh'),
        nn.conv2d({ filters: 4, kernelSize: 4, strides: 2, padding: 'same', activation: 'tanh' }),
        nn.flatten(),
        nn.dense({ units: 1 }),
      ],
      { inputShape: [8, 8, 2] },
    )
    const weights = initialWeights(critic, 1).map(({ values, shape }) => tf.tensor(values.slice(), [...shape]))
    const image = (seed: number): Tensor => tf.randomNormal([3, 8, 8, 2], 0, 1, 'float32', seed)
    const [real, made, key] = [image(1), image(2), tf.scalar(7, 'int32')]
    const penalty = (...w: Tensor[]): Tensor =>
      withRandom({ key, rows: tf.tensor1d([0, 1, 2], 'int32') }, (random) => {
        const judge = (x: Tensor): Tensor => tf.reshape(applyModel(critic, { tf }, w, x), [3])
        const round = { kind: 'wgan-gp', gradientPenalty: 10, real, made, critic: judge as never } as const
        // Without the generator's part, which does not reach the critic.
        const [ofCritic, , slope] = tf.split(playRound({ tf, random }, round).output, 3, 1) as [Tensor, Tensor, Tensor]
        return tf.sum(tf.add(ofCritic, slope))
      })
    const gradients = tf.grads(penalty)(weights)
    for (const [k, gradient] of gradients.entries()) {
      const direction = tf.tensor(
        Array.from({ length: gradient.size }, (_, i) => Math.cos(3 * i + k)),
        gradient.shape,
      )
      const at = (step: number): number =>
        penalty(...weights.map((w, i) => (i === k ? tf.add(w, tf.mul(direction, step)) : w))).dataSync()[0]!
      const slope = tf.sum(tf.mul(direction, gradient)).dataSync()[0]!
      expect(Math.abs((at(1e-3) - at(-1e-3)) / 2e-3 - slope)).toBeLessThan(0.01 * (1 + Math.abs(slope)))
    }
  })
})

describe('GAN', () => {
  test('refuses networks that cannot play, and validation rows', async () => {
    const gan = new ml.GAN({ inputCol: 'point', maxIter: 1 })
    const points = clusters(40, 1)
    await expect(gan.copy({ generator: [nn.dense({ units: 3 })] }).fit(points)).rejects.toThrow(
      /generator that ends in \[2\], got \[3\]/,
    )
    await expect(gan.copy({ critic: [nn.dense({ units: 2 })] }).fit(points)).rejects.toThrow(
      /critic that ends in \[1\], got \[2\]/,
    )
    await expect(
      gan.copy({ critic: [nn.batchNormalization({ local: true }), nn.dense({ units: 1 })] }).fit(points),
    ).rejects.toThrow(/without batch normalisation/)
    expect(() => gan.fit(points, { validation: points })).toThrow(/no validation rows/)
    expect(() => new ml.GAN({ inputCol: 'point', loss: 'other' as never })).toThrow(/loss/)
  })
})

function strategyOf(engine: EngineName, run: (job: TrainingJob) => Promise<TrainingJob['start']>): Strategy {
  return {
    workers: 2,
    engine,
    inProcess: true,
    step: (job, listener) => ({
      done: run(job).then((state) => {
        listener({ kind: 'end', reason: 'done', step: state.step, seconds: 0 })
        return state
      }),
      pause: async () => {},
      resume: async () => {},
      stop: async () => {},
    }),
    map: async (jobs) => Promise.all(jobs.map(run)),
    transform: () => {
      throw new Error('nothing is transformed here')
    },
  }
}
