/**
 * The CNN of the benchmark in tfjs-layers on the stock wasm backend. It cannot train without `Conv2DBackpropFilter`, so that is
 * composed the way anybody would first: a slice and a matrix product for each place of the kernel. A peer program: answers a
 * number of steps with the milliseconds of one.
 */
import { createInterface } from 'node:readline'
import * as tf from '@tensorflow/tfjs'
import { version_wasm as version } from '@tensorflow/tfjs-backend-wasm'

tf.registerKernel({
  kernelName: 'Conv2DBackpropFilter',
  backendName: 'wasm',
  kernelFunc: ({ inputs, attrs }) => {
    const { x, dy } = inputs as { x: tf.Tensor4D; dy: tf.Tensor4D }
    const [height, width, channels, filters] = (attrs as unknown as { filterShape: [number, number, number, number] })
      .filterShape
    const [batch, outHeight, outWidth] = dy.shape
    return tf.tidy(() => {
      const gradient = tf.reshape(dy, [batch * outHeight * outWidth, filters])
      const places: tf.Tensor2D[] = []
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          const seen = tf.slice4d(x, [0, row, column, 0], [batch, outHeight, outWidth, channels])
          places.push(tf.matMul(tf.reshape(seen, [batch * outHeight * outWidth, channels]), gradient, true))
        }
      }
      return tf.reshape(tf.concat(places, 0), [height, width, channels, filters])
    })
  },
})
await tf.setBackend('wasm')
const { conv2d, maxPooling2d, flatten, dense } = tf.layers
const network = tf.sequential({
  layers: [
    conv2d({ inputShape: [28, 28, 1], filters: 32, kernelSize: 3, activation: 'relu' }),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }),
    maxPooling2d({ poolSize: 2 }),
    flatten(),
    dense({ units: 128, activation: 'relu' }),
    dense({ units: 10, activation: 'softmax' }),
  ],
})
network.compile({ optimizer: tf.train.adam(1e-3), loss: 'categoricalCrossentropy' })
const x = tf.randomUniform([128, 28, 28, 1], 0, 1, 'float32', 1)
const y = tf.oneHot(tf.cast(tf.randomUniform([128], 0, 10, 'float32', 2), 'int32'), 10)
await network.trainOnBatch(x, y)
process.stdout.write(`READY ${version}\n`)
for await (const line of createInterface({ input: process.stdin })) {
  const steps = Number(line)
  const began = performance.now()
  for (let i = 0; i < steps; i++) await network.trainOnBatch(x, y)
  process.stdout.write(`${(performance.now() - began) / steps}\n`)
}
process.exit(0)
