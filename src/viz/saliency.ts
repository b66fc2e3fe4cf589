/** Where a model looks: maps of importance over the images that they are about. */
import { checkNumber } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { Chart } from './chart.js'
import { ramp } from './colour.js'
import { type Cell, grid } from './grid.js'
import { brightness } from './images.js'
import { round } from './json.js'
import { type Image, type PlainTensor, extent, imagesOf } from './tensor.js'
import { chartWidth } from './theme.js'

const shown = 12

/**
 * Images, maps of how much each place counts (gradients, occlusion, class activation), and the maps laid over the images:
 * dark is without weight, bright counts most, each map by its own range.
 *
 * @param images shape `[h, w]`, `[h, w, c]` or `[n, h, w, c]`
 * @param maps as many, of one channel or several, of which the greatest magnitude counts; a coarser map is stretched
 * @param options.opacity of the maps over the images, in [0, 1]; 0.6 by default
 * @throws `argument` for another rank or number of maps
 * @example
 * ```ts
 * const image = { shape: [2, 2], values: [0, 1, 1, 0] }
 * viz.saliency(image, { shape: [2, 2], values: [0, 0.2, 0.9, 0] })
 * ```
 */
export function saliency(
  images: PlainTensor,
  maps: PlainTensor,
  options: { readonly labels?: readonly (string | number)[]; readonly opacity?: number; readonly title?: string } = {},
): Chart {
  const caller = 'viz.saliency'
  const { opacity = 0.6, labels } = options
  checkNumber(caller, 'opacity', opacity, 0, 1)
  const [pictures, weights] = [imagesOf(caller, 'the images', images), imagesOf(caller, 'the maps', maps)]
  if (pictures.length !== weights.length) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected as many maps as images (${pictures.length}), got ${weights.length}.`,
    )
  }
  const count = Math.min(pictures.length, shown)
  const range = brightness(pictures)
  const rows = pictures.slice(0, count).map((image, i) => ({ image, map: magnitudes(weights[i]!) }))
  const cells = [
    ...rows.map(({ image }, i): Cell => ({
      image,
      range,
      ...(labels?.[i] === undefined ? {} : { label: String(labels[i]) }),
    })),
    ...rows.map(({ map }): Cell => ({
      image: map,
      ramp: 'magma',
      tooltip: `up to ${round(extent(map.values)[1], 3)}`,
    })),
    ...rows.map(({ image, map }): Cell => ({ image: laidOver(image, map, range, opacity), range: [0, 255] })),
  ]
  const title = options.title ?? 'Saliency'
  const summary = [
    `${pictures.length} ${pictures.length === 1 ? 'image' : 'images'}`,
    ...(pictures.length > count ? [`first ${count} shown`] : []),
    'each map by its own range',
  ].join(' · ')
  return new Chart({
    text: `${title}\n${summary}`,
    spec: {
      title: { text: title, subtitle: summary },
      ...grid(cells, { columns: count, width: chartWidth - 20, cell: 96, rowLabels: ['image', 'map', 'over it'] }),
    },
  })
}

/** One channel: the greatest magnitude of all. */
function magnitudes({ values, channels, ...size }: Image): Image {
  const own = Float32Array.from({ length: size.height * size.width }, (_, at) => {
    let most = 0
    for (let c = 0; c < channels; c++) most = Math.max(most, Math.abs(values[at * channels + c]!))
    return most
  })
  return { ...size, channels: 1, values: own }
}

/** Red, green and blue in [0, 255]: the image in greys, the map in colours over it. */
function laidOver(image: Image, map: Image, [low, high]: readonly [number, number], opacity: number): Image {
  const { height, width, channels } = image
  const most = extent(map.values)[1] || 1
  const colour = ramp('magma')
  const values = new Float32Array(3 * height * width)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x
      const used = channels >= 3 ? 3 : 1
      let grey = 0
      for (let c = 0; c < used; c++) grey += (255 * (image.values[at * channels + c]! - low)) / (high - low || 1) / used
      const place = Math.floor((y * map.height) / height) * map.width + Math.floor((x * map.width) / width)
      const level = Math.round(255 * Math.min(1, Math.max(0, map.values[place]! / most)))
      for (let c = 0; c < 3; c++) values[3 * at + c] = (1 - opacity) * grey + opacity * colour[3 * level + c]!
    }
  }
  return { height, width, channels: 3, values }
}
