/** One workload in a process of its own (a process opens one device once, in one precision): prints one line of JSON. */
import { loadTf, openEngine } from '../../src/engine/index.js'
import { frame, openFeed } from '../../src/frame/index.js'
import { adam } from '../../src/nn/optimiser.js'
import { softmaxCrossEntropy } from '../../src/nn/loss.js'
import { applyModel, initialWeights, model } from '../../src/nn/model.js'
import type { TrainingJob } from '../../src/nn/train/job.js'
import { createLoop } from '../../src/nn/train/loop.js'
import { recordPrograms } from '../../src/nn/train/programs.js'
import { watchGpu } from './busy.js'
import { gpuWorkloads, rowsOf } from './workloads.js'

const [name, steps = '100'] = process.argv.slice(2)
const workload = gpuWorkloads.find((one) => one.name === name)
if (workload === undefined) throw new Error(`expected one of ${gpuWorkloads.map((one) => one.name).join(', ')}`)
const { layers, inputShape, batchRows, precision } = workload
const engine = await openEngine('pjrt', { precision })
const tf = await loadTf()
const network = model(layers, { inputShape })
const weights = initialWeights(network, 7)
const start = { step: 0, weights, slots: adam().init(weights) }
const objective = {
  weights: network.weights,
  columns: [
    { name: 'x', dtype: 'float32' as const, shape: inputShape },
    { name: 'y', dtype: 'int32' as const, shape: [] },
  ],
  loss: softmaxCrossEntropy,
  metrics: [],
  forward: (
    context: Parameters<typeof applyModel>[1],
    own: Parameters<typeof applyModel>[2],
    [x, y]: Parameters<typeof applyModel>[2],
  ) => ({
    output: applyModel(network, context, own, x!),
    target: y!,
  }),
}
const { x, y } = rowsOf(workload, 8)
const job: TrainingJob = {
  version: 1,
  name: workload.name,
  engine: 'pjrt',
  seed: 0,
  epochs: 1e9,
  batchRows,
  slices: 1,
  metrics: [],
  programs: recordPrograms(tf, objective, adam(), start, batchRows),
  start,
  data: await frame({ x: { ...x, shape: [...x.shape] as [number, ...number[]] }, y }).source(['x', 'y']),
  rates: [1e-3],
}
const warm = 20
const count = Number(steps)
let done = 0
let began = 0
let cpu = process.cpuUsage()
/** After the steps that are timed as many more as the driver needs to tell how busy the device is. */
const watchedMs = 3000
let timed: { stepMs: number; hostMs: number } | undefined
let busy: ReturnType<typeof watchGpu> | undefined
let loss = Number.NaN
const loop = await createLoop(job, {
  engine,
  owned: [0],
  workers: 1,
  open: openFeed, // the product's own way: through the frame's batches
  reduce: async () => {},
  async gate() {
    const now = performance.now()
    if (done === warm) {
      began = now
      cpu = process.cpuUsage()
    }
    if (done === warm + count) {
      const used = process.cpuUsage(cpu)
      timed = { stepMs: (now - began) / count, hostMs: (used.user + used.system) / 1000 / count }
      if (engine.description.includes('cuda')) busy = watchGpu(0)
    }
    done++
    return timed === undefined || (busy !== undefined && now < began + count * timed.stepMs + watchedMs) ? 'go' : 'stop'
  },
  report(event) {
    if (event.kind === 'step') loss = event.loss
  },
})
await loop.run()
const result = {
  name,
  device: engine.description,
  ...timed,
  busy: await busy?.(),
  memory: engine.deviceMemory?.(),
  loss,
}
console.log(JSON.stringify(result))
await loop.dispose()
