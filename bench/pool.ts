/**
 * Training throughput of the default CNN on MNIST: two workers against one process, native against wasm.
 *
 * A round is one training of its own, whose first steps (tracing, warm-up) do not count.
 * `npm run bench:pool -- [--rounds N] [--json FILE]`
 */
import { datasets, engine, ml, pool } from '../src/index.js'
import { type Contestant, type Figures, contest } from './harness/contest.js'
import { benchOptions, compare, printFigures, report } from './harness/report.js'

const warmUpSteps = 5
const options = benchOptions()
const [train] = (await datasets.mnist({ split: 'test' })).randomSplit([0.9, 0.1], { seed: 7 })

async function contestant(name: 'native' | 'wasm', workers: number, rows: number): Promise<Contestant> {
  const on = workers === 0 ? undefined : await pool({ workers, engine: name })
  let seed = 0
  return {
    name: `${name}, ${workers === 0 ? 'one process' : `${workers} workers`}`,
    async measure() {
      await engine.use(name)
      const cnn = new ml.CNNClassifier({ inputCol: 'image', labelCol: 'label', maxIter: 1, seed: seed++ })
      const training = cnn.fit(train.limit(rows), on === undefined ? {} : { on })
      const stepMs: number[] = []
      training.on((event) => {
        if (event.kind === 'step') stepMs.push(event.stepMs)
      })
      await training
      const counted = stepMs.slice(warmUpSteps)
      return (1000 * counted.length) / counted.reduce((sum, one) => sum + one, 0)
    },
    close: async () => on?.close(),
  }
}

const figures = await contest(
  [
    await contestant('native', 0, 9000),
    await contestant('native', 2, 9000),
    await contestant('wasm', 0, 2560),
    await contestant('wasm', 2, 2560),
  ],
  options.rounds,
)
const [native1, native2, wasm1, wasm2] = figures as [Figures, Figures, Figures, Figures]

printFigures('Default CNN, batch 128', 'steps/s', figures)
report(
  [
    compare('sharded, native', 'steps/s', native2, native1, 0.95, 'higher'),
    compare('sharded, wasm', 'steps/s', wasm2, wasm1, 0.95, 'higher'),
    compare('native engine', 'steps/s', native1, wasm1, 2, 'higher'),
  ],
  options,
)
