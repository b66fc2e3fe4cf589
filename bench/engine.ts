/**
 * The engine against Keras (TensorFlow), PyTorch, JAX and our own engine without graphs: training, inference, first steps,
 * and whether the losses are the same.
 *
 * `npm run bench:engine -- [--rounds N] [--json FILE] [--only TEXT] [--peers keras,torch,jax,eager] [--measure speed,losses]`
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
const takesPart = (peer: string): boolean => options.peers?.includes(peer) ?? true
const measures = (what: 'speed' | 'losses'): boolean => options.measure?.includes(what) ?? true
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
  if (measures('speed') && 'inference'.includes(options.only)) rows.push(...(await inference(peers, options.rounds)))
  if (measures('speed') && 'wasm'.includes(options.only)) rows.push(...(await wasmTraining(options.rounds)))
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
  const load = async (peer: 'keras' | 'torch' | 'jax') => (takesPart(peer) ? peers.load(peer, workload) : undefined)
  const eager = takesPart('eager') ? await eagerStepper(workload) : undefined
  const [keras, torch, jax] = [await load('keras'), await load('torch'), await load('jax')] as const
  const found = [against(`${workload.name}: first step`, 'ms', firstMs, firstStepLimitMs)]
  if (measures('losses')) found.push(...(await compareLosses(workload, { first: firstLoss!, ours, eager, keras })))
  if (!measures('speed')) {
    await Promise.all([ours.close(), eager?.close()])
    return found
  }
  const others = [keras, torch, jax].flatMap((peer) => peer ?? [])
  const contestants = [await ofStepper('shardbook', ours), ...others.map(ofPeer)]
  if (eager !== undefined) contestants.push(await ofStepper('eager: no graph', eager))
  const figures = await contest(contestants, options.rounds)
  printFigures(`${workload.name}, training, batch ${workload.batchRows}`, 'ms/step', figures)
  const [own, ...rivals] = figures as [Figures, ...Figures[]]
  const goalOf = (peer: Figures): number => (peer.name === keras?.name ? workload.goal : 1)
  return [...rivals.map((peer) => compare(`${workload.name}: training`, 'ms/step', own, peer, goalOf(peer))), ...found]
}

/** The largest relative difference of the first steps' losses, as rows. */
async function compareLosses(
  workload: Workload,
  {
    first,
    ours,
    eager,
    keras,
  }: { first: number; ours: Stepper; eager: Stepper | undefined; keras: LoadedPeer | undefined },
): Promise<Row[]> {
  const { name } = workload
  const own = [first, ...(await ours.run(comparedSteps - 1))]
  const sliced = await eagerStepper(workload, slicesOf(workload.network, workload.batchRows))
  const eagerly = await sliced.run(comparedSteps)
  await sliced.close()
  const gap = (other: readonly number[]): number =>
    Math.max(...own.map((loss, i) => Math.abs(loss - other[i]!) / Math.max(other[i]!, 0.01)))
  console.log(`\n${name}: loss ${own[0]!.toFixed(4)} at step 1, ${own.at(-1)!.toFixed(4)} at step ${comparedSteps}`)
  const found = [against(`${name}: losses as eager, same slices`, 'relative', gap(eagerly), 1e-4)]
  if (eager !== undefined) {
    const whole = await eager.run(comparedSteps)
    found.push(against(`${name}: losses as eager, whole batch`, 'relative', gap(whole), 1e-2))
  }
  if (keras !== undefined) {
    const [, ...losses] = (await keras.ask(`losses ${comparedSteps}`)).split(' ').map(Number)
    found.push(against(`${name}: losses as Keras`, 'relative', gap(losses), 1e-2))
  }
  return found
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
