/** A pool of one worker on the first device, which trains there: prints one line of JSON. */
import { frame, ml, pool } from '../../src/index.js'
import { keyOf, uniform } from '../../src/core/random.js'

const [rows, width] = [4096, 64]
const values = Float32Array.from({ length: rows * width }, (_, i) => uniform(keyOf(1), i))
const label = Int32Array.from({ length: rows }, (_, row) => Number(values[row * width]! > 0.5))
const workers = await pool({ workers: 1, engine: 'pjrt', devices: [0] })
try {
  const [worker] = (await workers.status()).workers
  const training = new ml.MultilayerPerceptronClassifier({ inputCol: 'x', layers: [width, 32, 2], maxIter: 5 }).fit(
    frame({ x: { shape: [rows, width] as const, dtype: 'float32', values }, label }),
    { on: workers },
  )
  await training
  const [first, last] = [training.history.at(0)!.loss, training.history.at(-1)!.loss]
  console.log(JSON.stringify({ engine: worker!.engine, first, last }))
} finally {
  await workers.close()
}
