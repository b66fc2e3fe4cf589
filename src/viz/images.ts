/** Grids of images: samples with labels and predictions, and what an autoencoder makes of its inputs. */
import { checkInteger } from '../core/check.js'
import { sizeOf } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'
import { Chart, type ChartSource } from './chart.js'
import { type Cell, columnsFor, grid } from './grid.js'
import { round } from './json.js'
import { type FrameLike, isFrameLike } from './table.js'
import { type Image, type PlainTensor, channelOf, checkTensor, extent, imagesOf, isTensor } from './tensor.js'
import { chartWidth } from './theme.js'

export interface ImagesOptions {
  /** What each image shows; of a frame the name of the column, `'label'` by default. */
  readonly labels?: ArrayLike<string | number> | string
  /** What a model says; wrong ones are framed. Of a frame the name of the column, `'prediction'` by default. */
  readonly predictions?: ArrayLike<string | number> | string
  /** Column of the images in a frame, `'image'` by default. */
  readonly images?: string
  readonly columns?: number
  readonly title?: string
}

const shown = 100

/**
 * A grid of images, labelled, the wrongly predicted ones framed in red.
 *
 * @param pictures `[n, h, w, c]`, a list of `[h, w]` or `[h, w, c]`, or a frame with a column of such
 * @throws `argument` for tensors of another rank, or labels of another number
 * @example
 * ```ts
 * viz.images({ shape: [2, 2, 2, 1], values: [0, 1, 1, 0, 1, 0, 0, 1] }, { labels: ['a', 'b'], predictions: ['a', 'a'] })
 * ```
 */
export function images(
  pictures: PlainTensor | readonly PlainTensor[] | FrameLike<object>,
  options: ImagesOptions = {},
): Chart {
  if (options.columns !== undefined) checkInteger('viz.images', 'columns', options.columns, 1, 64)
  if (isFrameLike(pictures)) return new Chart(async () => ofRows((await pictures.toRows()) as readonly Row[], options))
  const list = isTensor(pictures) ? imagesOf('viz.images', 'the images', pictures) : listed(pictures)
  const texts = (name: 'labels' | 'predictions'): readonly string[] | undefined => {
    const given = options[name]
    if (given === undefined) return undefined
    if (typeof given !== 'string' && given.length === list.length) return Array.from(given, String)
    const got = typeof given === 'string' ? `the name of a column` : given.length
    throw new ShardbookError('argument', `viz.images: expected ${list.length} ${name}, one an image, got ${got}.`)
  }
  return new Chart(gallery(list, texts('labels'), texts('predictions'), options))
}

export interface ReconstructionsInput {
  /** Images that went in: `[n, h, w]`, `[n, h, w, c]`, or any values with `shape` given. */
  readonly input: PlainTensor | ArrayLike<number>
  /** What came out, as many values. */
  readonly output: PlainTensor | ArrayLike<number>
  /** Shape of one image, `[h, w]` or `[h, w, c]`. */
  readonly shape?: readonly number[]
  /** Number of images shown, 10 by default. */
  readonly rows?: number
  readonly title?: string
}

/**
 * What an autoencoder makes of its inputs: input, output, and output - input (blue too dark, red too bright).
 *
 * The error above each output is the mean squared difference of its values.
 *
 * @throws `argument` when input and output differ in size, or the shape does not divide them
 * @example
 * ```ts
 * viz.reconstructions({ input: [0, 1, 1, 0], output: [0.1, 0.9, 0.8, 0], shape: [2, 2] })
 * ```
 */
export function reconstructions(options: ReconstructionsInput): Chart {
  const caller = 'viz.reconstructions'
  const [inputs, outputs] = [batch(options.input, 'input'), batch(options.output, 'output')]
  if (inputs.length === 0 || inputs.length !== outputs.length || !sameSize(inputs[0]!, outputs[0]!)) {
    const text = (list: readonly Image[]): string =>
      list.length === 0 ? 'none' : `${list.length} of ${list[0]!.height} x ${list[0]!.width} x ${list[0]!.channels}`
    throw new ShardbookError(
      'argument',
      `${caller}: expected as many outputs as inputs, of one size, got ${text(inputs)} and ${text(outputs)}.`,
    )
  }
  const rows = options.rows ?? Math.min(10, inputs.length)
  checkInteger(caller, 'rows', rows, 1)
  const count = Math.min(rows, inputs.length, 24)
  const differences = inputs.map((image, i): Image => {
    const values = Float32Array.from(
      { length: image.values.length },
      (_, at) => outputs[i]!.values[at]! - image.values[at]!,
    )
    // The difference of coloured pictures is shown for their mean over the channels.
    const { channels } = image
    const mean = Float32Array.from({ length: values.length / channels }, (_, at) =>
      values.subarray(at * channels, (at + 1) * channels).reduce((sum, value) => sum + value / channels, 0),
    )
    return { ...image, channels: 1, values: mean }
  })
  const errors = inputs.map((image, i) => meanSquare(image.values, outputs[i]!.values))
  const range = brightness(inputs)
  const most = Math.max(...differences.slice(0, count).flatMap((image) => extent(image.values).map(Math.abs)))
  const strip = (list: readonly Image[], more: Partial<Cell>): Cell[] =>
    list.slice(0, count).map((image, i) => ({
      image,
      tooltip: `image ${i}: mean squared error ${round(errors[i]!, 3)}`,
      ...more,
    }))
  const cells = [
    ...strip(inputs, { range }),
    ...strip(outputs, { range }).map((cell, i) => ({ ...cell, label: String(round(errors[i]!, 2)) })),
    ...strip(differences, { range: [-most, most], ramp: 'signed' }),
  ]
  const title = options.title ?? 'Reconstructions'
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length
  const summary = `mean squared error ${round(mean, 3)} over ${inputs.length} images · difference is output - input, up to ±${round(most, 2)}`
  return new Chart({
    spec: {
      title: { text: title, subtitle: summary },
      ...grid(cells, {
        columns: count,
        width: chartWidth - 20,
        cell: 84,
        rowLabels: ['input', 'output', 'difference'],
      }),
    },
    text: `${title}\n${summary}`,
  })

  function batch(values: PlainTensor | ArrayLike<number>, name: string): readonly Image[] {
    const flat = isTensor(values) ? values.values : values
    const shape = options.shape ?? (isTensor(values) ? values.shape.slice(1) : [])
    if (shape.length !== 2 && shape.length !== 3) {
      throw new ShardbookError(
        'argument',
        `${caller}: expected images of shape [h, w] or [h, w, c], got [${shape.join(', ')}].`,
        { hint: 'Pass the shape of one image: shape: [height, width, channels].' },
      )
    }
    const whole = flat.length / sizeOf(shape)
    if (!Number.isInteger(whole)) {
      throw new ShardbookError(
        'argument',
        `${caller}: expected ${name} to hold whole images of shape [${shape.join(', ')}], got ${flat.length} values.`,
      )
    }
    if (whole === 0) return []
    const [height, width, channels = 1] = shape as [number, number, number?]
    return imagesOf(caller, name, { shape: [whole, height, width, channels], values: flat })
  }
}

type Row = Readonly<Record<string, unknown>>

function ofRows(rows: readonly Row[], options: ImagesOptions): ChartSource {
  const column = options.images ?? 'image'
  const named = (
    name: string | ArrayLike<string | number> | undefined,
    usual: string,
  ): readonly string[] | undefined => {
    const key = typeof name === 'string' ? name : usual
    return rows.length > 0 && key in rows[0]! ? rows.map((row) => String(row[key])) : undefined
  }
  const list = rows.map((row, i) => {
    checkTensor('viz.images', `column ${column} of row ${i}`, row[column])
    return imagesOf('viz.images', `column ${column} of row ${i}`, row[column])[0]!
  })
  return gallery(list, named(options.labels, 'label'), named(options.predictions, 'prediction'), options)
}

function listed(pictures: readonly PlainTensor[]): readonly Image[] {
  if (!Array.isArray(pictures)) checkTensor('viz.images', 'the images', pictures)
  return pictures.map((picture, i) => imagesOf('viz.images', `image ${i}`, picture)[0]!)
}

function gallery(
  list: readonly Image[],
  labels: readonly string[] | undefined,
  predictions: readonly string[] | undefined,
  options: ImagesOptions,
): ChartSource {
  const range = brightness(list)
  const wrong = (i: number): boolean =>
    labels !== undefined && predictions !== undefined && labels[i] !== predictions[i]
  const cells = list.slice(0, shown).map((image, i): Cell => {
    const [label, prediction] = [labels?.[i], predictions?.[i]]
    const text = wrong(i) ? `${prediction} (${label})` : (prediction ?? label)
    const tooltip = [
      `image ${i}`,
      ...(label === undefined ? [] : [`label ${label}`]),
      ...(prediction === undefined ? [] : [`prediction ${prediction}`]),
    ].join(', ')
    return {
      image: image.channels === 2 ? channelOf(image, 0) : image,
      range,
      tooltip,
      wrong: wrong(i),
      ...(text === undefined ? {} : { label: text }),
    }
  })
  const title = options.title ?? 'Images'
  const errors = list.filter((_, i) => wrong(i)).length
  const size = list[0] === undefined ? '' : ` of ${list[0].height} × ${list[0].width}`
  const summary = [
    `${list.length} ${list.length === 1 ? 'image' : 'images'}${size}`,
    ...(list.length > shown ? [`first ${shown} shown`] : []),
    ...(labels === undefined || predictions === undefined ? [] : [`${errors} wrong: prediction (label) in red`]),
  ].join(' · ')
  return {
    spec: {
      title: { text: title, subtitle: summary },
      ...grid(cells, { columns: options.columns ?? columnsFor(cells.length), width: chartWidth - 20, cell: 84 }),
    },
    text: `${title}\n${summary}`,
  }
}

/** The value range that pictures are meant in: 0 to 1, 0 to 255, or whatever else they span. */
export function brightness(list: readonly Image[]): readonly [number, number] {
  const [low, high] = extent(list.flatMap((image) => [...extent(image.values)]))
  if (low < 0 || high > 255) return [low, high]
  return [0, high <= 1 ? 1 : 255]
}

function sameSize(a: Image, b: Image): boolean {
  return a.height === b.height && a.width === b.width && a.channels === b.channels
}

function meanSquare(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2
  return sum / a.length
}
