/** `augment`: augmented copies of a frame's images as rows, to look at, and for models that augment nothing themselves. */
import { checkInteger } from '../../core/check.js'
import { keyOf, fold } from '../../core/random.js'
import { currentEngine, loadTf, openEngine, withRandom } from '../../engine/index.js'
import { frame as frameOf } from '../../frame/index.js'
import type { Frame } from '../../frame/index.js'
import type { Layer } from '../layers/layer.js'
import { tensorColumn } from '../ml/columns.js'
import { checkAugmentations } from './augment.js'

export interface AugmentOptions<S> {
  /** Column of images. */
  readonly inputCol: keyof S & string
  /** Layers that act while training: `nn.randomRotation` and its like. */
  readonly augment: readonly Layer[]
  /** Copies of each row. Default 1. */
  readonly copies?: number
  /** Default 0. */
  readonly seed?: number
}

const rowsAtOnce = 256

/**
 * Copies of all rows whose images are augmented, each in another way; the rows themselves are not among them. All rows are read
 * into memory.
 *
 * @throws ShardbookError `argument` for layers that change shapes, `column` where there are no images.
 * @example
 * ```ts
 * viz.images(await ml.augment(train.limit(5), { inputCol: 'image', augment: [nn.randomRotation({ degrees: 15 })], copies: 4 }))
 * ```
 */
export async function augment<S>(frame: Frame<S>, options: AugmentOptions<S>): Promise<Frame<S>> {
  const { inputCol, augment: layers, copies = 1, seed = 0 } = options
  const caller = 'ml.augment'
  const { shape, isBytes } = tensorColumn(caller, frame.schema, inputCol)
  checkInteger(caller, 'copies', copies, 1)
  checkInteger(caller, 'seed', seed, 0)
  const sample = shape.length === 2 ? [...shape, 1] : [...shape]
  checkAugmentations(caller, layers, sample, undefined)
  if (currentEngine() === undefined) await openEngine('auto')
  const tf = await loadTf()
  const columns = (await frame.toColumns()) as Readonly<Record<string, unknown>>
  const images = columns[inputCol] as { readonly values: Float32Array | Uint8Array; readonly shape: readonly number[] }
  const rows = images.shape[0]!
  const size = rows === 0 ? 0 : images.values.length / rows
  const copy = (turn: number): Frame<S> => {
    const values = images.values.slice()
    for (let from = 0; from < rows; from += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - from)
      const part = Float32Array.from(images.values.subarray(from * size, (from + count) * size))
      const made = tf.tidy(() => {
        const key = tf.scalar(fold(keyOf(seed), turn) | 0, 'int32')
        const numbers = tf.tensor1d(Int32Array.from({ length: count }, (_, i) => from + i))
        const x = tf.tensor(isBytes ? part.map((value) => value / 255) : part, [count, ...sample])
        const ids = tf.cast(numbers, 'int32')
        const y = withRandom({ key, rows: ids }, (random) =>
          layers.reduce((image, layer) => layer.apply({ tf, random }, image, []), x),
        )
        return y.dataSync<'float32'>()
      })
      values.set(isBytes ? made.map((value) => Math.round(value * 255)) : made, from * size)
    }
    return frameOf({ ...columns, [inputCol]: { ...images, values } } as never) as unknown as Frame<S>
  }
  const [first, ...others] = Array.from({ length: copies }, (_, turn) => copy(turn))
  return first!.concat(...(others as never[])) as unknown as Frame<S>
}
