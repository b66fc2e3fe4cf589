/** The same bits from one core and from all of them, and from one process to the next. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const program = `
  const { createHash } = await import('node:crypto')
  const { engine, frame, ml, nn } = await import(${JSON.stringify(new URL('../../../dist/src/index.js', import.meta.url).href)})
  await engine.use('native')
  const rows = 256
  const values = Float32Array.from({ length: rows * 144 }, (_, i) => Math.abs(Math.sin(i * 12.9898)) )
  const label = Int32Array.from({ length: rows }, (_, i) => i % 3)
  const data = frame({ image: { shape: [rows, 12, 12, 1], dtype: 'float32', values }, label })
  const networks = [
    [nn.conv2d({ filters: 8, kernelSize: 3, activation: 'relu' }), nn.maxPooling2d(), nn.flatten(), nn.dense({ units: 3 })],
    [nn.reshape({ shape: [12, 12] }), nn.lstm({ units: 16 }), nn.dense({ units: 3 })],
  ]
  for (const layers of networks) {
    const model = await new ml.CNNClassifier({ inputCol: 'image', maxIter: 3, layers }).fit(data)
    const hash = createHash('sha256')
    for (const { values } of model.weights) hash.update(values)
    console.log('weights', hash.digest('hex'))
  }
`

/** The weights' digests of a training on some cores. */
async function train(cores: string | undefined): Promise<string[]> {
  const node = [process.execPath, '--input-type=module', '-e', program]
  const [command, ...parameters] = cores === undefined ? node : ['taskset', '-c', cores, ...node]
  const { stdout } = await promisify(execFile)(command!, parameters)
  return stdout.split('\n').filter((line) => line.startsWith('weights'))
}

test('a training gives the same bits on one core and on all, run after run', async () => {
  const everywhere = await train(undefined)
  expect(everywhere).toHaveLength(2)
  expect(await train('0')).toEqual(everywhere)
  expect(await train(undefined)).toEqual(everywhere)
})
