/** Where the windows of convolutions and pooling lie: the same arithmetic for any number of spatial axes. */
import { ShardbookError } from '../../../core/errors.js'

type Sides = readonly [low: number, high: number]

export interface WindowAttributes {
  readonly strides: number | readonly number[]
  readonly pad: 'same' | 'valid' | number | readonly Sides[]
  readonly dilations?: number | readonly number[]
  readonly dataFormat?: string
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/** One spatial axis: how windows of `size` elements, `dilation` apart, slide over `input` elements. */
export interface Axis {
  readonly input: number
  readonly size: number
  readonly stride: number
  readonly dilation: number
  /** Elements beside the axis; negative where the last windows leave some out. */
  readonly low: number
  readonly high: number
  readonly outputs: number
}

/** What a window spans. */
export function spanOf({ size, dilation }: Pick<Axis, 'size' | 'dilation'>): number {
  return (size - 1) * dilation + 1
}

/** The spatial axes of an image or volume, given the sizes of it and of the windows. */
export function axesOfWindow(inputs: readonly number[], sizes: readonly number[], attrs: WindowAttributes): Axis[] {
  const { strides, pad, dilations = 1, dimRoundingMode = 'floor' } = attrs
  const of = (value: number | readonly number[], i: number): number => (typeof value === 'number' ? value : value[i]!)
  return inputs.map((length, i) => {
    const size = sizes[i]!
    const stride = of(strides, i)
    const dilation = of(dilations, i)
    const span = spanOf({ size, dilation })
    const axis = { input: length, size, stride, dilation }
    if (pad === 'same') {
      const outputs = Math.ceil(length / stride)
      const total = Math.max(0, (outputs - 1) * stride + span - length)
      const low = Math.floor(total / 2)
      return { ...axis, low, high: total - low, outputs }
    }
    const [low, high] = sidesOf(pad, i, attrs.dataFormat)
    const outputs = Math[dimRoundingMode]((length + low + high - span) / stride) + 1
    // Exactly as many windows as that.
    return { ...axis, low, high: (outputs - 1) * stride + span - length - low, outputs }
  })
}

function sidesOf(pad: 'valid' | number | readonly Sides[], axis: number, format: string | undefined): Sides {
  if (pad === 'valid') return [0, 0]
  if (typeof pad === 'number') return [pad, pad]
  const sides = pad[axis + (isChannelsFirst(format) ? 2 : 1)]
  if (sides !== undefined) return sides
  throw new ShardbookError('engine', `lower: expected widths of padding for each axis, got ${JSON.stringify(pad)}.`)
}

function isChannelsFirst(format: string | undefined): boolean {
  return format === 'NCHW' || format === 'NCDHW'
}

/** The axes of an image that are neither batch nor channels, and that of the channels. */
export function layoutOf(rank: number, format: string | undefined): { spatial: number[]; channels: number } {
  const first = isChannelsFirst(format)
  const spatial = Array.from({ length: rank - 2 }, (_, i) => i + (first ? 2 : 1))
  return { spatial, channels: first ? 1 : rank - 1 }
}
