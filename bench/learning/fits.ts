/**
 * Whole trainings: `fit` of a frame in memory against Keras's `fit` of arrays in memory, both shuffled, with the same network,
 * weights, batch and epochs. Ours includes recording and building the step each time; Keras's is warm. And the time of a step in
 * a training over that of the compiled step alone.
 */
import { type Engine, loadTf, openEngine, tensorOf } from '../../src/engine/index.js'
import { allocate, sizeOf } from '../../src/core/dtype.js'
import { hostSymbol, terminalHost } from '../../src/core/host.js'
import { type AnyFrame, frame } from '../../src/frame/index.js'
import { beginTraining, slicesOf } from '../../src/nn/ml/fit.js'
import { adam } from '../../src/nn/optimiser.js'
import { constant } from '../../src/nn/schedule.js'
import { recordPrograms } from '../../src/nn/train/programs.js'
import { Peers, numberOf } from '../engine/peers.js'
import { objectiveOf } from '../engine/workloads.js'
import { type Contestant, contest, median } from '../harness/contest.js'
import { type Row, against, compare, printFigures } from '../harness/report.js'
import { type FitWorkload, workloads } from './workloads.js'

/** Something that is measured over some rounds. */
export interface Contest {
  readonly name: string
  run(rounds: number): Promise<Row[]>
}

export const fits: readonly Contest[] = Object.entries(workloads).map(([name, make]) => ({
  name: `${name}: fit`,
  run: async (rounds) => fitContest(make(), rounds),
}))

/** A step in a training may take this much of the step alone. */
const overheadLimit = 1.05

/** A terminal to which trainings tell nothing, as Keras does with `verbose=0`. */
const silent = { ...terminalHost(), publish: () => {}, update: () => {} }

async function fitContest(workload: FitWorkload, rounds: number): Promise<Row[]> {
  Object.assign(globalThis, { [hostSymbol]: silent })
  const { name, epochs, goal } = workload
  const engine = await openEngine('native')
  const peers = await Peers.open('learning')
  try {
    const keras = await peers.load('keras', workload)
    const rows = asFrame(workload)
    const used = { ours: [] as number[], keras: [] as number[] }
    const ours: Contestant = {
      name: 'shardbook',
      measure: async () => {
        const [began, cpu] = [performance.now(), process.cpuUsage()]
        await fit(workload, rows)
        const { user, system } = process.cpuUsage(cpu)
        used.ours.push((user + system) / 1000)
        return performance.now() - began
      },
    }
    const theirs: Contestant = {
      name: keras.name,
      measure: async () => {
        const answer = await keras.ask(`fit ${epochs}`)
        used.keras.push(Number(answer.split(' ')[1]))
        return numberOf(keras.name, answer)
      },
    }
    await ours.measure()
    await theirs.measure()
    const [own, peer] = await contest([ours, theirs], rounds)
    printFigures(`${name}: fit of ${workload.x.shape[0]} rows, batch ${workload.batchRows}, ${epochs} epochs`, 'ms', [
      own!,
      peer!,
    ])
    console.log(
      `processor time: shardbook ${median(used.ours).toFixed(0)} ms, Keras ${median(used.keras).toFixed(0)} ms; last loss ` +
        `shardbook ${(await fit(workload, rows)).toFixed(4)}, Keras ${(await keras.ask(`fit ${workload.epochs}`)).split(' ')[2]}`,
    )
    return [compare(`${name}: fit`, 'ms', own!, peer!, goal), await overhead(engine, workload, rows, rounds)]
  } finally {
    await peers.close()
  }
}

/** Trains as an estimator does; the loss of the last epoch. */
async function fit(workload: FitWorkload, rows: AnyFrame, onStep: (step: number) => void = () => {}): Promise<number> {
  const training = beginTraining({
    name: workload.name,
    frame: rows,
    epochs: workload.epochs,
    stepSize: workload.learningRate,
    batch: { rows: workload.batchRows, isGiven: true },
    seed: 1,
    training: { schedule: constant(workload.learningRate) },
    fit: { callbacks: [(event) => (event.kind === 'step' ? onStep(event.step) : undefined)] },
    prepare: async () => ({
      objective: objectiveOf(workload),
      fields: {},
      rows: workload.x.shape[0]!,
      weights: workload.weights,
      finish: async () => ({ save: async () => {} }),
    }),
  })
  await training
  return training.history.at(-1)!.loss
}

/** Milliseconds a step within a training, without its beginning, against those of the compiled step on tensors that lie ready. */
async function overhead(engine: Engine, workload: FitWorkload, rows: AnyFrame, rounds: number): Promise<Row> {
  const stepsPerEpoch = Math.ceil(workload.x.shape[0]! / workload.batchRows)
  const bare = await bareStep(engine, workload)
  const inTraining: Contestant = {
    name: 'a step in a training',
    measure: async () => {
      let [first, last, count] = [0, 0, 0]
      await fit(workload, rows, (step) => {
        last = performance.now()
        if (step <= stepsPerEpoch / 2) first = last
        else count++
      })
      return (last - first) / count
    },
  }
  const figures = await contest([inTraining, bare], rounds)
  printFigures(`${workload.name}: overhead`, 'ms/step', figures)
  const [own, alone] = figures as [(typeof figures)[0], (typeof figures)[0]]
  return against(
    `${workload.name}: step in a training over the bare step`,
    'x',
    own.median / alone.median,
    overheadLimit,
  )
}

async function bareStep(engine: Engine, workload: FitWorkload): Promise<Contestant> {
  const tf = await loadTf()
  const { batchRows, weights, learningRate } = workload
  const objective = objectiveOf(workload)
  const slices = slicesOf(objective, batchRows)
  const start = { weights, slots: adam().init(weights) }
  const { gradients, update } = recordPrograms(tf, objective, adam(), start, batchRows / slices)
  const step = engine.loadStep({ gradients, update, reads: weights.length, results: 1 }, { slices })
  const state = [...start.weights, ...start.slots].map(tensorOf)
  step.restore(state)
  for (const tensor of state) tensor.dispose()
  const columns = objective.columns.map(({ dtype, shape: own }, i) => {
    const { values } = [workload.x, workload.y][i]!
    const batch = allocate(dtype, batchRows * sizeOf(own))
    batch.set(values.subarray(0, batch.length))
    return tf.tensor(batch, [batchRows, ...own], dtype)
  })
  const inputs = [
    ...columns,
    tf.ones([batchRows]),
    tf.zeros([batchRows], 'int32'),
    tf.scalar(1 / batchRows),
    tf.scalar(1, 'int32'),
    tf.scalar(learningRate),
    tf.scalar(1),
  ]
  const steps = Math.ceil(workload.x.shape[0]! / batchRows)
  return {
    name: 'the compiled step alone',
    measure: async () => {
      const began = performance.now()
      for (let i = 0; i < steps; i++) {
        const [loss] = step.run(inputs)
        if (i === steps - 1) await loss!.data()
        loss!.dispose()
      }
      return (performance.now() - began) / steps
    },
    close: () => {
      step.dispose()
      for (const tensor of inputs) tensor.dispose()
    },
  }
}

function asFrame({ x, y }: FitWorkload): AnyFrame {
  const column = ({ values, shape, dtype }: FitWorkload['x']) =>
    shape.length === 1
      ? (values as Int32Array)
      : { shape: shape as never, dtype: dtype as 'float32', values: values as Float32Array }
  return frame({ x: column(x), y: column(y) })
}
