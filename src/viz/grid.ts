/**
 * A grid of small images: all of them in one picture, which the chart carries as a data URL, with labels, frames and
 * tooltips drawn over it as marks. Between the images the chart's own ground shows through.
 *
 * One picture is a fraction of the size of an image or a rectangle each. It holds two pixels for each unit of the chart,
 * and small images are enlarged by whole factors, pixel by pixel, so that they stay crisp wherever they are drawn.
 */
import { type RampName, ramp, rgb } from './colour.js'
import type { JsonObject, Spec } from './json.js'
import { type Raster, pngUrl } from './png.js'
import { type Image, channelOf, extent } from './tensor.js'
import { colours } from './theme.js'

export interface Cell {
  /** One channel (drawn in the grid's ramp) or three (red, green, blue); absent: the place stays empty. */
  readonly image?: Image
  /** Written above the image. */
  readonly label?: string
  /** Shown on hover. */
  readonly tooltip?: string
  /** Framed and labelled as wrong. */
  readonly wrong?: boolean
  /** Value range that the ramp spans; the image's own by default. */
  readonly range?: readonly [number, number]
  readonly ramp?: RampName
}

export interface GridOptions {
  readonly columns: number
  /** Greatest width of the grid in units. */
  readonly width: number
  /** Greatest width and height of a cell in units. */
  readonly cell?: number
  readonly title?: string
  /** Labels at the left of each row. */
  readonly rowLabels?: readonly string[]
}

const gap = 6
const labelHeight = 15
/** Pixels a unit. */
const density = 2

/** A view of the grid, without schema and theme. */
export function grid(cells: readonly Cell[], options: GridOptions): Spec {
  const { columns, rowLabels = [], title } = options
  const left = rowLabels.length > 0 ? 66 : 0
  const first = cells.find((cell) => cell.image !== undefined)?.image ?? { width: 1, height: 1 }
  const room = Math.min(options.cell ?? 96, (options.width - left - gap * (columns - 1)) / columns)
  const size = fit(first, Math.max(4, Math.floor(room)))
  const rows = Math.ceil(cells.length / columns)
  // Rows with labels have room for them above.
  const heads = Array.from({ length: rows }, (_, row) =>
    cells.slice(row * columns, (row + 1) * columns).some((cell) => cell.label !== undefined) ? labelHeight : 0,
  )
  const tops = heads.map(
    (_, row) => heads.slice(0, row + 1).reduce((sum: number, h) => sum + h, 0) + row * (size.height + gap),
  )
  const place = (i: number): { x: number; y: number } => ({
    x: left + (i % columns) * (size.width + gap),
    y: tops[Math.floor(i / columns)]!,
  })
  const width = left + columns * (size.width + gap) - gap
  const height = Math.max(1, (tops.at(-1) ?? 0) + size.height)
  const raster = blank(width, height)
  for (const [i, cell] of cells.entries()) {
    if (cell.image !== undefined) draw(raster, cell.image, cell, place(i), size)
  }
  const marks = cells.map((cell, i) => ({
    ...place(i),
    x2: place(i).x + size.width,
    y2: place(i).y + size.height,
    label: cell.label ?? '',
    tip: cell.tooltip ?? '',
    wrong: cell.wrong === true,
  }))
  const text = (data: readonly JsonObject[], mark: JsonObject): JsonObject => ({
    data: { values: data },
    mark: { type: 'text', ...mark },
    encoding: { ...position('x', 'y'), text: { field: 'label', type: 'nominal' } },
  })
  const labels = (wrong: boolean): JsonObject[] => {
    const chosen = marks.filter((mark) => mark.label !== '' && mark.wrong === wrong)
    if (chosen.length === 0) return []
    const style = wrong ? { color: colours.bad, fontWeight: 600 } : { color: colours.quiet }
    return [
      text(
        chosen.map(({ x, y, label }) => ({ x: x + size.width / 2, y: y - 4, label })),
        { align: 'center', baseline: 'bottom', fontSize: 10, limit: size.width + gap, ...style },
      ),
    ]
  }
  return {
    width,
    height,
    view: { stroke: null },
    ...(title === undefined ? {} : { title: { text: title, fontSize: 12, offset: 6 } }),
    layer: [
      {
        data: { values: [{}] },
        mark: { type: 'image', width, height, align: 'left', baseline: 'top', aspect: false },
        encoding: { x: { value: 0 }, y: { value: 0 }, url: { value: pngUrl(raster) } },
      },
      ...(marks.some((mark) => mark.wrong || mark.tip !== '') ? [frames(marks)] : []),
      ...labels(false),
      ...labels(true),
      ...(rowLabels.length === 0
        ? []
        : [
            text(
              rowLabels.map((label, row) => ({ x: 0, y: place(row * columns).y + size.height / 2, label })),
              { align: 'left', baseline: 'middle', fontSize: 11, color: colours.ink, limit: left - 6 },
            ),
          ]),
    ],
  }
}

/** Sensible columns for `count` cells: one row if they fit, else rows of equal length where possible. */
export function columnsFor(count: number, most = 10): number {
  if (count <= most) return Math.max(1, count)
  for (let columns = most; columns > most / 2; columns--) if (count % columns === 0) return columns
  return most
}

function position(x: string, y: string): JsonObject {
  const channel = (field: string): JsonObject => ({ field, type: 'quantitative', scale: null, axis: null })
  return { x: channel(x), y: channel(y) }
}

function frames(marks: readonly JsonObject[]): JsonObject {
  return {
    data: { values: marks.map(({ x, y, x2, y2, tip, wrong }) => ({ x, y, x2, y2, tip, wrong })) as JsonObject[] },
    mark: { type: 'rect', fill: colours.ground, fillOpacity: 0, strokeWidth: 2, stroke: colours.bad },
    encoding: {
      ...position('x', 'y'),
      x2: { field: 'x2' },
      y2: { field: 'y2' },
      strokeOpacity: { condition: { test: 'datum.wrong', value: 1 }, value: 0 },
      tooltip: { field: 'tip', type: 'nominal' },
    },
  }
}

function fit(image: { width: number; height: number }, room: number): { width: number; height: number } {
  const factor = room / Math.max(image.width, image.height)
  const whole = factor >= 1 ? Math.floor(factor * density) / density : factor
  return {
    width: Math.max(1, Math.round(image.width * whole)),
    height: Math.max(1, Math.round(image.height * whole)),
  }
}

/** One image as a picture of its own. */
export function pictureUrl(image: Image, range: readonly [number, number]): string {
  const raster = blank(image.width, image.height)
  draw(raster, image.channels === 2 ? channelOf(image, 0) : image, { range }, { x: 0, y: 0 }, image)
  return pngUrl(raster)
}

/** An empty picture of so many units. */
export function blank(width: number, height: number): Raster {
  const [columns, rows] = [width * density, height * density]
  return { width: columns, height: rows, rgba: new Uint8Array(columns * rows * 4) }
}

/** Draws an image at a place of the picture; both in units. */
export function draw(
  raster: Raster,
  image: Image,
  { ramp: name = 'grey', range = extent(image.values) }: Pick<Cell, 'ramp' | 'range'>,
  at: { x: number; y: number },
  size: { width: number; height: number },
): void {
  const [low, high] = range
  const colour = ramp(name)
  const missing = rgb(colours.line)
  const level = (value: number): number =>
    Math.max(0, Math.min(255, Math.round(high > low ? ((value - low) / (high - low)) * 255 : 0)))
  const [width, height] = [size.width * density, size.height * density]
  const bounds = (i: number, drawn: number, of: number): readonly [number, number] => {
    const from = Math.floor((i * of) / drawn)
    return [from, Math.max(from + 1, Math.floor(((i + 1) * of) / drawn))]
  }
  for (let y = 0; y < height; y++) {
    const rows = bounds(y, height, image.height)
    for (let x = 0; x < width; x++) {
      const columns = bounds(x, width, image.width)
      const to = ((at.y * density + y) * raster.width + at.x * density + x) * 4
      raster.rgba[to + 3] = 255
      if (image.channels >= 3) {
        for (let c = 0; c < 3; c++) {
          const value = meanOf(image, rows, columns, c)
          raster.rgba[to + c] = Number.isFinite(value) ? level(value) : missing[c]!
        }
        continue
      }
      const value = meanOf(image, rows, columns, 0)
      const from = Number.isFinite(value) ? 3 * level(value) : -1
      for (let c = 0; c < 3; c++) raster.rgba[to + c] = from < 0 ? missing[c]! : colour[from + c]!
    }
  }
}

/** Mean of a block of pixels: one pixel where an image is enlarged, several where it is made smaller. */
function meanOf(
  image: Image,
  [top, bottom]: readonly [number, number],
  [left, right]: readonly [number, number],
  channel: number,
): number {
  let sum = 0
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) sum += image.values[(y * image.width + x) * image.channels + channel]!
  }
  return sum / ((bottom - top) * (right - left))
}
