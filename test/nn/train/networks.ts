/** Networks of every kind over the images of `fixture.ts`, and how a compiled training of them compares with an eager one. */
import { whyEager } from '../../../src/engine/index.js'
import type { Engine } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import { makeJob, reading, trainWith } from './fixture.js'
import type { TaskOptions } from './fixture.js'

const rows = nn.reshape({ shape: [8, 8] })
const logits = nn.dense({ units: 3 })

export const networks: Readonly<Record<string, Pick<TaskOptions, 'layers' | 'reconstruct'>>> = {
  CNN: {
    layers: [
      nn.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }),
      nn.maxPooling2d(),
      nn.conv2d({ filters: 6, kernelSize: 2, activation: 'relu' }),
      nn.flatten(),
      logits,
    ],
  },
  LSTM: { layers: [rows, nn.lstm({ units: 12, returnSequences: true }), nn.lstm({ units: 8 }), logits] },
  GRU: { layers: [rows, nn.gru({ units: 12 }), logits] },
  autoencoder: {
    layers: [
      nn.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
      nn.conv2dTranspose({ filters: 1, kernelSize: 3, strides: 2, padding: 'same' }),
    ],
    reconstruct: true,
  },
  MLP: { layers: [nn.flatten(), nn.dense({ units: 24, activation: 'relu' }), logits] },
}

/** Losses of each step, compiled and eager, from the same weights over the same batches. */
export async function bothLosses(engine: Engine, network: Pick<TaskOptions, 'layers' | 'reconstruct'>, steps: number) {
  const options = { ...network, rows: 160, batchRows: 16, slices: 1, epochs: steps / 10, rate: 0.005 }
  const compiled = await makeJob(engine, options)
  const eager = await makeJob(engine, { ...options, layers: [reading, ...network.layers!] })
  if (whyEager(compiled.programs.gradients) !== undefined || whyEager(eager.programs.gradients) === undefined) {
    throw new Error('expected one compiled job and one that is not')
  }
  const losses = async (job: typeof compiled) =>
    (await trainWith(engine, job, 1)).events.flatMap((event) => (event.kind === 'step' ? [event.loss] : []))
  return { compiled: await losses(compiled), eager: await losses(eager) }
}

/** The greatest difference of two series of losses, relative to the second where that is above 0.01. */
export function greatestDifference(losses: readonly number[], reference: readonly number[]): number {
  return Math.max(...losses.map((loss, i) => Math.abs(loss - reference[i]!) / Math.max(reference[i]!, 0.01)))
}
