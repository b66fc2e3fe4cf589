/**
 * The engine against Keras (TensorFlow), PyTorch, JAX and our own engine without graphs: training, inference, first steps,
 * and whether the losses are the same.
 *
 * `npm run bench:engine -- [--rounds N] [--json FILE] [--only TEXT]`
 */
import { openEngine } from '../src/engine/index.js'
import { inference } from './engine/inference.js'
import { type LoadedPeer, Peers, numberOf } from './engine/peers.js'
import { type Stepper, eagerStepper, loopStepper } from './engine/training.js'
import { wasmTraining } from './engine/wasm.js'
import { type Workload, workloads } from './engine/workloads.js'
import { type Contestant, type Figures, contest } from './harness/contest.js'
import { slicesOf } from '../src/nn/ml/fit.js'
import { type Row, against, benchOptions, compare, printFigures, report } from './harness/report.js'

/** How long a contestant works in a round, about. */
const roundMs = 400
const comparedSteps = 200
const firstStepLimitMs = 5000

const options = benchOptions()
const peers = await Peers.open()
const rows: Row[] = []
try {
  const [one, all] = [await peers.sgemm('one'), await peers.sgemm('all')]
  console.log(`sgemm peak: ${one.toFixed(0)} GFLOP/s on one core, ${all.toFixed(0)} on all`)
  for (const make of workloads) {
    const workload = make()
    if (!workload.name.includes(options.only)) continue
    rows.push(...(await training(workload)))
  }
  if ('inference'.includes(options.only)) rows.push(...(await inference(peers, options.rounds)))
  if ('wasm'.includes(options.only)) rows.push(...(await wasmTraining(options.rounds)))
} finally {
  await peers.close()
}
report(rows, options)

/** Speed of training one network, and its losses. */
async function training(workload: Workload): Promise<Row[]> {
  const engine = await openEngine('native')
  const began = performance.now()
  const ours = await loopStepper(engine, workload)
  const [firstLoss] = await ours.run(1)
  const firstMs = performance.now() - began
  const eager = await eagerStepper(workload)
  const [keras, torch, jax] = [
    await peers.load('keras', workload),
    await peers.load('torch', workload),
    await peers.load('jax', workload),
  ] as const
  const losses = await compareLosses(workload, { first: firstLoss!, ours, eager, keras })
  const figures = await contest(
    [
      await ofStepper('shardbook', ours),
      ofPeer(keras),
      ofPeer(torch),
      ofPeer(jax),
      await ofStepper('eager: no graph', eager),
    ],
    options.rounds,
  )
  const title = `${workload.name}, training, batch ${workload.batchRows}`
  printFigures(title, 'ms/step', figures)
  const [own, againstKeras, ...others] = figures as [Figures, Figures, ...Figures[]]
  return [
    compare(`${workload.name}: training`, 'ms/step', own, againstKeras, workload.goal),
    ...others.map((peer) => compare(`${workload.name}: training`, 'ms/step', own, peer, 1)),
    against(`${workload.name}: first step`, 'ms', firstMs, firstStepLimitMs),
    ...losses,
  ]
}

/** The largest relative difference of the first steps' losses, as rows. */
async function compareLosses(
  workload: Workload,
  { first, ours, eager, keras }: { first: number; ours: Stepper; eager: Stepper; keras: LoadedPeer },
): Promise<Row[]> {
  const { name } = workload
  const own = [first, ...(await ours.run(comparedSteps - 1))]
  const sliced = await eagerStepper(workload, slicesOf(workload.network, workload.batchRows))
  const eagerly = await sliced.run(comparedSteps)
  await sliced.close()
  const whole = await eager.run(comparedSteps)
  const [, ...kerasLosses] = (await keras.ask(`losses ${comparedSteps}`)).split(' ').map(Number)
  const gap = (other: readonly number[]): number =>
    Math.max(...own.map((loss, i) => Math.abs(loss - other[i]!) / Math.max(other[i]!, 0.01)))
  console.log(`\n${name}: loss ${own[0]!.toFixed(4)} at step 1, ${own.at(-1)!.toFixed(4)} at step ${comparedSteps}`)
  return [
    against(`${name}: losses as eager, same slices`, 'relative', gap(eagerly), 1e-4),
    against(`${name}: losses as eager, whole batch`, 'relative', gap(whole), 1e-2),
    against(`${name}: losses as Keras`, 'relative', gap(kerasLosses), 1e-2),
  ]
}

async function ofStepper(name: string, stepper: Stepper): Promise<Contestant> {
  const timed = async (steps: number): Promise<number> => {
    const began = performance.now()
    await stepper.run(steps)
    return (performance.now() - began) / steps
  }
  const steps = Math.max(2, Math.round(roundMs / (await timed(3))))
  return { name, measure: async () => timed(steps), close: async () => stepper.close() }
}

function ofPeer({ name, stepMs, ask }: LoadedPeer): Contestant {
  const steps = Math.max(2, Math.round(roundMs / stepMs))
  return { name, measure: async () => numberOf(name, await ask(`train ${steps}`)) }
}
