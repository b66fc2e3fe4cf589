/** Kernels that move, repeat, cut and join values, or make them from nothing. */
import { sizeOf } from '../../../core/dtype.js'
import { tfCore } from '../../tf.js'
import { type Builder, type Value, axesOf, elementOf } from './builder.js'
import { type Lowerings, input, listed } from './lowering.js'

type Widths = readonly (readonly [number, number])[]

/** Mirrors an axis at both ends: about the outermost element ('reflect'), or beside it. */
function mirror(b: Builder, x: Value, axis: number, [low, high]: readonly [number, number], reflect: boolean): Value {
  const size = x.shape[axis]!
  const skip = reflect ? 1 : 0
  const part = (from: number, to: number): Value =>
    b.reverse(
      b.slice(
        x,
        x.shape.map((_, i) => (i === axis ? from : 0)),
        x.shape.map((whole, i) => (i === axis ? to : whole)),
      ),
      [axis],
    )
  const parts = [x]
  if (low > 0) parts.unshift(part(skip, skip + low))
  if (high > 0) parts.push(part(size - skip - high, size - skip))
  return b.concatenate(parts, axis)
}

function along(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}

/** Cuts an axis into parts of these sizes. */
function cut(b: Builder, x: Value, axis: number, sizes: readonly number[]): Value[] {
  let at = 0
  return sizes.map((size) => {
    const begin = x.shape.map((_, i) => (i === axis ? at : 0))
    at += size
    return b.slice(
      x,
      begin,
      x.shape.map((whole, i) => (i === axis ? at : whole)),
    )
  })
}

export const shapes: Lowerings = {
  Reshape: (b, given) => {
    const x = input(given, 'x')
    return b.reshape(x, tfCore().util.inferFromImplicitShape([...(given.attrs['shape'] as number[])], sizeOf(x.shape)))
  },
  ExpandDims: (b, given) => {
    const x = input(given, 'input')
    const at = along(given.attrs['dim'] as number, x.shape.length + 1)
    return b.reshape(x, x.shape.toSpliced(at, 0, 1))
  },
  Transpose: (b, given) => b.transpose(input(given, 'x'), given.attrs['perm'] as number[]),
  BroadcastTo: (b, given) => b.expand(input(given, 'x'), given.attrs['shape'] as number[]),
  Tile: (b, given) => {
    const x = input(given, 'x')
    const reps = given.attrs['reps'] as number[]
    const pairs = x.shape.flatMap((size, i) => [reps[i]!, size])
    const repeated = b.broadcast(
      x,
      pairs,
      x.shape.map((_, i) => 2 * i + 1),
    )
    return b.reshape(
      repeated,
      x.shape.map((size, i) => size * reps[i]!),
    )
  },
  Reverse: (b, given) => {
    const x = input(given, 'x')
    const dims = given.attrs['dims'] as number | number[]
    return b.reverse(x, axesOf([dims].flat(), x.shape.length))
  },
  FlipLeftRight: (b, given) => b.reverse(input(given, 'image'), [2]),
  Concat: (b, given) => {
    const parts = listed(given)
    const axis = along(given.attrs['axis'] as number, parts[0]!.shape.length)
    const filled = parts.filter((part) => sizeOf(part.shape) > 0)
    return b.concatenate(filled.length === 0 ? parts : filled, axis)
  },
  Pack: (b, given) => {
    const parts = listed(given)
    const axis = along(given.attrs['axis'] as number, parts[0]!.shape.length + 1)
    return b.concatenate(
      parts.map((part) => b.reshape(part, part.shape.toSpliced(axis, 0, 1))),
      axis,
    )
  },
  Unpack: (b, given) => {
    const x = input(given, 'value')
    const axis = along(given.attrs['axis'] as number, x.shape.length)
    const ones = Array.from({ length: x.shape[axis]! }, () => 1)
    return cut(b, x, axis, ones).map((part) => b.reshape(part, x.shape.toSpliced(axis, 1)))
  },
  SplitV: (b, given) => {
    const x = input(given, 'x')
    const { numOrSizeSplits, axis } = given.attrs as { numOrSizeSplits: number | number[]; axis: number }
    const at = along(axis, x.shape.length)
    return cut(b, x, at, tfCore().backend_util.prepareSplitSize({ shape: [...x.shape] } as never, numOrSizeSplits, at))
  },
  Slice: (b, given) => {
    const x = input(given, 'x')
    const { begin, size } = given.attrs as { begin: number | number[]; size: number | number[] }
    const [starts, sizes] = tfCore().slice_util.parseSliceParams({ shape: [...x.shape] } as never, begin, size)
    return b.slice(
      x,
      starts!,
      starts!.map((start, i) => start + sizes![i]!),
    )
  },
  StridedSlice: (b, given) => {
    const x = input(given, 'x')
    const { begin, end, strides, ...masks } = given.attrs as Record<string, number> &
      Record<'begin' | 'end' | 'strides', number[]>
    const info = tfCore().slice_util.sliceInfo(
      [...x.shape],
      begin,
      end,
      strides,
      masks['beginMask']!,
      masks['endMask']!,
      masks['ellipsisMask']!,
      masks['newAxisMask']!,
      masks['shrinkAxisMask']!,
    )
    if (sizeOf(info.finalShapeSparse) === 0) return b.constant(0, x.element, info.finalShape)
    // A negative stride goes backward: the axis is reversed first.
    const backward = info.strides.flatMap((stride, axis) => (stride < 0 ? [axis] : []))
    const flipped = b.reverse(x, backward)
    const turned = (start: number, axis: number): number =>
      info.strides[axis]! < 0 ? x.shape[axis]! - 1 - start : start
    const starts = info.begin.map(turned)
    const steps = info.strides.map(Math.abs)
    const counts = x.shape.map((_, axis) =>
      Math.max(0, Math.ceil((info.end[axis]! - info.begin[axis]!) / info.strides[axis]!)),
    )
    const ends = starts.map((start, axis) => start + (counts[axis]! - 1) * steps[axis]! + 1)
    return b.reshape(b.slice(flipped, starts, ends, steps), info.finalShape)
  },
  PadV2: (b, given) => {
    const x = input(given, 'x')
    const { paddings, constantValue } = given.attrs as unknown as { paddings: Widths; constantValue?: number }
    const fill = b.constant(constantValue ?? 0, x.element)
    return b.pad(
      x,
      fill,
      paddings.map(([low]) => low),
      paddings.map(([, high]) => high),
    )
  },
  MirrorPad: (b, given) => {
    const { paddings, mode } = given.attrs as unknown as { paddings: Widths; mode: string }
    return paddings.reduce((x, widths, axis) => mirror(b, x, axis, widths, mode === 'reflect'), input(given, 'x'))
  },
  Fill: (b, given) => {
    const { shape, value, dtype } = given.attrs as unknown as { shape: number[]; value: number; dtype?: string }
    return b.constant(value, elementOf[(dtype ?? 'float32') as keyof typeof elementOf], shape)
  },
  Range: (b, given) => {
    const { start, stop, step, dtype } = given.attrs as unknown as Record<'start' | 'stop' | 'step', number> & {
      dtype: 'float32' | 'int32'
    }
    const count = Math.max(0, Math.ceil((stop - start) / step))
    const values = dtype === 'int32' ? new Int32Array(count) : new Float32Array(count)
    return b.dense({ shape: [count], dtype, values: values.map((_, i) => start + i * step) })
  },
  LinSpace: (b, given) => {
    const { start, stop, num } = given.attrs as unknown as { start: number; stop: number; num: number }
    const values = Float32Array.from({ length: num }, (_, i) => start + (i * (stop - start)) / Math.max(1, num - 1))
    return b.dense({ shape: [num], dtype: 'float32', values })
  },
  Diag: (b, given) => {
    const x = input(given, 'x')
    const size = sizeOf(x.shape)
    const [row, column] = [0, 1].map((axis) => b.iota([size, size], axis, 'i32')) as [Value, Value]
    const spread = b.broadcast(b.reshape(x, [size]), [size, size], [0])
    return b.reshape(b.select(b.compare('EQ', row, column), spread, b.like(spread, 0)), [...x.shape, ...x.shape])
  },
  SpaceToBatchND: (b, given) => {
    const x = input(given, 'x')
    const { blockShape, paddings } = given.attrs as unknown as { blockShape: number[]; paddings: Widths }
    const rest = x.shape.slice(1 + blockShape.length)
    const low = [0, ...paddings.map(([before]) => before), ...rest.map(() => 0)]
    const high = [0, ...paddings.map(([, after]) => after), ...rest.map(() => 0)]
    const padded = b.pad(x, b.constant(0, x.element), low, high)
    const [batch, ...spatial] = padded.shape.slice(0, 1 + blockShape.length) as [number, ...number[]]
    const split = b.reshape(padded, [
      batch,
      ...spatial.flatMap((size, i) => [size / blockShape[i]!, blockShape[i]!]),
      ...rest,
    ])
    const inner = blockShape.map((_, i) => 2 + 2 * i)
    const outer = blockShape.map((_, i) => 1 + 2 * i)
    const last = rest.map((_, i) => 1 + 2 * blockShape.length + i)
    return b.reshape(b.transpose(split, [...inner, 0, ...outer, ...last]), [
      batch * sizeOf(blockShape),
      ...spatial.map((size, i) => size / blockShape[i]!),
      ...rest,
    ])
  },
  BatchToSpaceND: (b, given) => {
    const x = input(given, 'x')
    const { blockShape, crops } = given.attrs as unknown as { blockShape: number[]; crops: Widths }
    const count = blockShape.length
    const batch = x.shape[0]! / sizeOf(blockShape)
    const spatial = x.shape.slice(1, 1 + count)
    const rest = x.shape.slice(1 + count)
    const split = b.reshape(x, [...blockShape, batch, ...spatial, ...rest])
    const order = [count, ...blockShape.flatMap((_, i) => [count + 1 + i, i]), ...rest.map((_, i) => 2 * count + 1 + i)]
    const joined = b.reshape(b.transpose(split, order), [
      batch,
      ...spatial.map((size, i) => size * blockShape[i]!),
      ...rest,
    ])
    const begin = [0, ...crops.map(([before]) => before), ...rest.map(() => 0)]
    const end = joined.shape.map((size, i) => size - (crops[i - 1]?.[1] ?? 0))
    return b.slice(joined, begin, end)
  },
  DepthToSpace: (b, given) => {
    const x = input(given, 'x')
    const { blockSize, dataFormat } = given.attrs as { blockSize: number; dataFormat: string }
    const first = dataFormat === 'NCHW'
    const [batch, height, width, depth] = (first ? [0, 2, 3, 1] : [0, 1, 2, 3]).map((axis) => x.shape[axis]!) as [
      number,
      number,
      number,
      number,
    ]
    const channels = depth / blockSize ** 2
    if (first) {
      const split = b.reshape(x, [batch, blockSize, blockSize, channels, height, width])
      return b.reshape(b.transpose(split, [0, 3, 4, 1, 5, 2]), [batch, channels, height * blockSize, width * blockSize])
    }
    const split = b.reshape(x, [batch, height, width, blockSize, blockSize, channels])
    return b.reshape(b.transpose(split, [0, 1, 3, 2, 4, 5]), [batch, height * blockSize, width * blockSize, channels])
  },
}
