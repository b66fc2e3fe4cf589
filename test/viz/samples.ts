/** One small chart of each kind, of inputs that are frozen: what every chart must hold is tested over all of them. */
import { keyOf, uniform } from '../../src/core/random.js'
import { freeze, type Json } from '../../src/viz/json.js'
import * as viz from '../../src/viz/index.js'
import { modelSamples } from './model-samples.js'

/** A training's events, up to some step. */
export function trainingEvents(options: {
  readonly epochs: number
  readonly stepsPerEpoch: number
  readonly steps?: number
  readonly metrics?: readonly string[]
  readonly decay?: boolean
  readonly inside?: boolean
}): viz.TrainingViewEvent[] {
  const { epochs, stepsPerEpoch, metrics = ['accuracy'], decay = false, inside = false } = options
  const total = epochs * stepsPerEpoch
  const key = keyOf(5)
  const values = (scale: number, at: number): Record<string, number> =>
    Object.fromEntries(metrics.map((name, i) => [name, 1 - scale * Math.exp((-3 * at) / total) - i / 10]))
  const events: viz.TrainingViewEvent[] = [
    { kind: 'start', name: 'digits', epochs, stepsPerEpoch, workers: 2, engine: 'native' },
  ]
  for (let step = 1; step <= (options.steps ?? total); step++) {
    const loss = 2.3 * Math.exp((-4 * step) / total) + 0.1 * uniform(key, step)
    events.push({
      kind: 'step',
      step,
      epoch: Math.ceil(step / stepsPerEpoch),
      loss,
      metrics: values(0.9 + 0.05 * uniform(key, total + step), step),
      learningRate: decay ? 0.001 * (1 - step / (total + 1)) : 0.001,
      rows: 128,
      stepMs: inside ? 20 + 4 * uniform(key, 3 * total + step) : 20,
      ...(inside ? { gradientNorm: 3 * Math.exp((-3 * step) / total) + uniform(key, 2 * total + step) } : {}),
    })
    if (step % stepsPerEpoch === 0) {
      const validation = { loss: loss + 0.1, ...values(1, step) }
      events.push({ kind: 'epoch', epoch: step / stepsPerEpoch, step, loss, metrics: values(0.9, step), validation })
    }
  }
  return events
}

export function viewOf(events: readonly viz.TrainingViewEvent[]): viz.TrainingView {
  return events.reduce(viz.reduceTraining, viz.emptyTraining)
}

const picture = (count: number, height: number, width: number, channels = 1): viz.PlainTensor => ({
  shape: [count, height, width, channels],
  values: Array.from({ length: count * height * width * channels }, (_, i) => uniform(keyOf(3), i)),
})

const rows = frozen([
  { city: 'Berlin', people: 3.7, area: 891, when: '2020' },
  { city: 'Hamburg', people: 1.9, area: 755, when: '2020' },
  { city: 'München', people: 1.5, area: 310, when: '2021' },
  { city: 'Köln', people: 1.1, area: 405, when: '2021' },
])

function frozen<T>(value: T): T {
  return freeze(value as Json) as T
}

const running = frozen(viewOf(trainingEvents({ epochs: 2, stepsPerEpoch: 8, steps: 12, decay: true })))
const ended = frozen(
  viewOf([
    ...trainingEvents({ epochs: 2, stepsPerEpoch: 6, metrics: [] }),
    { kind: 'worker', rank: 1, change: 'lost', message: 'ended by SIGKILL' },
    { kind: 'worker', rank: 1, change: 'replaced', message: 'as process 7' },
    { kind: 'end', reason: 'done', step: 12, seconds: 3.2 },
  ]),
)
const watched = frozen(
  viewOf([
    ...trainingEvents({ epochs: 4, stepsPerEpoch: 10, steps: 26, decay: true, inside: true }),
    { kind: 'checkpoint', step: 10, path: 'runs/digits/10' },
    { kind: 'checkpoint', step: 20, path: 'runs/digits/20' },
    {
      kind: 'workers',
      workers: [
        { rank: 0, rowsPerSecond: 3120, inputShare: 0.04, reduceShare: 0.1, memoryBytes: 412e6 },
        { rank: 1, rowsPerSecond: 2950, inputShare: 0.31, reduceShare: 0.02, memoryBytes: 408e6 },
      ],
    },
    { kind: 'end', reason: 'stopped', step: 26, seconds: 1.1, message: 'early stopping: loss is no better' },
  ]),
)
const maps = frozen({ layer: 'conv1', ...picture(1, 6, 6, 4), input: picture(1, 8, 8) })
const kernel = frozen({ layer: 'conv1', ...picture(3, 3, 1, 4) })
const kernelOverMany = frozen({ ...picture(3, 3, 2, 3) })
const faces = frozen(picture(4, 5, 5))
const colourful = frozen(picture(2, 4, 4, 3))
const outcomes = frozen({ actual: ['a', 'a', 'b', 'b'], predicted: ['a', 'b', 'b', 'b'] })
const points = frozen([
  [0, 1, 2],
  [1, 0, 2],
  [2, 2, 2],
])
const bars = frozen({
  mark: 'bar',
  encoding: { x: { field: 'city', type: 'nominal' }, y: { field: 'people', type: 'quantitative' } },
})

const sales = frozen(
  Array.from({ length: 150 }, (_, i) => {
    const area = 20 + 100 * uniform(keyOf(21), i)
    const city = ['Berlin', 'München', 'Köln'][i % 3]!
    const price = (i % 3 === 1 ? 9 : 6) * area + 200 * uniform(keyOf(22), i)
    return { city, area: Number(area.toFixed(1)), price: Math.round(price), day: new Date(1.7e12 + i * 1.3e8) }
  }),
)
const codes = {
  shape: [30, 4],
  values: Array.from({ length: 120 }, (_, i) => 3 * ((i >> 2) % 3 === i % 4 ? 1 : 0) + uniform(keyOf(23), i)),
}
const codeLabels = Array.from({ length: 30 }, (_, i) => 'abc'[i % 3]!)
const thumbnails = picture(30, 6, 6)

/** Kind of chart to a function that makes it. */
export const samples: Readonly<Record<string, () => viz.Chart>> = {
  'training-empty': () => viz.training(viz.emptyTraining),
  'training-running': () => viz.training(running),
  'training-ended': () => viz.training(ended),
  'training-watched': () => viz.training(watched),
  'feature-maps': () => viz.featureMaps(maps),
  'feature-maps-of-layers': () => viz.featureMaps([maps, maps], { columns: 2 }),
  filters: () => viz.filters(kernel),
  'filters-over-channels': () => viz.filters(kernelOverMany),
  reconstructions: () =>
    viz.reconstructions({ input: faces, output: Array.from(faces.values, (v) => v / 2), shape: [5, 5] }),
  images: () => viz.images(faces, { labels: [1, 2, 3, 4], predictions: [1, 2, 4, 4] }),
  'images-in-colour': () => viz.images(colourful),
  confusion: () => viz.confusion(outcomes),
  'confusion-normalised': () => viz.confusion(outcomes, { normalize: true }),
  line: () => viz.line(rows, { x: 'area', y: ['people', 'area'] }),
  'line-empty': () => viz.line([] as typeof rows, { x: 'area', y: 'people' }),
  scatter: () => viz.scatter(rows, { x: 'area', y: 'people', color: 'city' }),
  bar: () => viz.bar(rows, { x: 'city', y: 'people', color: 'when' }),
  'bar-empty': () => viz.bar([] as typeof rows, { x: 'city' }),
  histogram: () => viz.histogram(rows, { x: 'people', bins: 5 }),
  'histogram-empty': () => viz.histogram([] as typeof rows, { x: 'people' }),
  latent: () => viz.latent(points, { labels: ['x', 'y', 'x'] }),
  'bar-of-means': () => viz.bar(sales, { x: 'city', y: { mean: 'price' } }),
  'bar-of-months': () => viz.bar(sales, { x: { time: 'day', unit: 'month' }, y: { sum: 'price' }, color: 'city' }),
  'line-of-weeks': () => viz.line(sales, { x: { time: 'day', unit: 'week' }, y: { mean: 'price' }, color: 'city' }),
  'line-of-bins': () => viz.line(sales, { x: { bin: 'area', bins: 12 }, y: { median: 'price' } }),
  'histogram-of-times': () => viz.histogram(sales, { x: 'day', bins: 12 }),
  'scatter-of-squares': () => viz.scatter(sales, { x: 'area', y: 'price', density: 12 }),
  'heatmap-of-bins': () =>
    viz.heatmap(sales, { x: { time: 'day', unit: 'month' }, y: { bin: 'area', bins: 6 }, color: { max: 'price' } }),
  'box-of-quarters': () => viz.box(sales, { x: { time: 'day', unit: 'quarter' }, y: 'price' }),
  layer: () => {
    const days = { x: { time: 'day', unit: 'week' } } as const
    const lines = (['min', 'max'] as const).map((op) => viz.line(sales, { ...days, y: { [op]: 'price' } as never }))
    return viz.layer(lines, { title: 'Least and greatest price' })
  },
  beside: () => viz.beside([viz.histogram(sales, { x: 'price' }), viz.box(sales, { x: 'city', y: 'price' })]),
  facet: () => viz.facet(sales, 'city', (own) => viz.histogram(own, { x: 'price', bins: 10 })),
  'facet-empty': () => viz.facet([] as typeof sales, 'city', (own) => viz.histogram(own, { x: 'price' })),
  linked: () =>
    viz.linked(sales, [
      { scatter: { x: 'area', y: 'price', color: 'city' } },
      { histogram: 'price' },
      { bar: 'city' },
      { histogram: 'area' },
    ]),
  caption: () => viz.histogram(sales, { x: 'price', bins: 8 }).caption('Prices as asked, not as paid.'),
  'latent-pca': () => viz.latent(codes, { labels: codeLabels, method: 'pca' }),
  'latent-umap': () => viz.latent(codes, { labels: codeLabels, method: 'umap', neighbours: 5, seed: 3 }),
  'latent-with-pictures': () => viz.latent(codes, { labels: codeLabels, images: thumbnails }),
  'vega-lite': () => viz.vegaLite(bars, rows),
  ...modelSamples,
}
