/** Weights, gradients or activations of each layer: their histogram, and over the steps of a training their quantiles. */
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { Chart } from './chart.js'
import { formatCount, formatNumber } from './format.js'
import { type JsonObject, type Spec, round } from './json.js'
import { quantile } from './quantile.js'
import { extent } from './tensor.js'
import { colours } from './theme.js'

/** The values of a layer, at a step of a training or at no step in particular. */
export interface LayerValues {
  readonly layer: string
  readonly values: ArrayLike<number>
  readonly step?: number
}

const layersShown = 24
const bins = 40

/**
 * How the values of each layer are spread: a histogram a layer, or bands of quantiles over the steps where there are any.
 *
 * Dead units and exploding gradients show in the notes: shares of zeros, and of values that are not finite.
 *
 * @param layers values of any shape, flat; of a layer one entry, or one a step
 * @param options.what what the values are, the name of the axis: `'weight'` by default
 * @throws `argument` for what holds no values, or layers with and without steps
 * @example
 * ```ts
 * viz.distributions([{ layer: 'dense', values: [-0.2, 0, 0.1, 0.3] }, { layer: 'out', values: [-1, 1] }])
 * ```
 */
export function distributions(
  layers: readonly LayerValues[],
  options: { readonly what?: string; readonly title?: string } = {},
): Chart {
  const caller = 'viz.distributions'
  const odd = Array.isArray(layers) ? layers.find((own) => typeof own?.values?.length !== 'number') : layers
  if (!Array.isArray(layers) || odd !== undefined) {
    throw new ShardbookError('argument', `${caller}: expected rows { layer, values }, got ${show(odd)}.`)
  }
  const { what = 'weight' } = options
  const groups = new Map<string, LayerValues[]>()
  for (const own of layers as readonly LayerValues[]) {
    const group = groups.get(own.layer)
    if (group === undefined) groups.set(own.layer, [own])
    else group.push(own)
  }
  const steps = layers.filter((own: LayerValues) => own.step !== undefined).length
  const twice = [...groups].find(([, own]) => own.length > 1)
  if ((steps > 0 && steps < layers.length) || (steps === 0 && twice !== undefined)) {
    const got = steps > 0 ? `${layers.length - steps} without` : `several of ${show(twice![0])} without`
    throw new ShardbookError('argument', `${caller}: expected a step for all values or a layer once, got ${got}.`)
  }
  const shown = [...groups].slice(0, layersShown)
  const title = options.title ?? (steps > 0 ? `${capital(what)}s over time` : `${capital(what)}s by layer`)
  const summary = [
    shown.length === 0 ? 'no layers' : `${groups.size} ${groups.size === 1 ? 'layer' : 'layers'}`,
    ...(groups.size > shown.length ? [`first ${shown.length} shown`] : []),
    ...(steps > 0 ? ['median, middle half and middle nine tenths'] : []),
  ].join(' · ')
  const panels = shown.map(([name, own]) =>
    steps > 0 ? overSteps(name, own, what) : histogramOf(name, own[0]!.values, what),
  )
  const notes = shown.map(([name, own]) => `${name}: ${describe(own.at(-1)!.values)}`)
  return new Chart({
    text: [title, summary, ...notes].join('\n'),
    spec: {
      title: { text: title, subtitle: summary },
      columns: 3,
      concat: panels.length === 0 ? [histogramOf('no layers', [], what)] : panels,
    },
  })
}

const panelWidth = 165

function histogramOf(layer: string, values: ArrayLike<number>, what: string): Spec {
  const [low, high] = extent(values)
  const width = high > low ? (high - low) / bins : Math.abs(low) / 10 || 0.1
  const start = high > low ? low : low - width / 2
  const counts = new Map<number, number>()
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!)) continue
    const bin = Math.min(bins - 1, Math.floor((values[i]! - start) / width))
    counts.set(bin, (counts.get(bin) ?? 0) + 1)
  }
  const data = [...counts]
    .toSorted(([a], [b]) => a - b)
    .map(([bin, n]): JsonObject => ({ x: round(start + bin * width), x2: round(start + (bin + 1) * width), n }))
  const empty = data.length === 0 ? { scale: { domain: [0, 1] } } : {}
  return {
    title: panelTitle(layer, describe(values)),
    width: panelWidth,
    height: 90,
    data: { values: data },
    mark: { type: 'rect', color: colours.first },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: what,
        axis: { tickCount: 4, labelExpr: numberLabel, labelOverlap: true },
        ...(data.length === 0 ? empty : { scale: { zero: false, nice: true } }),
      },
      x2: { field: 'x2' },
      y2: { datum: 0 },
      y: {
        field: 'n',
        type: 'quantitative',
        title: 'values',
        axis: { tickCount: 3, format: '~s' },
        ...empty,
      },
      tooltip: [
        { field: 'x', type: 'quantitative', title: 'from' },
        { field: 'x2', type: 'quantitative', title: 'to' },
        { field: 'n', type: 'quantitative', title: 'values', format: ',' },
      ],
    },
  }
}

function overSteps(layer: string, entries: readonly LayerValues[], what: string): Spec {
  const sorted = entries.toSorted((a, b) => a.step! - b.step!)
  const every = Math.ceil(sorted.length / 100)
  const data = sorted
    .filter((_, i) => i % every === 0 || i === sorted.length - 1)
    .flatMap(({ step, values }): JsonObject[] => {
      const finite = Float64Array.from(Array.from(values).filter(Number.isFinite)).sort()
      if (finite.length === 0) return []
      const at = (part: number): number => round(quantile(finite, part))
      return [{ x: step!, a: at(0.05), b: at(0.25), m: at(0.5), c: at(0.75), d: at(0.95) }]
    })
  const scale = data.length === 0 ? { scale: { domain: [0, 1] } } : { scale: { zero: false, nice: true } }
  const length = (field: string): JsonObject => ({
    field,
    type: 'quantitative',
    title: what,
    axis: { tickCount: 4, labelExpr: numberLabel },
    ...scale,
  })
  const band = (from: string, to: string, opacity: number): JsonObject => ({
    mark: { type: 'area', opacity, color: colours.first },
    encoding: { y: length(from), y2: { field: to } },
  })
  return {
    title: panelTitle(layer, `last: ${describe(sorted.at(-1)!.values)}`),
    width: panelWidth,
    height: 110,
    data: { values: data },
    encoding: {
      x: { field: 'x', type: 'quantitative', title: 'step', axis: { tickCount: 4, format: '~s' }, ...scale },
    },
    layer: [
      band('a', 'd', 0.2),
      band('b', 'c', 0.35),
      {
        mark: { type: 'line', color: colours.first, ...(data.length === 1 ? { point: true } : {}) },
        encoding: {
          y: length('m'),
          tooltip: [
            { field: 'x', type: 'quantitative', title: 'step', format: ',' },
            { field: 'm', type: 'quantitative', title: 'median' },
            { field: 'a', type: 'quantitative', title: '5 %' },
            { field: 'd', type: 'quantitative', title: '95 %' },
          ],
        },
      },
    ],
  }
}

const numberLabel =
  "datum.value !== 0 && (abs(datum.value) < 1e-3 || abs(datum.value) >= 1e5) ? format(datum.value, '.2~e') : format(datum.value, '~g')"

function panelTitle(text: string, subtitle: string): JsonObject {
  return { text, subtitle, fontSize: 12, subtitleFontSize: 10, offset: 6, limit: panelWidth + 40 }
}

function describe(values: ArrayLike<number>): string {
  let [finite, zeros, sum, squares] = [0, 0, 0, 0]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (!Number.isFinite(value)) continue
    finite++
    sum += value
    squares += value * value
    if (value === 0) zeros++
  }
  const bad = values.length - finite
  if (finite === 0) return bad === 0 ? 'no values' : `none of ${formatCount(bad)} finite`
  const mean = sum / finite
  return [
    `${formatNumber(mean)} ± ${formatNumber(Math.sqrt(Math.max(0, squares / finite - mean * mean)))}`,
    ...(zeros / finite > 0.01 ? [`${Math.round((100 * zeros) / finite)} % zero`] : []),
    ...(bad > 0 ? [`${formatCount(bad)} not finite`] : []),
  ].join(', ')
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
