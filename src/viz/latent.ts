/** The latent space of an encoder as a plane: two coordinates of it, its principal components, or a UMAP of it. */
import { checkInteger, checkOneOf, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { Chart, type ChartSource } from './chart.js'
import { brightness } from './images.js'
import { type JsonObject, round } from './json.js'
import { pictureUrl } from './grid.js'
import { inPlane, type PlaneMethod, planeMethods } from './plane.js'
import { pointCloud } from './scatter.js'
import { leftOut } from './table.js'
import { type PlainTensor, checkTensor, extent, imagesOf, isTensor } from './tensor.js'
import { count, type Point, pointCount } from './xy.js'

export interface LatentOptions {
  /** One a point: the colours. */
  readonly labels?: ArrayLike<string | number>
  /** One a point, shape `[n, h, w, c]`: shown at the pointer. */
  readonly images?: PlainTensor
  /** The plane: the first two coordinates (the default), principal components, or a UMAP (neighbours stay neighbours). */
  readonly method?: PlaneMethod
  /** Of the UMAP: neighbours that a point is kept close to, in [2, 200]; 15 by default. */
  readonly neighbours?: number
  /** Of the UMAP: 0 by default. */
  readonly seed?: number
  readonly title?: string
}

const pointsShown = 4000
/** Points that are laid out by UMAP, and that carry a picture: both cost by the point. */
const pointsMapped = 2000
const picturesShown = 500

/**
 * Encoded samples in a plane, coloured by their labels; with `images` each shows its own at the pointer.
 *
 * PCA by ml-pca, UMAP (L. McInnes et al., 2018) by umap-js.
 *
 * @param points shape `[n, d]` with d >= 2, or a list of such points
 * @throws `argument` for another shape, or labels or images of another number
 * @example
 * ```ts
 * viz.latent({ shape: [2, 2], values: [0, 1, 1, 0] }, { labels: ['a', 'b'] })
 * await viz.latent([[0, 1, 2], [1, 0, 2], [2, 2, 2]], { method: 'pca' }).ready()
 * ```
 */
export function latent(points: PlainTensor | readonly ArrayLike<number>[], options: LatentOptions = {}): Chart {
  const caller = 'viz.latent'
  const { method = 'first', neighbours = 15, seed = 0, labels, images } = options
  checkOneOf(caller, 'method', method, planeMethods)
  checkInteger(caller, 'neighbours', neighbours, 2, 200)
  const list: readonly ArrayLike<number>[] = isTensor(points) ? rowsOf(caller, points) : points
  if (!Array.isArray(list) || list.some((point) => typeof point?.length !== 'number' || point.length < 2)) {
    throw new ShardbookError('argument', `${caller}: expected points of 2 or more coordinates, got ${show(points)}.`)
  }
  if (labels !== undefined && labels.length !== list.length) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected ${list.length} labels, one a point, got ${labels.length}.`,
    )
  }
  const pictures = images === undefined ? undefined : imagesOf(caller, 'the images', images)
  if (pictures !== undefined && pictures.length !== list.length) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected ${list.length} images, one a point, got ${pictures.length}.`,
    )
  }
  const whole = list.map((_, i) => i).filter((i) => coordinates(list[i]).every((value) => Number.isFinite(value)))
  const most = pictures !== undefined ? picturesShown : method === 'umap' ? pointsMapped : pointsShown
  const every = Math.max(1, Math.ceil(whole.length / most))
  const chosen = whole.filter((_, i) => i % every === 0)
  const dimensions = list[0]?.length ?? 2
  const range = pictures === undefined ? undefined : brightness(pictures)

  const draw = (plane: readonly (readonly [number, number])[], name: string, notes: readonly string[]): ChartSource => {
    const cloud = chosen.map((at, i): Point => ({
      x: plane[i]![0],
      y: plane[i]![1],
      color: labels === undefined ? '' : String(labels[at]),
      ...(pictures === undefined ? {} : { image: pictureUrl(pictures[at]!, range!) }),
    }))
    const { spec, text } = pointCloud(cloud, {
      title: options.title ?? 'Latent space',
      note: [
        ...notes,
        every > 1 ? `${count(chosen.length)} of ${count(whole.length)} points` : pointCount(whole.length),
        ...(pictures === undefined ? [] : ['pictures at the pointer']),
        ...leftOut(list.length - whole.length, 'points without a number'),
      ],
      x: { name: `${name} 1`, kind: 'quantitative' },
      y: `${name} 2`,
      ...(labels === undefined ? {} : { color: { name: 'label', kind: 'nominal' } }),
    })
    return { text, spec: pictures === undefined || cloud.length === 0 ? spec : withPictures(spec, cloud) }
  }

  if (method === 'first') {
    const plane = chosen.map((at): [number, number] => [list[at]![0]!, list[at]![1]!])
    return new Chart(draw(plane, 'dimension', dimensions > 2 ? [`first 2 of ${dimensions} dimensions`] : []))
  }
  return new Chart(async () => {
    const rows = chosen.map((at) => coordinates(list[at]))
    const { plane, notes } = await inPlane(rows, { method, neighbours, seed })
    return draw(plane, method === 'pca' ? 'component' : 'UMAP', notes)
  })
}

function coordinates(point: ArrayLike<number>): readonly number[] {
  return Array.from(point)
}

function rowsOf(caller: string, tensor: PlainTensor): readonly ArrayLike<number>[] {
  checkTensor(caller, 'the points', tensor)
  const [n, width] = tensor.shape
  if (tensor.shape.length !== 2) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected points of shape [n, d], got [${tensor.shape.join(', ')}].`,
    )
  }
  return Array.from({ length: n! }, (_, i) => Array.from({ length: width! }, (__, d) => tensor.values[i * width! + d]!))
}

/** The cloud with the picture of the point nearest to the pointer above that point. */
function withPictures({ mark, encoding, ...spec }: JsonObject, points: readonly Point[]): JsonObject {
  const { tooltip, color, ...places } = encoding as Readonly<Record<string, JsonObject>>
  // The layer of the picture is empty at first, which is no reason for other axes.
  const placed = (name: 'x' | 'y'): JsonObject => {
    const [low, high] = extent(points.map((point) => Number(point[name])))
    const around = low === high ? 1 : 0
    return {
      ...places[name],
      scale: { zero: false, nice: true, domain: [low - around, high + around].map((end) => round(end)) },
    }
  }
  const nearest: JsonObject = {
    name: 'pointed',
    select: { type: 'point', on: 'pointerover', nearest: true, clear: 'pointerout' },
  }
  return {
    ...spec,
    encoding: { x: placed('x'), y: placed('y') },
    layer: [
      {
        params: [nearest],
        mark: mark!,
        encoding: {
          ...(color === undefined ? {} : { color }),
          tooltip: (tooltip as unknown as readonly JsonObject[]).filter((own) => own['field'] !== 'image'),
        },
      },
      {
        transform: [{ filter: { param: 'pointed', empty: false } }],
        mark: { type: 'image', width: 64, height: 64, baseline: 'bottom', aspect: true },
        encoding: { url: { field: 'image', type: 'nominal' } },
      },
    ],
  }
}
