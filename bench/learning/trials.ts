/**
 * Twelve independent trials of a cross-validation, each on one worker: a pool of two against a pool of one, both with one thread
 * a worker. Fits and scores count; the fit of the best on all rows, one more training on one worker, comes after the trials.
 */
import { hostSymbol, terminalHost } from '../../src/core/host.js'
import { datasets, ml, nn, pool } from '../../src/index.js'
import { type Contestant, contest } from '../harness/contest.js'
import { type Row, compare, printFigures } from '../harness/report.js'
import type { Contest } from './fits.js'

const silent = { ...terminalHost(), publish: () => {}, update: () => {} }

export const trials: readonly Contest[] = [{ name: '12 trials', run: async (rounds) => trialContest(rounds) }]

async function trialContest(rounds: number): Promise<Row[]> {
  Object.assign(globalThis, { [hostSymbol]: silent })
  const data = (await datasets.glyphs({ rows: 3000, seed: 1 })).cache()
  const layers = [
    nn.conv2d({ filters: 16, kernelSize: 3, activation: 'relu' }),
    nn.maxPooling2d(),
    nn.flatten(),
    nn.dense({ units: 10 }),
  ]
  const cnn = new ml.CNNClassifier({ inputCol: 'image', layers, maxIter: 20, batchSize: 64, slices: 1 })
  const estimatorParamMaps = new ml.ParamGridBuilder().addGrid(cnn, 'stepSize', [0.001, 0.002, 0.004, 0.008]).build()
  const evaluator = new ml.MulticlassClassificationEvaluator({ metricName: 'accuracy' })
  const contestant = async (workers: number): Promise<Contestant> => {
    // Two processes of which one is left idle: so a worker has as many threads in both.
    const on = await pool({ workers: 2, engine: 'native' })
    const options = {
      estimator: cnn,
      estimatorParamMaps,
      evaluator,
      numFolds: 3,
      parallelism: workers === 1 ? 1 : workers + 1,
    }
    return {
      name: workers === 1 ? 'one worker' : `${workers} workers`,
      measure: async () => {
        const { report } = await new ml.CrossValidator(options).fit(data, { on })
        return report.seconds
      },
      close: async () => on.close(),
    }
  }
  const figures = await contest([await contestant(2), await contestant(1)], rounds)
  const [two, one] = figures
  printFigures('12 trials of a small CNN, 2,000 images each', 's', figures)
  return [compare('12 trials on 2 workers', 's', two!, one!, 1.8)]
}
