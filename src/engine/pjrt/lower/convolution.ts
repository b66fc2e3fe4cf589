/**
 * Convolutions and their gradients, each of which is a convolution again: by the input that of the spread-out gradient with the
 * turned filter, by the filter that of the input with the gradient as filter. Depthwise ones have a group a channel.
 */
import { type Builder, type Value, list, typeOf } from './builder.js'
import { type Given, type Lowering, type Lowerings, input } from './lowering.js'
import { fused } from './linear.js'
import { type Axis, type WindowAttributes, axesOfWindow, layoutOf, spanOf } from './window.js'

interface Convolution {
  /** What each axis of operands and result is: `b`, `f`, `i`, `o` or a spatial axis's number. */
  readonly dims: readonly [left: readonly string[], right: readonly string[], result: readonly string[]]
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly padding: readonly (readonly [number, number])[]
  readonly spread?: readonly number[]
  readonly dilations?: readonly number[]
  readonly reversed?: boolean
  readonly groups?: number
  readonly batchGroups?: number
}

function convolve(b: Builder, left: Value, right: Value, convolution: Convolution): Value {
  const { dims, shape, strides, padding, spread, dilations, groups = 1, batchGroups = 1 } = convolution
  const window = [
    `stride = ${list(strides)}`,
    `pad = ${list(padding.map(list))}`,
    ...(spread === undefined ? [] : [`lhs_dilate = ${list(spread)}`]),
    ...(dilations === undefined ? [] : [`rhs_dilate = ${list(dilations)}`]),
  ]
  if (convolution.reversed === true) window.push(`reverse = ${list(strides.map(() => 'true'))}`)
  const text = [
    `stablehlo.convolution(${left.name}, ${right.name})`,
    `dim_numbers = ${list(dims[0])}x${list(dims[1])}->${list(dims[2])},`,
    `window = {${window.join(', ')}}`,
    `{batch_group_count = ${batchGroups} : i64, feature_group_count = ${groups} : i64}`,
    `: (${typeOf(left)}, ${typeOf(right)}) -> ${typeOf({ shape, element: left.element })}`,
  ]
  return b.define(text.join(' '), shape, left.element)
}

/** The names of an image's axes: batch, spatial axes by their numbers, channels. */
function imageDims(rank: number, format: string | undefined, batch = 'b', channels = 'f'): string[] {
  const { spatial } = layoutOf(rank, format)
  const numbers = spatial.map((_, i) => String(i))
  return spatial[0] === 2 ? [batch, channels, ...numbers] : [batch, ...numbers, channels]
}

function filterDims(rank: number, incoming = 'i', outgoing = 'o'): string[] {
  return [...Array.from({ length: rank - 2 }, (_, i) => String(i)), incoming, outgoing]
}

interface Attributes extends WindowAttributes {
  readonly inputShape?: readonly number[]
  readonly filterShape?: readonly number[]
}

/** Everything about one convolution that its gradients need too. */
function geometry(given: Given, image: readonly number[], filter: readonly number[]) {
  const attrs = given.attrs as unknown as Attributes
  const rank = image.length
  const { spatial, channels } = layoutOf(rank, attrs.dataFormat)
  const axes = axesOfWindow(
    spatial.map((axis) => image[axis]!),
    filter.slice(0, -2),
    attrs,
  )
  const format = attrs.dataFormat
  const shapeOf = (batch: number, sizes: readonly number[], depth: number): number[] =>
    channels === 1 ? [batch, depth, ...sizes] : [batch, ...sizes, depth]
  return { axes, rank, format, channels, shapeOf }
}

const pads = (axes: readonly Axis[]): [number, number][] => axes.map(({ low, high }) => [low, high])

function forward(b: Builder, given: Given, depthwise: boolean): Value {
  const [x, w] = [input(given, 'x'), input(given, 'filter')]
  const { axes, rank, format, channels, shapeOf } = geometry(given, x.shape, w.shape)
  const [incoming, multiplier] = w.shape.slice(-2) as [number, number]
  const outgoing = depthwise ? incoming * multiplier : multiplier
  const filter = depthwise ? b.reshape(w, [...w.shape.slice(0, -2), 1, outgoing]) : w
  const outputs = axes.map((axis) => axis.outputs)
  return convolve(b, x, filter, {
    dims: [imageDims(rank, format), filterDims(rank), imageDims(rank, format)],
    shape: shapeOf(x.shape[0]!, outputs, outgoing),
    strides: axes.map(({ stride }) => stride),
    padding: pads(axes),
    dilations: axes.map(({ dilation }) => dilation),
    groups: depthwise ? incoming : x.shape[channels]! / incoming,
  })
}

function byInput(b: Builder, given: Given, depthwise: boolean): Value {
  const [dy, w] = [input(given, 'dy'), input(given, 'filter')]
  const { inputShape } = given.attrs as unknown as Required<Attributes>
  const { axes, rank, format } = geometry(given, inputShape, w.shape)
  const [incoming] = w.shape.slice(-2) as [number, number]
  const order = [...w.shape.keys()]
  const turned = depthwise ? b.transpose(w, [...order.slice(0, -2), order.length - 1, order.length - 2]) : w
  return convolve(b, dy, b.reverse(turned, order.slice(0, -2)), {
    dims: [imageDims(rank, format), depthwise ? filterDims(rank) : filterDims(rank, 'o', 'i'), imageDims(rank, format)],
    shape: inputShape,
    strides: axes.map(() => 1),
    padding: axes.map((axis) => {
      const low = spanOf(axis) - 1 - axis.low
      const spread = (axis.outputs - 1) * axis.stride + 1
      return [low, axis.input + spanOf(axis) - 1 - spread - low]
    }),
    spread: axes.map(({ stride }) => stride),
    dilations: axes.map(({ dilation }) => dilation),
    groups: depthwise ? incoming : 1,
  })
}

function byFilter(b: Builder, given: Given, depthwise: boolean): Value {
  const [x, dy] = [input(given, 'x'), input(given, 'dy')]
  const { filterShape } = given.attrs as unknown as Required<Attributes>
  const { axes, rank, format, channels } = geometry(given, x.shape, filterShape)
  const [incoming] = filterShape.slice(-2) as [number, number]
  const sizes = filterShape.slice(0, -2)
  const result = convolve(b, x, dy, {
    dims: [imageDims(rank, format, 'f', 'b'), imageDims(rank, format, 'i', 'o'), filterDims(rank, 'b', 'f')],
    shape: depthwise ? [...sizes, 1, dy.shape[channels]!] : filterShape,
    strides: axes.map(({ dilation }) => dilation),
    padding: axes.map((axis) => {
      const spread = (axis.outputs - 1) * axis.stride + 1
      return [axis.low, spanOf(axis) + spread - 1 - axis.input - axis.low]
    }),
    dilations: axes.map(({ stride }) => stride),
    batchGroups: depthwise ? incoming : 1,
  })
  return b.reshape(result, filterShape)
}

const of =
  (lower: (b: Builder, given: Given, depthwise: boolean) => Value, depthwise = false): Lowering =>
  (b, given) =>
    lower(b, given, depthwise)

export const convolutions: Lowerings = {
  Conv2D: of(forward),
  Conv2DBackpropInput: of(byInput),
  Conv2DBackpropFilter: of(byFilter),
  Conv3D: of(forward),
  Conv3DBackpropInputV2: of(byInput),
  Conv3DBackpropFilterV2: of(byFilter),
  DepthwiseConv2dNative: of(forward, true),
  DepthwiseConv2dNativeBackpropInput: of(byInput, true),
  DepthwiseConv2dNativeBackpropFilter: of(byFilter, true),
  FusedConv2D: (b, given) => fused(b, given, forward(b, given, false)),
  FusedDepthwiseConv2D: (b, given) => fused(b, given, forward(b, given, true)),
}
