/**
 * The pool: throughput of the default CNN on MNIST sharded against one process, the share of communication, the all-reduce of
 * 20 MB, what a kill costs, how the session answers meanwhile, how long a start takes.
 *
 * A round of a training is one of its own, whose first steps (tracing, warm-up) do not count.
 * `npm run bench:pool -- [--rounds N] [--only TEXT] [--json FILE]`
 */
import type { TrainingEvent } from '../src/nn/train/event.js'
import { datasets, engine, ml, pool } from '../src/index.js'
import { type Contestant, contest, type Figures, median, quantile } from './harness/contest.js'
import { allReduceMs } from './harness/all-reduce.js'
import { against, benchOptions, compare, printFigures, report, type Row } from './harness/report.js'

const warmUpSteps = 8
const batchSize = 256
const options = benchOptions()
const [train] = (await datasets.mnist({ split: 'test' })).randomSplit([0.9, 0.1], { seed: 7 })
const asked = (name: string): boolean => name.includes(options.only)
const rows: Row[] = []
type Pool = Awaited<ReturnType<typeof pool>>

/** Shares of communication, of all rounds. */
const reduceShares: number[] = []

async function contestant(
  name: 'native' | 'wasm',
  workers: number,
  epochs: number,
  limit: number,
): Promise<Contestant> {
  const on = workers === 0 ? undefined : await pool({ workers, engine: name })
  let seed = 0
  return {
    name: `${name}, ${workers === 0 ? 'one process' : `${workers} workers`}`,
    async measure() {
      await engine.use(name)
      const { events } = await fit(on, { epochs, limit, seed: seed++ })
      const steps = events.filter((event) => event.kind === 'step').slice(warmUpSteps)
      const totalMs = steps.reduce((sum, { stepMs }) => sum + stepMs, 0)
      if (on !== undefined) reduceShares.push(steps.reduce((sum, step) => sum + (step.reduceMs ?? 0), 0) / totalMs)
      return (1000 * steps.length) / totalMs
    },
    close: async () => on?.close(),
  }
}

async function fit(
  on: Pool | undefined,
  { epochs, limit, seed = 0 }: { epochs: number; limit: number; seed?: number },
  onEvent: (event: TrainingEvent) => void = () => {},
): Promise<{ events: TrainingEvent[] }> {
  const cnn = new ml.CNNClassifier({ inputCol: 'image', labelCol: 'label', maxIter: epochs, batchSize, seed })
  const training = cnn.fit(train.limit(limit), on === undefined ? {} : { on })
  const events: TrainingEvent[] = []
  training.on((event) => {
    events.push(event)
    onEvent(event)
  })
  await training
  return { events }
}

async function throughput(name: 'native' | 'wasm', epochs: number, limit: number): Promise<void> {
  const both = [await contestant(name, 0, epochs, limit), await contestant(name, 2, epochs, limit)]
  const [one, two] = (await contest(both, options.rounds)) as [Figures, Figures]
  printFigures(`Default CNN, batch ${batchSize}`, 'steps/s', [one, two])
  rows.push(compare(`sharded, ${name}`, 'steps/s', two, one, 0.95, 'higher'))
}

/** From a kill to the next step that is done. */
async function recovery(): Promise<number[]> {
  const on = await pool({ workers: 2, engine: 'native' })
  const delays: number[] = []
  let [killedAt, isLost] = [0, false]
  await fit(on, { epochs: 60, limit: 9000 }, (event) => {
    if (event.kind === 'worker' && event.change === 'lost') isLost = true
    if (event.kind !== 'step') return
    if (isLost) {
      delays.push(performance.now() - killedAt)
      isLost = false
      killedAt = 0
    }
    if (event.step % 300 !== 0 || killedAt > 0) return
    void on.status().then(({ workers }) => {
      killedAt = performance.now()
      process.kill(workers[delays.length % 2]!.pid!, 'SIGKILL')
    })
  })
  await on.close()
  return delays
}

/** 95th percentile of the time that a trivial turn of this process takes, idle and while a training goes on. */
async function responsiveness(): Promise<{ idle: number; busy: number }> {
  const turnMs = async (): Promise<number> => {
    const began = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 1))
    let sum = 0
    for (let i = 0; i < 1e5; i++) sum += i % 7
    return performance.now() - began + (sum < 0 ? 1 : 0)
  }
  const p95 = async (): Promise<number> => {
    const all: number[] = []
    for (let i = 0; i < 400; i++) all.push(await turnMs())
    return quantile(all, 0.95)
  }
  const idle = await p95()
  const on = await pool({ workers: 2, engine: 'native' })
  let busy = Number.NaN
  let isMeasured = false
  const cnn = new ml.CNNClassifier({ inputCol: 'image', labelCol: 'label', maxIter: 1000, batchSize })
  const training = cnn.fit(train, { on })
  await new Promise<void>((resolve, reject) => {
    training.on((event) => {
      if (event.kind !== 'step' || event.step < warmUpSteps || isMeasured) return
      isMeasured = true
      p95().then((value) => {
        busy = value
        resolve()
      }, reject)
    })
  })
  await training.stop()
  await on.close()
  return { idle, busy }
}

async function startSeconds(): Promise<number> {
  const began = performance.now()
  const on = await pool({ workers: 2, engine: 'native' })
  const seconds = (performance.now() - began) / 1000
  await on.close()
  return seconds
}

if (asked('sharded, native')) {
  await throughput('native', 6, 9000)
  rows.push(against('communication', '% of a step', 100 * median(reduceShares), 10))
}
if (asked('sharded, wasm')) await throughput('wasm', 1, 5120)
if (asked('all-reduce')) rows.push(against('all-reduce of 20 MB, 2 processes', 'ms', await allReduceMs(20e6, 2), 12))
if (asked('recovery')) rows.push(against('recovery: kill to next step', 's', median(await recovery()) / 1000, 2))
if (asked('responsiveness')) {
  const ratios: number[] = []
  for (let run = 0; run < 5; run++) {
    const { idle, busy } = await responsiveness()
    ratios.push(busy / idle)
  }
  rows.push(against('responsiveness: p95 busy / idle', 'x', median(ratios), 3))
}
if (asked('start')) {
  const starts: number[] = []
  for (let run = 0; run < options.rounds; run++) starts.push(await startSeconds())
  rows.push(against('start of 2 workers', 's', median(starts), 1.5))
}
report(rows, options)
