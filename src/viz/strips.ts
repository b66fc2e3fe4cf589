/** What a generative model makes: the way from one sample to another, and its samples as it learns. */
import { ShardbookError } from '../core/errors.js'
import { Chart } from './chart.js'
import { type Cell, grid } from './grid.js'
import { brightness } from './images.js'
import { type Image, type PlainTensor, channelOf, imagesOf } from './tensor.js'
import { chartWidth } from './theme.js'

/** Images in a row, with its name. */
export interface Strip {
  readonly name: string
  /** Shape `[n, h, w, c]`. */
  readonly images: PlainTensor
}

const stripsShown = 24
const imagesShown = 16

/**
 * Decoded images on the way between two samples, a row a pair; the numbers above say how far.
 *
 * @param strips shape `[n, h, w, c]` from the first sample to the second, or several such rows with names
 * @throws `argument` for tensors of another rank, or images of several sizes
 * @example
 * ```ts
 * viz.interpolation({ shape: [3, 2, 2, 1], values: [0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1] })
 * ```
 */
export function interpolation(
  strips: PlainTensor | readonly Strip[],
  options: { readonly title?: string } = {},
): Chart {
  const rows = Array.isArray(strips) ? (strips as readonly Strip[]) : [{ name: '', images: strips as PlainTensor }]
  return stripChart('viz.interpolation', rows, {
    title: options.title ?? 'Interpolation',
    note: 'from 0, the first sample, to 1, the second',
    label: (i, count) => (count === 1 ? '0' : String(Number((i / (count - 1)).toFixed(2)))),
  })
}

/**
 * Samples of a generative model, a row a step of its training: best of the same noise each time.
 *
 * @throws `argument` for tensors of another rank, or images of several sizes
 * @example
 * ```ts
 * viz.samples([
 *   { name: 'epoch 1', images: { shape: [2, 1, 2, 1], values: [0, 1, 1, 0] } },
 *   { name: 'epoch 2', images: { shape: [2, 1, 2, 1], values: [1, 1, 0, 0] } },
 * ])
 * ```
 */
export function samples(strips: readonly Strip[], options: { readonly title?: string } = {}): Chart {
  return stripChart('viz.samples', strips, { title: options.title ?? 'Samples' })
}

interface StripLook {
  readonly title: string
  readonly note?: string
  label?(i: number, count: number): string
}

function stripChart(caller: string, strips: readonly Strip[], look: StripLook): Chart {
  const rows = strips.slice(0, stripsShown).map(({ name, images }) => ({ name, images: batchOf(caller, name, images) }))
  const [first] = rows[0]?.images ?? []
  const odd = rows.flatMap((row) => row.images).find((image) => !sameSize(image, first!))
  if (odd !== undefined) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected images of one size, got ${sizeOf(first!)} and ${sizeOf(odd)}.`,
    )
  }
  const most = Math.max(1, ...rows.map((row) => row.images.length))
  const columns = Math.min(most, imagesShown)
  const range = brightness(rows.flatMap((row) => row.images))
  const cells = rows.flatMap(({ name, images }, row) => {
    // Of too many, those evenly apart, the first and the last among them.
    const chosen = Array.from({ length: Math.min(images.length, columns) }, (_, i) =>
      images.length <= columns ? i : Math.round((i * (images.length - 1)) / (columns - 1)),
    )
    return Array.from({ length: columns }, (_, i): Cell => {
      const place = chosen[i]
      if (place === undefined) return {}
      const image = images[place]!
      const label = row === 0 ? look.label?.(place, images.length) : undefined
      return {
        image: image.channels === 2 ? channelOf(image, 0) : image,
        range,
        tooltip: [...(name === '' ? [] : [name]), `image ${place}`].join(', '),
        ...(label === undefined ? {} : { label }),
      }
    })
  })
  const named = rows.some((row) => row.name !== '')
  const summary = [
    rows.length === 0
      ? 'no images'
      : `${rows.length} ${rows.length === 1 ? 'row' : 'rows'} of ${most} images, ${sizeOf(first!)}`,
    ...(most > columns ? [`${columns} of each shown`] : []),
    ...(strips.length > rows.length ? [`first ${rows.length} of ${strips.length} rows shown`] : []),
    ...(look.note === undefined ? [] : [look.note]),
  ].join(' · ')
  return new Chart({
    text: `${look.title}\n${summary}`,
    spec: {
      title: { text: look.title, subtitle: summary },
      ...grid(cells, {
        columns,
        width: chartWidth - 20,
        cell: 84,
        ...(named ? { rowLabels: rows.map((row) => row.name) } : {}),
      }),
    },
  })
}

function batchOf(caller: string, name: string, images: PlainTensor): readonly Image[] {
  const what = name === '' ? 'the images' : `the images of ${name}`
  const list = imagesOf(caller, what, images)
  if (images.shape.length === 4) return list
  throw new ShardbookError(
    'argument',
    `${caller}: expected ${what} of shape [n, h, w, c], got [${images.shape.join(', ')}].`,
  )
}

function sameSize(a: Image, b: Image): boolean {
  return a.height === b.height && a.width === b.width && a.channels === b.channels
}

function sizeOf({ height, width, channels }: Image): string {
  return `${height} × ${width}${channels === 1 ? '' : ` × ${channels}`}`
}
