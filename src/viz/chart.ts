/**
 * A chart: a Vega-Lite specification as frozen plain data, and the ways to show it.
 *
 * Chart functions are pure: they make a specification from rows and draw nothing. Vega loads when a chart is first drawn.
 * Only what Vega-Lite 5 and 6 have in common is used, because JupyterLab draws with 5 and this package with 6.
 */
import { type Displayable, type MimeBundle, displaySymbol } from '../core/display.js'
import { checkNumber, checkOneOf } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { type Spec, freeze } from './json.js'
import { renderPdf, renderPng, renderSvg } from './render.js'
import { saveChart } from './save.js'
import { theme } from './theme.js'
import { type ThemeName, recolour, themeNames } from './themes.js'

/** What a chart function makes: a specification without theme, and the chart in a few words. */
export interface ChartSource {
  readonly spec: Spec
  /** Title and key figures: what a terminal shows, and what a screen reader reads. */
  readonly text: string
}

/** Most pixels of the picture that a notebook keeps, but for charts that have more units. */
const pixelsSaved = 1_600_000

const schema = (version: 5 | 6): string => `https://vega.github.io/schema/vega-lite/v${version}.json`

/**
 * A picture made of data. It renders itself in a notebook; `svg`, `png` and `save` draw it without a browser.
 *
 * @example
 * ```ts
 * const chart = viz.line([{ x: 0, y: 1 }, { x: 1, y: 3 }], { x: 'x', y: 'y' })
 * const picture = await chart.png()
 * ```
 */
export class Chart implements Displayable {
  #source: ChartSource | undefined
  #load: (() => Promise<ChartSource>) | undefined
  #loading: Promise<Chart> | undefined
  /** The chart that this one is another look of. */
  #origin: Chart | undefined

  /** Of a source, or of a function that reads it: the function is called once, when the chart is first needed. */
  constructor(source: ChartSource | (() => Promise<ChartSource>)) {
    if (typeof source === 'function') this.#load = source
    else this.#source = complete(source)
  }

  /**
   * The Vega-Lite specification, data included.
   *
   * @throws `state` when the chart is of a frame that has not been read yet
   */
  get spec(): Spec {
    return this.#ready().spec
  }

  /** Title and key figures. */
  get text(): string {
    return this.#ready().text
  }

  /** Whether its data is there. */
  get isReady(): boolean {
    return this.#source !== undefined
  }

  /** Reads the chart's frame, if it is of one, and gives the chart itself. */
  async ready(): Promise<Chart> {
    if (this.#source !== undefined || this.#load === undefined) return this
    const load = this.#load
    return (this.#loading ??= load().then(
      (source) => {
        this.#source = complete(source)
        return this
      },
      (error: unknown) => {
        // A frame that could not be read now may be read later.
        this.#loading = undefined
        throw error
      },
    ))
  }

  /**
   * The same chart in other colours: `'light'` (the usual ones), `'dark'` or `'print'` (greys, for paper).
   *
   * Pictures in it (image grids, large matrices) stay as they are.
   *
   * @throws `argument` for another name
   * @example
   * ```ts
   * const dark = viz.bar([{ kind: 'a' }, { kind: 'b' }], { x: 'kind' }).theme('dark')
   * ```
   */
  theme(name: ThemeName): Chart {
    checkOneOf('Chart.theme', 'the theme', name, themeNames)
    const origin = this.#origin ?? this
    const look = ({ spec, text }: Chart): ChartSource => ({ text, spec: recolour(spec, name) })
    const made =
      origin.#source === undefined ? new Chart(async () => look(await origin.ready())) : new Chart(look(origin))
    made.#origin = origin
    return made
  }

  /**
   * The same chart with a caption, a line below its title, which its text and what a screen reader reads say too.
   *
   * @example
   * ```ts
   * const told = viz.bar([{ kind: 'a' }, { kind: 'b' }], { x: 'kind' }).caption('As counted in May.')
   * ```
   */
  caption(text: string): Chart {
    const look = (chart: Chart): ChartSource => captioned(chart, text)
    return this.isReady ? new Chart(look(this)) : new Chart(async () => look(await this.ready()))
  }

  /** The chart as SVG text. */
  async svg(): Promise<string> {
    return renderSvg((await this.ready()).spec)
  }

  /**
   * The chart as a PNG file.
   *
   * @param options.scale pixels a unit, in (0, 10]; 2 by default
   */
  async png(options: { scale?: number } = {}): Promise<Uint8Array> {
    const scale = options.scale ?? 2
    checkNumber('Chart.png', 'scale', scale, 0.1, 10)
    return renderPng(await this.svg(), scale)
  }

  /** The chart as a PDF file of one page: lines and letters at any size, without a browser. */
  async pdf(): Promise<Uint8Array> {
    return renderPdf(await this.svg(), this.text.split('\n')[0]!)
  }

  /**
   * Writes the chart to a file, whole or not at all, in the format that the name ends in: `.svg`, `.png`, `.pdf`, `.json`
   * (the specification) or `.html` (one file that needs no network).
   *
   * @throws `argument` for another ending, `io` when the file cannot be written
   */
  async save(path: string): Promise<void> {
    await saveChart(await this.ready(), path)
  }

  /** The chart as a notebook shows it; `png: false` leaves out the picture, which takes most of the time. */
  async bundle(options: { png?: boolean } = {}): Promise<MimeBundle> {
    await this.ready()
    const bundle = lightBundle(this)
    if (options.png === false) return bundle
    const svg = await this.svg()
    const [width = 1, height = 1] = [...svg.matchAll(/^<svg[^>]* width="([\d.]+)" height="([\d.]+)"/g)].flatMap(
      (found) => found.slice(1).map(Number),
    )
    // The picture stays in the notebook: a large chart has a coarser one.
    const scale = Math.min(2, Math.sqrt(pixelsSaved / (width * height)))
    return { ...bundle, 'image/png': Buffer.from(await renderPng(svg, Math.max(1, scale))).toString('base64') }
  }

  [displaySymbol](): Promise<MimeBundle> {
    return this.bundle()
  }

  #ready(): ChartSource {
    if (this.#source !== undefined) return this.#source
    throw new ShardbookError('state', 'Chart.spec: expected a chart whose data is there, got a frame not read yet.', {
      hint: 'Await chart.ready() first.',
    })
  }
}

/** The bundle of a chart whose data is there, without the picture: what can be sent at once. */
export function lightBundle(chart: Chart): MimeBundle {
  return {
    // JupyterLab 4 draws this type, and warns of a specification of another version.
    'application/vnd.vegalite.v5+json': { ...chart.spec, $schema: schema(5) },
    'text/plain': chart.text,
  }
}

function captioned({ spec, text }: Chart, caption: string): ChartSource {
  const { title } = spec
  const isPlain = typeof title !== 'object' || title === null || Array.isArray(title)
  const head: Spec = isPlain ? { text: title ?? '' } : (title as Spec)
  const before = [head['subtitle'] ?? []].flat() as readonly string[]
  return {
    text: `${text}\n${caption}`,
    spec: { ...spec, description: `${text}\n${caption}`, title: { ...head, subtitle: [...before, caption] } },
  }
}

function complete({ spec, text }: ChartSource): ChartSource {
  const own = spec['config']
  const config = own === undefined ? theme : { ...theme, ...(own as Spec) }
  return { text, spec: freeze({ $schema: schema(6), description: text, ...spec, config }) }
}
