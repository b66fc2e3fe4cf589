/** The networks of the accelerators' benchmark, by the names that `bench/peers/gpu.py` knows them by. */
import { sizeOf } from '../../src/core/dtype.js'
import { keyOf, uniform } from '../../src/core/random.js'
import * as nn from '../../src/nn/index.js'
import { cnnLayers } from '../engine/workloads.js'

export interface GpuWorkload {
  readonly name: string
  readonly layers: readonly nn.Layer[]
  readonly inputShape: readonly number[]
  readonly classes: number
  readonly batchRows: number
  readonly precision: 'float32' | 'bfloat16'
}

/** Three stages of residual blocks over 32 x 32 images (He and others, 2016). */
function resnet20(): nn.Layer[] {
  const convolution = (filters: number, strides = 1): nn.Layer =>
    nn.conv2d({ filters, kernelSize: 3, strides, padding: 'same', useBias: false })
  const block = (filters: number): nn.Layer =>
    nn.residual({
      layers: [
        convolution(filters),
        nn.batchNormalization(),
        nn.activation('relu'),
        convolution(filters),
        nn.batchNormalization(),
      ],
    })
  const stage = (filters: number, strides: number): nn.Layer[] => [
    convolution(filters, strides),
    nn.batchNormalization(),
    nn.activation('relu'),
    ...[1, 2, 3].flatMap(() => [block(filters), nn.activation('relu')]),
  ]
  return [...stage(16, 1), ...stage(32, 2), ...stage(64, 2), nn.globalAveragePooling(), nn.dense({ units: 10 })]
}

const images = { inputShape: [28, 28, 1], classes: 10, precision: 'float32' } as const

export const gpuWorkloads: readonly GpuWorkload[] = [
  { name: 'cnn-128', layers: cnnLayers(), batchRows: 128, ...images },
  { name: 'cnn-4096', layers: cnnLayers(), batchRows: 4096, ...images },
  {
    name: 'resnet20-512-bf16',
    layers: resnet20(),
    inputShape: [32, 32, 3],
    classes: 10,
    batchRows: 512,
    precision: 'bfloat16',
  },
  {
    name: 'lstm-256',
    layers: [nn.lstm({ units: 512 }), nn.dense({ units: 10 })],
    inputShape: [100, 64],
    classes: 10,
    batchRows: 256,
    precision: 'float32',
  },
  {
    name: 'transformer-1024-bf16',
    layers: [
      nn.transformerBlock({ heads: 16, keySize: 64, units: 4096, activation: 'gelu' }),
      nn.globalAveragePooling(),
      nn.dense({ units: 10 }),
    ],
    inputShape: [512, 1024],
    classes: 10,
    batchRows: 16,
    precision: 'bfloat16',
  },
]

/** Random rows of a seed: a few whole batches. */
export function rowsOf({ inputShape, classes, batchRows }: GpuWorkload, batches: number) {
  const rows = batches * batchRows
  const width = sizeOf(inputShape)
  const values = new Float32Array(rows * width)
  const pattern = Float32Array.from({ length: 65_521 }, (_, i) => uniform(keyOf(1), i))
  for (let i = 0; i < values.length; i++) values[i] = pattern[i % pattern.length]!
  const y = Int32Array.from({ length: rows }, (_, row) => Math.floor(classes * uniform(keyOf(2), row)))
  return { x: { shape: [rows, ...inputShape], dtype: 'float32' as const, values }, y }
}
