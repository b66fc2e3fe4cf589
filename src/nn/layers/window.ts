/** Windows over places: options of convolutions and poolings with one number an axis. */
import { ShardbookError } from '../../core/errors.js'
import { showShape, windowed } from './layer.js'
import type { Padding, Shape } from './layer.js'

/** One positive integer for all axes, or one each. */
export function sizesOf(
  kind: string,
  name: string,
  value: number | readonly number[],
  axes: number,
): readonly number[] {
  const sizes = typeof value === 'number' ? Array.from({ length: axes }, () => value) : value
  const ok = Array.isArray(sizes) && sizes.length === axes && sizes.every((n) => Number.isInteger(n) && n >= 1)
  if (ok) return sizes
  throw new ShardbookError(
    'argument',
    `nn.${kind}: expected ${name} to be a positive integer${axes === 1 ? '' : ` or ${axes} of them`}, got ${JSON.stringify(value)}.`,
  )
}

/** Raises unless samples have `axes` axes of places, then channels. */
export function checkPlaces(kind: string, input: Shape, axes: number): void {
  if (input.length === axes + 1) return
  const names = axes === 1 ? ['steps'] : ['depth', 'height', 'width'].slice(-axes)
  const shape = `[${[...names, 'channels'].join(', ')}]`
  throw new ShardbookError('argument', `nn.${kind}: expected samples of shape ${shape}, got ${showShape(input)}.`, {
    hint: `Put nn.reshape({ shape: ${shape} }) before it.`,
  })
}

/** Places left after windows have moved over them. */
export function windowedPlaces(
  kind: string,
  input: Shape,
  window: readonly number[],
  strides: readonly number[],
  padding: Padding,
): number[] {
  const places = window.map((size, axis) => windowed(input[axis]!, size, strides[axis]!, padding))
  if (places.every((n) => n >= 1)) return places
  throw new ShardbookError(
    'argument',
    `nn.${kind}: expected samples at least as large as the window ${showShape(window)}, got ${showShape(input)}.`,
    { hint: "padding: 'same' takes smaller ones." },
  )
}
