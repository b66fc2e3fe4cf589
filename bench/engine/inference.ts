/** Inference of the CNN, from an array on the host to an array on the host. */
import type { TensorData } from '../../src/core/dtype.js'
import { sizeOf } from '../../src/core/dtype.js'
import { type Engine, loadTf, openEngine } from '../../src/engine/index.js'
import { applyModel } from '../../src/nn/model.js'
import { recordTransform } from '../../src/nn/train/programs.js'
import { BatchProgram } from '../../src/nn/train/transform.js'
import { contest, median } from '../harness/contest.js'
import { type Row, compare, printFigures } from '../harness/report.js'
import { type Peers, numberOf } from './peers.js'
import { type Workload, workloads } from './workloads.js'

/** Rows a call; rows a slice; calls a round; our speed over the faster way of Keras. */
const cases = [
  { rows: 1, sliceRows: 1, calls: 300, goal: 1 / 0.7 },
  { rows: 1024, sliceRows: 64, calls: 8, goal: 1 },
] as const

export async function inference(peers: Peers, rounds: number): Promise<Row[]> {
  const workload = workloads[0]!()
  const engine = await openEngine('native')
  const keras = await peers.load('keras', workload)
  const result: Row[] = []
  for (const { rows, sliceRows, calls, goal } of cases) {
    const predict = await predictor(engine, workload, rows, sliceRows)
    let way = ''
    const figures = await contest(
      [
        { name: 'shardbook', measure: async () => predict.medianMs(calls), close: () => predict.dispose() },
        {
          name: keras.name,
          async measure() {
            const answer = await keras.ask(`predict ${rows} ${calls}`)
            way = answer.split(' ')[1]!
            return numberOf(keras.name, answer)
          },
        },
      ],
      rounds,
    )
    printFigures(`CNN, inference, batch ${rows} (${way} was the faster of Keras)`, 'ms', figures)
    result.push(compare(`CNN: inference, batch ${rows}, p50`, 'ms', figures[0]!, figures[1]!, goal))
  }
  return result
}

/** What a fitted model's `transform` runs for a batch. */
async function predictor(engine: Engine, { network, weights, x }: Workload, rows: number, sliceRows: number) {
  const tf = await loadTf()
  const shape = x.shape.slice(1)
  const columns = [{ name: 'x', dtype: 'float32', shape }] as const
  const trace = recordTransform(tf, { weights: network.weights, columns }, sliceRows, (context, own, [input]) => ({
    logits: applyModel(network, context, own, input!),
  }))
  const program = new BatchProgram(tf, engine, trace, weights, rows)
  const values = x.values.slice(0, rows * sizeOf(shape))
  const predict = async (): Promise<TensorData> => {
    const input = tf.tensor(values, [rows, ...shape], 'float32')
    const [logits] = await program.run([input], rows)
    input.dispose()
    return logits!
  }
  for (let i = 0; i < 20; i++) await predict()
  return {
    async medianMs(calls: number): Promise<number> {
      const times: number[] = []
      for (let i = 0; i < calls; i++) {
        const began = performance.now()
        await predict()
        times.push(performance.now() - began)
      }
      return median(times)
    },
    dispose: () => program.dispose(),
  }
}
