import { describe, expect, test } from 'vitest'
import * as nn from '../../../src/nn/index.js'

const build = (inputShape: number[], ...layers: nn.Layer[]) => nn.model(layers, { inputShape })

describe('layers say what they expect', () => {
  test('branches', () => {
    expect(() => nn.add({ branches: [[]] })).toThrow(/nn\.add: expected at least two branches/)
    expect(() => nn.concatenate({ branches: [[], ['dense' as never]] })).toThrow(/every branch to be layers/)
    expect(() => build([4], nn.add({ branches: [[nn.dense({ units: 3 })], []] }))).toThrow(
      /expected branches with one output shape, got \[3\] and \[4\]/,
    )
    expect(() => build([4, 2], nn.concatenate({ branches: [[nn.cropping1d()], []] }))).toThrow(
      /differ in the last axis only, got \[2, 2\] and \[4, 2\]/,
    )
    expect(() => build([4], nn.add({ branches: [[nn.lstm({ units: 3 })], []] }))).toThrow(
      /nn\.add, branch 1: layer 1 \("lstm1"\) does not fit/,
    )
    expect(() => build([4], nn.residual({ layers: [nn.dense({ units: 3 })] }))).toThrow(
      /keep the shape \[4\], got \[3\]/,
    )
  })

  test('layers around a layer', () => {
    expect(() => nn.bidirectional({ layer: nn.dense({ units: 3 }) })).toThrow(/nn\.bidirectional: expected layer/)
    expect(() => nn.timeDistributed({ layer: nn.dropout({ rate: 0.5 }) })).toThrow(
      /got nn\.dropout, whose numbers go by sample/,
    )
    expect(() => build([4], nn.timeDistributed({ layer: nn.flatten() }))).toThrow(
      /samples of shape \[steps, \.\.\.\], got \[4\]/,
    )
  })

  test('shapes and options', () => {
    expect(() => build([4], nn.conv1d({ filters: 1, kernelSize: 2 }))).toThrow(/\[steps, channels\], got \[4\]/)
    expect(() => build([3, 2], nn.conv1d({ filters: 1, kernelSize: 4 }))).toThrow(
      /as large as the window \[4\], got \[3, 2\]/,
    )
    expect(() => build([4, 4, 1], nn.conv3d({ filters: 1, kernelSize: 2 }))).toThrow(
      /\[depth, height, width, channels\]/,
    )
    expect(() => nn.conv3d({ filters: 1, kernelSize: [1, 2] as never })).toThrow(
      /kernelSize to be a positive integer or 3/,
    )
    expect(() => nn.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 0 })).toThrow(/depthMultiplier/)
    expect(() => build([4, 6], nn.groupNormalization({ groups: 4 }))).toThrow(
      /divide into 4 groups, got samples of \[4, 6\]/,
    )
    expect(() => nn.conv2d({ filters: 1, kernelSize: 2, dilationRate: [1, 2], strides: 2 })).toThrow(
      /nn\.conv2d: expected strides of 1 with a dilationRate above 1, got \[2,2\]/,
    )
    expect(() => nn.conv1d({ filters: 1, kernelSize: 2, dilationRate: 0 })).toThrow(/dilationRate to be a positive/)
    expect(() => build([4, 2], nn.conv1d({ filters: 1, kernelSize: 3, dilationRate: 2 }))).toThrow(
      /as large as the window \[5\], got \[4, 2\]/,
    )
    expect(() => build([4, 4, 1], nn.maxPooling3d())).toThrow(/\[depth, height, width, channels\], got \[4, 4, 1\]/)
    expect(() => build([4, 1, 4, 1], nn.averagePooling3d())).toThrow(/as large as the window \[2, 2, 2\]/)
    expect(() =>
      build([4, 2], nn.crossAttention({ heads: 2, keySize: 2, queries: [], memory: [nn.flatten()] })),
    ).toThrow(/nn\.crossAttention, memory: expected samples of shape \[steps, channels\], got \[8\]/)
    expect(() => nn.crossAttention({ heads: 0, keySize: 2, queries: [], memory: [] })).toThrow(/crossAttention.*heads/)
    expect(() => nn.batchNormalization({ momentum: 2 })).toThrow(/nn\.batchNormalization: expected momentum/)
    expect(() => build([4, 6], nn.embedding({ inputDim: 3, outputDim: 2 }))).toThrow(/shape \[steps\], got \[4, 6\]/)
    expect(() => build([4], nn.slice({ start: 3, size: 2 }))).toThrow(/at least 5 along the first axis/)
    expect(() => build([2, 2, 1], nn.cropping2d())).toThrow(/larger than what is left out/)
    expect(() => build([4], nn.spatialDropout({ rate: 0.5 }))).toThrow(/with places, got \[4\]/)
    expect(() => build([4], nn.multiHeadAttention({ heads: 2, keySize: 2 }))).toThrow(/\[steps, channels\], got \[4\]/)
    expect(() => nn.labelSmoothing(nn.hinge, 0.1)).toThrow(/nn\.labelSmoothing: expected loss/)
  })
})
