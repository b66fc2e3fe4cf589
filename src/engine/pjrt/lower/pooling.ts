/** Pooling and its gradients, over images and volumes. */
import { type Builder, type Value, typeOf } from './builder.js'
import { float } from './elementwise.js'
import { type Given, type Lowering, type Lowerings, input } from './lowering.js'
import { type Window, combinerRegion, reduceWindow } from './reductions.js'
import { type Axis, type WindowAttributes, axesOfWindow, layoutOf, spanOf } from './window.js'

interface Attributes extends WindowAttributes {
  readonly filterSize: number | readonly number[]
}

/** Windows over all axes, and those over the spatial ones. */
function windowsOf(given: Given, { shape }: Value): { window: Window; spatial: number[]; axes: Axis[] } {
  const attrs = given.attrs as unknown as Attributes
  const { spatial } = layoutOf(shape.length, attrs.dataFormat)
  const sizes = spatial.map((_, i) => [attrs.filterSize].flat()[typeof attrs.filterSize === 'number' ? 0 : i]!)
  const axes = axesOfWindow(
    spatial.map((axis) => shape[axis]!),
    sizes,
    attrs,
  )
  const each = <T>(of: (axis: Axis) => T, other: T): T[] =>
    shape.map((_, axis) => (spatial.includes(axis) ? of(axes[spatial.indexOf(axis)]!) : other))
  const window: Window = {
    window: each(({ size }) => size, 1),
    strides: each(({ stride }) => stride, 1),
    padding: each(({ low, high }): [number, number] => [low, high], [0, 0]),
  }
  return { window, spatial, axes }
}

/** How many elements of the image each window covers: padding does not count. */
function counts(b: Builder, given: Given, x: Value): Value {
  const { window, spatial } = windowsOf(given, x)
  const ones = b.constant(
    1,
    x.element,
    x.shape.map((size, axis) => (spatial.includes(axis) ? size : 1)),
  )
  return reduceWindow(b, 'add', ones, window)
}

const maxPool: Lowering = (b, given) => {
  const x = input(given, 'x')
  return reduceWindow(b, 'maximum', x, windowsOf(given, x).window)
}

const averagePool: Lowering = (b, given) => {
  const x = float(b, input(given, 'x'))
  return b.binary('divide', reduceWindow(b, 'add', x, windowsOf(given, x).window), counts(b, given, x))
}

/** Each window's gradient goes to its first maximum. */
const maxPoolGradient: Lowering = (b, given) => {
  const [x, dy] = [input(given, 'input'), input(given, 'dy')]
  const { window } = windowsOf(given, x)
  const zero = b.constant(0, x.element)
  const scalar = typeOf(zero)
  const [left, right] = [b.fresh('l'), b.fresh('r')]
  const select = b.region(() => {
    const operand = (name: string): Value => ({ name, shape: [], element: x.element })
    const chosen = b.compare('GE', operand(left), operand(right))
    b.line(`stablehlo.return ${chosen.name} : tensor<i1>`)
  })
  // What lies in the padding is never chosen: the smallest number is put there, and cut off again.
  const low = window.padding.map(([before]) => before)
  const high = window.padding.map(([, after]) => after)
  const padded = b.pad(x, b.constant(-Infinity, x.element), low, high)
  const attributes = [
    `window_dimensions = array<i64: ${window.window.join(', ')}>`,
    `window_strides = array<i64: ${window.strides.join(', ')}>`,
    `padding = dense<0> : tensor<${low.length}x2xi64>`,
  ]
  const scattered = b.define(
    `"stablehlo.select_and_scatter"(${padded.name}, ${dy.name}, ${zero.name}) <{${attributes.join(', ')}}> ({
^bb0(${left}: ${scalar}, ${right}: ${scalar}):
${select}
}, {
${combinerRegion(b, 'add', scalar)}
}) : (${typeOf(padded)}, ${typeOf(dy)}, ${scalar}) -> ${typeOf(padded)}`,
    padded.shape,
    x.element,
  )
  return b.pad(
    scattered,
    zero,
    low.map((width) => -width),
    high.map((width) => -width),
  )
}

/** Each window's gradient goes to its elements in equal parts: the windows of the spread-out gradient are added. */
const averagePoolGradient: Lowering = (b, given) => {
  const [x, dy] = [input(given, 'input'), input(given, 'dy')]
  const { window, spatial, axes } = windowsOf(given, x)
  const share = b.binary('divide', dy, counts(b, given, x))
  return reduceWindow(b, 'add', share, {
    window: window.window,
    strides: window.strides.map(() => 1),
    spread: window.strides,
    padding: x.shape.map((_, i): [number, number] => {
      const axis = axes[spatial.indexOf(i)]
      if (axis === undefined) return [0, 0]
      const low = spanOf(axis) - 1 - axis.low
      return [low, axis.input + spanOf(axis) - 1 - ((axis.outputs - 1) * axis.stride + 1) - low]
    }),
  })
}

export const pooling: Lowerings = {
  MaxPool: maxPool,
  MaxPool3D: maxPool,
  AvgPool: averagePool,
  AvgPool3D: averagePool,
  MaxPoolGrad: maxPoolGradient,
  MaxPool3DGrad: maxPoolGradient,
  AvgPoolGrad: averagePoolGradient,
  AvgPool3DGrad: averagePoolGradient,
}
