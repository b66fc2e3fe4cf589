/** Kernels that read or write at places given by numbers. */
import { sizeOf } from '../../../core/dtype.js'
import { tfCore } from '../../tf.js'
import { type Builder, type Value, elementOf, list, typeOf } from './builder.js'
import { type Lowerings, input } from './lowering.js'

const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)

interface GatherNumbers {
  /** Axes of the result that come from the slices. */
  readonly offset: readonly number[]
  /** Axes of the operand of which a slice takes one element, and that the result lacks. */
  readonly collapsed: readonly number[]
  readonly operandBatch?: readonly number[]
  readonly indexBatch?: readonly number[]
  /** Axes of the operand that the index vectors count. */
  readonly indexed: readonly number[]
  readonly vector: number
  readonly sizes: readonly number[]
}

function gather(b: Builder, x: Value, indices: Value, numbers: GatherNumbers, shape: readonly number[]): Value {
  const { offset, collapsed, operandBatch = [], indexBatch = [], indexed, vector, sizes } = numbers
  const dims = [
    `offset_dims = ${list(offset)}`,
    `collapsed_slice_dims = ${list(collapsed)}`,
    ...(operandBatch.length === 0
      ? []
      : [`operand_batching_dims = ${list(operandBatch)}`, `start_indices_batching_dims = ${list(indexBatch)}`]),
    `start_index_map = ${list(indexed)}`,
    `index_vector_dim = ${vector}`,
  ]
  return b.define(
    `"stablehlo.gather"(${x.name}, ${indices.name}) <{dimension_numbers = #stablehlo.gather<${dims.join(', ')}>, slice_sizes = array<i64: ${sizes.join(', ')}>, indices_are_sorted = false}> : (${typeOf(x)}, ${typeOf(indices)}) -> ${typeOf({ ...x, shape })}`,
    shape,
    x.element,
  )
}

interface ScatterNumbers {
  readonly window: readonly number[]
  readonly inserted: readonly number[]
  readonly indexed: readonly number[]
}

/** Writes updates at the places of index vectors, the last axis of `indices`; places outside are left out. */
function scatter(
  b: Builder,
  x: Value,
  indices: Value,
  updates: Value,
  { window, inserted, indexed }: ScatterNumbers,
  combine: 'add' | 'replace',
): Value {
  const scalar = typeOf({ ...x, shape: [] })
  const [before, update, sum] = [b.fresh('l'), b.fresh('r'), b.fresh('c')]
  const body =
    combine === 'add'
      ? `${sum} = stablehlo.add ${before}, ${update} : ${scalar}\nstablehlo.return ${sum} : ${scalar}`
      : `stablehlo.return ${update} : ${scalar}`
  const dims = [
    `update_window_dims = ${list(window)}`,
    `inserted_window_dims = ${list(inserted)}`,
    `scatter_dims_to_operand_dims = ${list(indexed)}`,
    `index_vector_dim = ${indices.shape.length - 1}`,
  ]
  return b.define(
    `"stablehlo.scatter"(${x.name}, ${indices.name}, ${updates.name}) <{scatter_dimension_numbers = #stablehlo.scatter<${dims.join(', ')}>, indices_are_sorted = false, unique_indices = false}> ({
^bb0(${before}: ${scalar}, ${update}: ${scalar}):
${body}
}) : (${typeOf(x)}, ${typeOf(indices)}, ${typeOf(updates)}) -> ${typeOf(x)}`,
    x.shape,
    x.element,
  )
}

/** Writes at index vectors over the first axes of `x`. */
function scatterAt(b: Builder, x: Value, indices: Value, updates: Value, combine: 'add' | 'replace'): Value {
  const depth = indices.shape.at(-1)!
  const rows = indices.shape.slice(0, -1)
  const shaped = b.reshape(updates, [...rows, ...x.shape.slice(depth)])
  const numbers = {
    window: range(rows.length, shaped.shape.length),
    inserted: range(0, depth),
    indexed: range(0, depth),
  }
  return scatter(b, x, indices, shaped, numbers, combine)
}

/** Index vectors as `[..., depth]`; TensorFlow.js takes a list of numbers for a column of them. */
function vectors(b: Builder, indices: Value): Value {
  return indices.shape.length > 1 ? indices : b.reshape(indices, [sizeOf(indices.shape), 1])
}

/** How often each number below `size` occurs, or the sum of its weights. */
function countInto(b: Builder, x: Value, weights: Value | undefined, size: number): Value {
  const places = b.reshape(x, [sizeOf(x.shape), 1])
  const given = weights !== undefined && sizeOf(weights.shape) > 0
  const updates = given ? b.reshape(weights, [sizeOf(x.shape)]) : b.constant(1, 'f32', [sizeOf(x.shape)])
  return scatterAt(b, b.constant(0, updates.element, [size]), places, updates, 'add')
}

export const indexing: Lowerings = {
  GatherV2: (b, given) => {
    const [x, indices] = [input(given, 'x'), input(given, 'indices')]
    const { axis, batchDims } = given.attrs as unknown as { axis: number; batchDims?: number }
    const batch = batchDims ?? 0
    const along = axis < 0 ? axis + x.shape.length : axis
    const own = indices.shape.slice(batch)
    const shape = [...x.shape.slice(0, along), ...own, ...x.shape.slice(along + 1)]
    const places = b.convert(b.reshape(indices, [...indices.shape, 1]), 'i32')
    const numbers = {
      offset: [...range(batch, along), ...range(along + own.length, shape.length)],
      collapsed: [along],
      operandBatch: range(0, batch),
      indexBatch: range(0, batch),
      indexed: [along],
      vector: indices.shape.length,
      sizes: x.shape.map((size, i) => (i === along || i < batch ? 1 : size)),
    }
    if (batch === 0 || batch === along) return gather(b, x, places, numbers, shape)
    // The indices' own axes come right behind the batch's: to where the gathered axis was.
    const result = [...x.shape.slice(0, batch), ...own, ...x.shape.slice(batch, along), ...x.shape.slice(along + 1)]
    const moved = gather(b, x, places, { ...numbers, offset: range(batch + own.length, result.length) }, result)
    const between = along - batch
    const order = [
      ...range(0, batch),
      ...range(batch + own.length, batch + own.length + between),
      ...range(batch, batch + own.length),
      ...range(batch + own.length + between, result.length),
    ]
    return b.transpose(moved, order)
  },
  GatherNd: (b, given) => {
    const [x, indices] = [input(given, 'params'), input(given, 'indices')]
    const depth = indices.shape.at(-1)!
    const rows = indices.shape.slice(0, -1)
    const shape = [...rows, ...x.shape.slice(depth)]
    const numbers = {
      offset: range(rows.length, shape.length),
      collapsed: range(0, depth),
      indexed: range(0, depth),
      vector: rows.length,
      sizes: x.shape.map((size, i) => (i < depth ? 1 : size)),
    }
    return gather(b, x, indices, numbers, shape)
  },
  UnsortedSegmentSum: (b, given) => {
    const [x, segments] = [input(given, 'x'), input(given, 'segmentIds')]
    const { numSegments } = given.attrs as { numSegments: number }
    const sums = b.constant(0, x.element, [numSegments, ...x.shape.slice(segments.shape.length)])
    return scatterAt(b, sums, b.convert(b.reshape(segments, [...segments.shape, 1]), 'i32'), x, 'add')
  },
  ScatterNd: (b, given) => {
    const [indices, updates] = [vectors(b, input(given, 'indices')), input(given, 'updates')]
    const { shape } = given.attrs as { shape: number[] }
    return scatterAt(b, b.constant(0, updates.element, shape), indices, updates, 'add')
  },
  TensorScatterUpdate: (b, given) =>
    scatterAt(b, input(given, 'tensor'), vectors(b, input(given, 'indices')), input(given, 'updates'), 'replace'),
  SparseToDense: (b, given) => {
    const [indices, values, fill] = ['sparseIndices', 'sparseValues', 'defaultValue'].map((name) =>
      input(given, name),
    ) as [Value, Value, Value]
    const { outputShape } = given.attrs as { outputShape: number[] }
    const places = vectors(b, indices.shape.length === 0 ? b.reshape(indices, [1]) : indices)
    const updates = b.expand(values, places.shape.slice(0, -1))
    return scatterAt(b, b.expand(fill, outputShape), places, updates, 'replace')
  },
  OneHot: (b, given) => {
    const indices = input(given, 'indices')
    const { depth, onValue, offValue, dtype } = given.attrs as unknown as Record<
      'depth' | 'onValue' | 'offValue',
      number
    > & { dtype?: keyof typeof elementOf }
    const shape = [...indices.shape, depth]
    const places = b.broadcast(indices, shape, range(0, indices.shape.length))
    const element = elementOf[dtype ?? 'int32']
    const hit = b.compare('EQ', places, b.iota(shape, shape.length - 1, 'i32'))
    return b.select(hit, b.constant(onValue, element, shape), b.constant(offValue, element, shape))
  },
  Bincount: (b, given) =>
    countInto(b, input(given, 'x'), given.inputs['weights'] as Value | undefined, given.attrs['size'] as number),
  SearchSorted: (b, given) => {
    const [sorted, values] = [input(given, 'sortedSequence'), input(given, 'values')]
    const [rows, size, count] = [sorted.shape[0]!, sorted.shape[1]!, values.shape[1]!]
    const each = b.broadcast(sorted, [rows, count, size], [0, 2])
    const direction = given.attrs['side'] === 'right' ? 'LE' : 'LT'
    const before = b.compare(direction, each, b.broadcast(values, [rows, count, size], [0, 1]))
    return b.reduce('add', b.convert(before, 'i32'), [2], 0)
  },
}

/** Matrices of resizing, `[to, from]`: what share of each source element a result takes. */
function resizing(
  from: number,
  to: number,
  { alignCorners, halfPixelCenters, nearest }: { alignCorners: boolean; halfPixelCenters: boolean; nearest: boolean },
): Float32Array {
  const shares = new Float32Array(to * from)
  const aligned = alignCorners && to > 1
  const scale = aligned ? (from - 1) / (to - 1) : from / to
  for (let i = 0; i < to; i++) {
    const at = halfPixelCenters ? (i + 0.5) * scale - (nearest ? 0 : 0.5) : i * scale
    if (nearest) {
      const place = aligned ? Math.round(at) : Math.floor(at)
      shares[i * from + Math.min(from - 1, Math.max(0, place))] = 1
      continue
    }
    const place = Math.max(0, Math.min(from - 1, at))
    const low = Math.floor(place)
    const high = Math.min(from - 1, Math.ceil(place))
    shares[i * from + low]! += 1 - (place - low)
    shares[i * from + high]! += place - low
  }
  return shares
}

/** Resizes `[batch, height, width, channels]` by one matrix an axis; the gradient by the same ones, transposed. */
function resize(b: Builder, x: Value, [height, width]: readonly [Value, Value], by: 0 | 1): Value {
  const rows = b.dot(x, height, 0, [1, by], { exact: true }) // [batch, width, channels, to]
  const columns = b.dot(rows, width, 0, [1, by], { exact: true }) // [batch, channels, height, width]
  return b.transpose(columns, [0, 2, 3, 1])
}

function resized(kernel: 'ResizeBilinear' | 'ResizeNearestNeighbor'): Lowerings {
  const nearest = kernel === 'ResizeNearestNeighbor'
  const matrices = (b: Builder, from: readonly number[], to: readonly number[], attrs: object): [Value, Value] => {
    const options = { alignCorners: false, halfPixelCenters: false, ...attrs, nearest }
    return [0, 1].map((i) => {
      const values = resizing(from[i]!, to[i]!, options)
      return b.dense({ shape: [to[i]!, from[i]!], dtype: 'float32', values })
    }) as [Value, Value]
  }
  return {
    [kernel]: (b, given) => {
      const images = b.convert(input(given, 'images'), 'f32')
      return resize(b, images, matrices(b, images.shape.slice(1, 3), given.attrs['size'] as number[], given.attrs), 1)
    },
    [`${kernel}Grad`]: (b, given) => {
      const [images, dy] = [input(given, 'images'), input(given, 'dy')]
      return resize(b, dy, matrices(b, images.shape.slice(1, 3), dy.shape.slice(1, 3), given.attrs), 0)
    },
  }
}

export const images: Lowerings = { ...resized('ResizeBilinear'), ...resized('ResizeNearestNeighbor') }

/** `Einsum` without repeated labels in one operand: products of two operands, or a transposed sum of one. */
export const einsum: Lowerings = {
  Einsum: (b, given) => {
    const operands = Object.values(given.inputs).flat() as Value[]
    const equation = (given.attrs['equation'] as string).replace(/\s/g, '')
    tfCore().backend_util.decodeEinsumEquation(equation, operands.length)
    const [left, right] = equation.split('->') as [string, string]
    const labels = left.split(',').map((term) => term.split(''))
    const sizes = new Map(
      labels.flatMap((term, i) => term.map((label, axis) => [label, operands[i]!.shape[axis]!] as const)),
    )
    const all = [...new Set([...right.split(''), ...labels.flat()])]
    const whole = all.map((label) => sizes.get(label)!)
    const spread = operands.map((operand, i) => {
      const order = labels[i]!.map((label, axis) => [all.indexOf(label), axis] as const).toSorted(([p], [q]) => p - q)
      const turned = b.transpose(
        operand,
        order.map(([, axis]) => axis),
      )
      return b.broadcast(
        turned,
        whole,
        order.map(([place]) => place),
      )
    })
    const product = spread.reduce((a, c) => b.binary('multiply', a, c))
    return b.reduce('add', product, range(right.length, all.length), 0)
  },
}
