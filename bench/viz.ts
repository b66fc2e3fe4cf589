/**
 * Charts: what a training's chart costs while it runs and when it is saved, a histogram of 10 million rows, a grid of feature
 * maps, the picture beside a chart; against Altair with VegaFusion and matplotlib.
 *
 * `npm run bench:viz -- [--rounds N] [--json FILE] [--only training|histogram|maps|png]`. Times are of the wall, peers take
 * turns with us in one run.
 */
import { read, viz } from '../src/index.js'
import { contest, median, quantile } from './harness/contest.js'
import { tableFile } from './harness/frame-data.js'
import { benchFile, peerContestant, peerPython, startPeer } from './harness/peer.js'
import { against, benchOptions, compare, printFigures, report, type Row } from './harness/report.js'

const options = benchOptions()
const results: Row[] = []
const sizeOf = (value: unknown): number => JSON.stringify(value).length / 1000

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** 100,000 steps with three metrics, validation, a falling rate, norms of gradients and the lanes of four workers. */
async function training(): Promise<void> {
  const [epochs, stepsPerEpoch] = [100, 1000]
  const noise = (i: number): number => Math.abs(Math.sin(12.9898 * i) * 43758.5453) % 1
  let view = viz.reduceTraining(viz.emptyTraining, {
    kind: 'start',
    name: 'digits',
    epochs,
    stepsPerEpoch,
    workers: 4,
    engine: 'native',
  })
  const lane = { rowsPerSecond: 3000.5, inputShare: 0.123, reduceShare: 0.045, memoryBytes: 4e8 }
  view = viz.reduceTraining(view, { kind: 'workers', workers: [0, 1, 2, 3].map((rank) => ({ rank, ...lane })) })
  const [updatesMs, sizes, foldsMs]: [number[], number[], number[]] = [[], [], []]
  for (let step = 1; step <= epochs * stepsPerEpoch; step++) {
    const loss = 2.3 * Math.exp((-4 * step) / 1e5) + 0.1 * noise(step)
    const metrics = { accuracy: 1 - loss / 3, precision: 1 - loss / 2.9, recall: 1 - loss / 2.8 }
    const start = performance.now()
    view = viz.reduceTraining(view, {
      kind: 'step',
      step,
      epoch: Math.ceil(step / stepsPerEpoch),
      loss,
      metrics,
      learningRate: 1e-3 * (1 - step / 1e5),
      rows: 128,
      stepMs: 10 + noise(step + 1),
      gradientNorm: 1 + noise(step + 2),
    })
    foldsMs.push(performance.now() - start)
    if (step % stepsPerEpoch === 0) {
      const validation = { loss: loss + 0.1, ...metrics }
      view = viz.reduceTraining(view, { kind: 'epoch', epoch: step / stepsPerEpoch, step, loss, metrics, validation })
    }
    // Ten updates a second at 100 steps a second.
    if (step % 100 === 0) {
      const own = performance.now()
      const { spec, text } = viz.training(view)
      updatesMs.push(performance.now() - own)
      sizes.push(sizeOf({ spec, text }))
    }
  }
  view = viz.reduceTraining(view, { kind: 'end', reason: 'done', step: 1e5, seconds: 1000 })
  const saved = sizeOf(await viz.training(view).bundle())
  console.log(`\nA step costs ${(1000 * median(foldsMs)).toFixed(0)} us, ${quantile(foldsMs, 0.95).toFixed(3)} ms p95`)
  results.push(
    against('training of 100,000 steps: update, p95', 'ms', quantile(updatesMs, 0.95), 5),
    against('training of 100,000 steps: update', 'kB', Math.max(...sizes), 60),
    against('training of 100,000 steps: saved', 'kB', saved, 150),
  )
}

/** One column of 10 million numbers: from Parquet, and for the peers' sake from memory. */
async function histogram(): Promise<void> {
  const rows = await read.parquet(await tableFile('rows'))
  const inMemory = rows.select('x').cache()
  await inMemory.count()
  let ownSize = 0
  const python = await startPeer(await peerPython('viz'), [benchFile('peers/viz.py'), await tableFile('rows')])
  console.log(`Python: ${python.ready}`)
  let peerSize = 0
  const draw = async (chart: viz.Chart): Promise<void> => {
    ownSize = sizeOf(await chart.bundle({ png: false }))
  }
  const figures = await contest(
    [
      { name: 'shardbook, Parquet', measure: () => timed(() => draw(viz.histogram(rows, { x: 'x' }))) },
      { name: 'shardbook, in memory', measure: () => timed(() => draw(viz.histogram(inMemory, { x: 'x' }))) },
      {
        name: 'Altair with VegaFusion, in memory',
        measure: async () => {
          const [ms, bytes] = (await python.ask('histogram')).split(' ').map(Number)
          peerSize = bytes! / 1000
          return ms!
        },
        close: () => python.close(),
      },
    ],
    options.rounds,
  )
  printFigures('histogram of 10 million rows', 'ms', figures)
  const [parquet, memory, altair] = figures
  const size = (name: string, kb: number) => ({ name, all: [kb], median: kb })
  results.push(
    against('histogram of 10 million rows, Parquet', 'ms', parquet!.median, 500),
    against('histogram of 10 million rows, in memory', 'ms', memory!.median, 500),
    against('histogram of 10 million rows', 'kB', ownSize, 20),
    compare('histogram of 10 million rows, in memory', 'ms', memory!, altair!, 1),
    compare('histogram of 10 million rows, sent', 'kB', size('shardbook', ownSize), size(altair!.name, peerSize), 1),
  )
}

/** 64 channels of 28 x 28. */
async function maps(): Promise<void> {
  const values = Float32Array.from({ length: 64 * 28 * 28 }, (_, i) => Math.abs(Math.sin(i)))
  const draw = async (): Promise<void> => {
    await viz.featureMaps({ layer: 'conv1', shape: [28, 28, 64], values }).bundle()
  }
  await draw()
  const figures = await contest([{ name: 'shardbook', measure: () => timed(draw) }], options.rounds)
  printFigures('64 feature maps with their picture', 'ms', figures)
  results.push(against('64 feature maps', 'ms', figures[0]!.median, 300))
}

/** The picture of a line chart of 500 points at the same size in pixels. */
async function png(): Promise<void> {
  const points = Array.from({ length: 500 }, (_, i) => ({ x: i, y: Math.sin(i / 25) + 0.1 * Math.sin(7 * i) }))
  const python = await startPeer(await peerPython('viz'), [benchFile('peers/viz.py')])
  const draw = async (): Promise<void> => {
    await viz.line(points, { x: 'x', y: 'y' }).png()
  }
  for (let i = 0; i < 5; i++) await draw()
  const figures = await contest(
    [{ name: 'shardbook', measure: () => timed(draw) }, peerContestant('matplotlib', python, 'png')],
    Math.max(options.rounds, 15),
  )
  printFigures('picture of a line of 500 points, from the data', 'ms', figures)
  results.push(
    against('picture of a chart, p50', 'ms', figures[0]!.median, 60),
    compare('picture of a chart', 'ms', figures[0]!, figures[1]!, 1),
  )
}

for (const [name, run] of Object.entries({ training, histogram, maps, png })) {
  if (name.includes(options.only)) await run()
}
report(results, options)
