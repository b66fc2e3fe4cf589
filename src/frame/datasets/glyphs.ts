/**
 * Glyphs: a labelled image set that is drawn, for machines with neither data nor network.
 *
 * Ten signs of strokes, each turned, sheared, scaled, moved and thickened at random, with noise: about as hard as MNIST
 * for a small network. Every image follows from the seed and its number alone.
 */
import { checkInteger } from '../../core/check.js'
import { fold, keyOf, permutation, uniform, type Key } from '../../core/random.js'
import type { Frame } from '../frame.js'
import { frame } from '../create.js'
import type { LabelledImages } from './mnist.js'

const side = 28

type Point = readonly [x: number, y: number]
type Stroke = readonly Point[]

const arc = (from: number, to: number, steps = 10): Stroke =>
  Array.from({ length: steps + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / steps) * Math.PI) / 180
    return [Math.cos(angle), Math.sin(angle)]
  })

/** Strokes of each class in the square [-1, 1] x [-1, 1], y downwards. */
const glyphStrokes: readonly (readonly Stroke[])[] = [
  // ring
  [arc(0, 360, 16)],
  // bar
  [
    [
      [0, -1],
      [0, 1],
    ],
  ],
  // triangle
  [
    [
      [0, -1],
      [0.95, 0.85],
      [-0.95, 0.85],
      [0, -1],
    ],
  ],
  // square
  [
    [
      [-0.85, -0.85],
      [0.85, -0.85],
      [0.85, 0.85],
      [-0.85, 0.85],
      [-0.85, -0.85],
    ],
  ],
  // plus
  [
    [
      [0, -1],
      [0, 1],
    ],
    [
      [-1, 0],
      [1, 0],
    ],
  ],
  // cross
  [
    [
      [-0.85, -0.85],
      [0.85, 0.85],
    ],
    [
      [0.85, -0.85],
      [-0.85, 0.85],
    ],
  ],
  // zigzag
  [
    [
      [-0.9, -0.8],
      [0.9, -0.8],
      [-0.9, 0.8],
      [0.9, 0.8],
    ],
  ],
  // open arc
  [arc(50, 310)],
  // two lines
  [
    [
      [-0.9, -0.45],
      [0.9, -0.45],
    ],
    [
      [-0.9, 0.45],
      [0.9, 0.45],
    ],
  ],
  // arrow
  [
    [
      [0, 1],
      [0, -1],
    ],
    [
      [-0.7, -0.25],
      [0, -1],
      [0.7, -0.25],
    ],
  ],
]

/**
 * Labelled images of ten drawn signs: `image` uint8 [28, 28, 1], `label` 0 to 9, as many of each, in random order.
 *
 * @example
 * ```ts
 * const signs = await datasets.glyphs({ rows: 5000, seed: 1 })
 * ```
 */
export async function glyphs({ rows = 5000, seed = 0 }: { rows?: number; seed?: number } = {}): Promise<
  Frame<LabelledImages>
> {
  checkInteger('datasets.glyphs', 'rows', rows, 1, 1_000_000)
  checkInteger('datasets.glyphs', 'seed', seed, Number.MIN_SAFE_INTEGER)
  const key = keyOf(seed)
  const order = permutation(fold(key, 0), rows)
  const values = new Uint8Array(rows * side * side)
  const labels = new Uint8Array(rows)
  for (let row = 0; row < rows; row++) {
    labels[row] = order[row]! % glyphStrokes.length
    draw(
      glyphStrokes[labels[row]!]!,
      fold(fold(key, 1), row),
      values.subarray(row * side * side, (row + 1) * side * side),
    )
  }
  return frame({ image: { shape: [rows, side, side, 1] as const, dtype: 'uint8', values }, label: labels })
}

function draw(strokes: readonly Stroke[], key: Key, pixels: Uint8Array): void {
  let drawn = 0
  const between = (low: number, high: number): number => low + (high - low) * uniform(key, drawn++)
  const turn = between(-16, 16) * (Math.PI / 180)
  const [scaleX, scaleY, shear] = [between(6.2, 9.6), between(6.2, 9.6), between(-0.25, 0.25)]
  const [centreX, centreY] = [side / 2 - 0.5 + between(-3, 3), side / 2 - 0.5 + between(-3, 3)]
  const [thickness, ink, noise] = [between(0.7, 1.5), between(150, 255), between(10, 50)]
  const place = ([x, y]: Point): Point => {
    const [u, v] = [(x + shear * y) * scaleX, y * scaleY]
    return [centreX + u * Math.cos(turn) - v * Math.sin(turn), centreY + u * Math.sin(turn) + v * Math.cos(turn)]
  }
  const lines = Float64Array.from(
    strokes.flatMap((stroke) => {
      const placed = stroke.map(place)
      return placed.slice(1).flatMap((to, i) => [...placed[i]!, ...to])
    }),
  )
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      let squared = Infinity
      for (let at = 0; at < lines.length; at += 4) squared = Math.min(squared, squaredDistance(x, y, lines, at))
      // One pixel wide from full ink to none: the edge is smooth.
      const cover = Math.max(0, Math.min(1, thickness + 0.5 - Math.sqrt(squared)))
      pixels[y * side + x] = Math.max(0, Math.min(255, Math.round(cover * ink + between(-noise, noise))))
    }
  }
}

/** Squared distance of a point from the segment `x1, y1, x2, y2` at `at`. */
function squaredDistance(x: number, y: number, lines: Float64Array, at: number): number {
  const x1 = lines[at]!
  const y1 = lines[at + 1]!
  const dx = lines[at + 2]! - x1
  const dy = lines[at + 3]! - y1
  const along = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy)))
  return (x - x1 - along * dx) ** 2 + (y - y1 - along * dy) ** 2
}
