/**
 * Images read at other places: what flips, shifts, rotations and zooms have in common.
 *
 * A pixel of the result comes from where an affine map says, by bilinear interpolation over four gathers. These are kernels that
 * every engine has and that a compiled step may hold; the image transforms of TensorFlow.js are not.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Tf } from '../../engine/tf.js'

export const fills = ['zeros', 'nearest', 'reflect'] as const
/** What lies beyond an image: zeros, its border, or its mirror image. */
export type Fill = (typeof fills)[number]

/**
 * Where a pixel comes from, around the centre of the image, in pixels: `y' = yy y + yx x + dy`, `x' = xy y + xx x + dx`. Each is a
 * number or a tensor [batch, 1, 1].
 */
export interface AffineMap {
  readonly yy?: Tensor | number
  readonly yx?: Tensor | number
  readonly dy?: Tensor | number
  readonly xy?: Tensor | number
  readonly xx?: Tensor | number
  readonly dx?: Tensor | number
}

/** `x: [batch, height, width, channels]`, read where `map` says; whole pixels come out exactly. */
export function resample(tf: Tf, x: Tensor, map: AffineMap, fill: Fill): Tensor {
  const [rows, height, width, channels] = x.shape as [number, number, number, number]
  const { yy = 1, yx = 0, dy = 0, xy = 0, xx = 1, dx = 0 } = map
  const [y, right] = placesOf(tf, height, width)
  const [top, left] = [(height - 1) / 2, (width - 1) / 2]
  const at = (a: Tensor | number, b: Tensor | number, shift: Tensor | number, centre: number): Tensor =>
    tf.add(tf.add(tf.add(tf.mul(y, a), tf.mul(right, b)), shift), centre)
  const whole = [rows, height, width]
  const beyond = (place: Tensor, size: number): Tensor => tf.broadcastTo(inside(tf, place, size, fill), whole)
  const sourceY = beyond(at(yy, yx, dy, top), height)
  const sourceX = beyond(at(xy, xx, dx, left), width)

  const flat = tf.reshape(x, [rows * height * width, channels])
  const first = tf.reshape(
    tf.tensor1d(
      Int32Array.from({ length: rows }, (_, row) => row * height * width),
      'int32',
    ),
    [rows, 1, 1],
  )
  const [y0, x0] = [tf.floor(sourceY), tf.floor(sourceX)]
  const [fy, fx] = [tf.sub(sourceY, y0), tf.sub(sourceX, x0)]
  const corner = (cornerY: Tensor, cornerX: Tensor, share: Tensor): Tensor => {
    const [safeY, safeX] = [tf.clipByValue(cornerY, 0, height - 1), tf.clipByValue(cornerX, 0, width - 1)]
    const place = tf.add(tf.cast(tf.add(tf.mul(safeY, width), safeX), 'int32'), first)
    const values = tf.gather(flat, tf.reshape(place, [rows * height * width]))
    const known = tf.logicalAnd(tf.equal(safeY, cornerY), tf.equal(safeX, cornerX))
    const weight = tf.mul(share, tf.cast(known, 'float32'))
    return tf.mul(values, tf.reshape(weight, [rows * height * width, 1]))
  }
  const [y1, x1] = [tf.add(y0, 1), tf.add(x0, 1)]
  const [gy, gx] = [tf.sub(1, fy), tf.sub(1, fx)]
  const sum = tf.addN([
    corner(y0, x0, tf.mul(gy, gx)),
    corner(y0, x1, tf.mul(gy, fx)),
    corner(y1, x0, tf.mul(fy, gx)),
    corner(y1, x1, tf.mul(fy, fx)),
  ])
  return tf.reshape(sum, x.shape)
}

/** Rows and columns of an image around its centre: `[1, height, 1]` and `[1, 1, width]`. */
export function placesOf(tf: Tf, height: number, width: number): readonly [Tensor, Tensor] {
  const centred = (size: number): Float32Array => Float32Array.from({ length: size }, (_, i) => i - (size - 1) / 2)
  return [tf.tensor3d(centred(height), [1, height, 1]), tf.tensor3d(centred(width), [1, 1, width])]
}

/** Places beyond an image brought back into it, but for `zeros`. */
function inside(tf: Tf, place: Tensor, size: number, fill: Fill): Tensor {
  if (fill === 'zeros') return place
  if (fill === 'nearest') return tf.clipByValue(place, 0, size - 1)
  // The mirror image repeats every two images, edges twice: ... b a | a b c | c b ...
  const period = 2 * size
  const shifted = tf.add(place, 0.5)
  const turn = tf.sub(shifted, tf.mul(period, tf.floor(tf.div(shifted, period))))
  const mirrored = tf.sub(tf.sub(size, tf.abs(tf.sub(turn, size))), 0.5)
  return tf.clipByValue(mirrored, 0, size - 1)
}
