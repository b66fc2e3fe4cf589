/** Samples of the charts about a model's errors and its inside; see samples.ts. */
import { keyOf, uniform } from '../../src/core/random.js'
import { freeze, type Json } from '../../src/viz/json.js'
import * as viz from '../../src/viz/index.js'

function frozen<T>(value: T): T {
  return freeze(value as Json) as T
}

const noise = (seed: number) => (i: number) => uniform(keyOf(seed), i)
const list = <T>(length: number, of: (i: number) => T): T[] => Array.from({ length }, (_, i) => of(i))

/** Nearly normal: the sum of twelve uniform numbers. */
const normal = (seed: number, i: number): number => list(12, (k) => noise(seed)(12 * i + k)).reduce((a, b) => a + b, -6)

/** A classifier that is good, not perfect, and somewhat too sure. */
const scores = frozen({
  actual: list(200, (i) => (noise(1)(i) < 0.35 ? 1 : 0)),
  score: list(200, (i) => {
    const hit = noise(1)(i) < 0.35
    return Number(Math.min(0.999, Math.max(0.001, (hit ? 0.72 : 0.3) + 0.5 * (noise(2)(i) - 0.5))).toFixed(3))
  }),
})
const patients = frozen(
  list(60, (i) => {
    const height = 1.5 + 0.4 * noise(3)(i)
    return {
      clinic: ['north', 'south', 'east'][i % 3]!,
      day: ['Mon', 'Tue', 'Wed', 'Thu'][Math.floor(4 * noise(4)(i))]!,
      height: Number(height.toFixed(2)),
      weight: Number((height * 45 + 20 * noise(5)(i)).toFixed(1)),
      wait: Number((10 + 20 * noise(6)(i) + (i % 17 === 0 ? 60 : 0)).toFixed(1)),
      visits: Math.floor(9 * noise(7)(i)) - 4,
    }
  }),
)
const classes = frozen(
  list(90, (i) => ({
    label: ['cat', 'dog', 'owl'][Math.floor(3 * noise(8)(i) ** 2)]!,
    set: i % 4 === 0 ? 'validation' : 'training',
  })),
)
const sizes = frozen(
  [100, 200, 400, 800, 1600].flatMap((rows, i) =>
    list(3, (run) => ({
      rows,
      train: Number((0.99 - 0.01 * i - 0.01 * noise(9)(3 * i + run)).toFixed(3)),
      test: Number((0.7 + 0.05 * i - 0.04 * noise(10)(3 * i + run)).toFixed(3)),
    })),
  ),
)
const folds = frozen(
  [2, 4, 8, 16].flatMap((depth, i) =>
    list(5, (fold) => ({
      depth,
      accuracy: Number((0.8 + 0.05 * Math.min(i, 2) + 0.04 * noise(11)(5 * i + fold)).toFixed(3)),
    })),
  ),
)
const trials = frozen(
  list(24, (i) => {
    const rate = 10 ** (-4 + 3 * noise(12)(i))
    const layers = 1 + Math.floor(4 * noise(13)(i))
    const optimiser = ['adam', 'sgd', 'rmsprop'][i % 3]!
    const loss = Number((Math.abs(Math.log10(rate) + 2.7) / 3 + 0.1 * layers + 0.1 * noise(14)(i)).toFixed(3))
    return { rate: Number(rate.toPrecision(3)), layers, optimiser, loss }
  }),
)
const layer = (seed: number, count: number, deviation: number): number[] =>
  list(count, (i) => Number((deviation * normal(seed, i)).toPrecision(4)))
const weights = frozen([
  { layer: 'conv1', values: layer(15, 300, 0.2) },
  { layer: 'conv2', values: layer(16, 300, 0.05).map((value) => Math.max(0, value)) },
  { layer: 'dense', values: [...layer(17, 300, 0.4), NaN] },
])
const gradients = frozen(
  [0, 10, 20, 30].flatMap((step) =>
    ['conv1', 'dense'].map((name, i) => ({
      layer: name,
      step,
      values: layer(18 + step + i, 100, 0.1 / (1 + step / 10)),
    })),
  ),
)
const layers = frozen<viz.LayerRow[]>([
  { name: 'image', kind: 'input', shape: [28, 28, 1] },
  { name: 'conv1', kind: 'conv2d', shape: [28, 28, 8], parameters: 80 },
  { name: 'conv2', kind: 'conv2d', shape: [28, 28, 8], parameters: 584 },
  { name: 'add', kind: 'add', inputs: ['conv1', 'conv2'], shape: [28, 28, 8] },
  { name: 'pool', kind: 'maxPooling2d', shape: [14, 14, 8] },
  { name: 'class', kind: 'dense', inputs: ['pool'], shape: [10], parameters: 15_690 },
  { name: 'box', kind: 'dense', inputs: ['pool'], shape: [4], parameters: 6276 },
])
const words = frozen(['the', 'cat', 'sat', 'on', 'the', 'mat'])
const looks = (heads: number, count: number): viz.PlainTensor => ({
  shape: heads === 1 ? [count, count] : [heads, count, count],
  values: list(heads * count, (i) => {
    const row = list(count, (k) => Math.exp(3 * noise(30 + heads)(i * count + k) - Math.abs((i % count) - k) / 2))
    const sum = row.reduce((a, b) => a + b, 0)
    return row.map((value) => value / sum)
  }).flat(),
})
const [attention, heads] = [frozen(looks(1, 6)), frozen(looks(4, 40))]
const state = frozen({
  layer: 'lstm',
  shape: [6, 5],
  values: list(30, (i) => Math.sin((Math.floor(i / 5) + 1) * ((i % 5) + 1) * 0.4)),
})
const blob = (at: number, size: number): number[] =>
  list(64, (i) => Number(Math.exp(-(((i % 8) - at) ** 2 + (Math.floor(i / 8) - 4) ** 2) / size).toFixed(3)))
const steps = frozen({ shape: [6, 8, 8, 1], values: list(6, (i) => blob(1 + i, 3)).flat() })
const epochs = frozen(
  [1, 5, 20].map((epoch) => ({
    name: `epoch ${epoch}`,
    images: { shape: [5, 8, 8, 1], values: list(5, (i) => blob(1.5 * i, 24 / epoch)).flat() },
  })),
)
const guesses = frozen(
  list(12, (i) => ({
    image: { shape: [8, 8], values: blob(i % 8, 4) },
    label: i % 4,
    prediction: i % 3,
    probability: Number((0.3 + 0.69 * noise(41)(i)).toFixed(3)),
  })),
)
const histories = frozen(
  ['small', 'large', 'large, decayed'].map((name, run) => ({
    name,
    history: list(8, (i) => ({
      epoch: i + 1,
      step: 100 * (i + 1),
      loss: Number((1.8 * Math.exp((-i * (run + 2)) / 8)).toFixed(4)),
      accuracy: Number((1 - 0.8 * Math.exp((-i * (run + 2)) / 8) - 0.02 * noise(50 + run)(i)).toFixed(4)),
    })),
  })),
)

/** Kind of chart to a function that makes it. */
export const modelSamples: Readonly<Record<string, () => viz.Chart>> = {
  roc: () => viz.roc(scores),
  'roc-empty': () => viz.roc({ actual: [], score: [] }),
  'precision-recall': () => viz.precisionRecall(scores),
  'precision-recall-empty': () => viz.precisionRecall({ actual: [0, 0], score: [0.5, NaN] }),
  calibration: () => viz.calibration(scores),
  'calibration-empty': () => viz.calibration({ actual: [], score: [] }),
  'class-balance': () => viz.classBalance(classes, { label: 'label' }),
  'class-balance-of-sets': () => viz.classBalance(classes, { label: 'label', split: 'set' }),
  'class-balance-empty': () => viz.classBalance([] as typeof classes, { label: 'label' }),
  heatmap: () => viz.heatmap(patients, { x: 'day', y: 'clinic', color: 'wait' }),
  'heatmap-signed': () => viz.heatmap(patients, { x: 'day', y: 'clinic', color: 'visits', aggregate: 'sum' }),
  'heatmap-empty': () => viz.heatmap([] as typeof patients, { x: 'day', y: 'clinic' }),
  box: () => viz.box(patients, { x: 'clinic', y: 'wait' }),
  'box-empty': () => viz.box({ wait: [NaN, NaN] }, { y: 'wait' }),
  correlation: () => viz.correlation(patients),
  'correlation-empty': () => viz.correlation([] as typeof patients),
  'learning-curves': () =>
    viz.learningCurves(sizes, { x: 'rows', training: 'train', validation: 'test', metric: 'accuracy' }),
  'learning-curves-empty': () =>
    viz.learningCurves([] as typeof sizes, { x: 'rows', training: 'train', validation: 'test' }),
  'cross-validation': () => viz.crossValidation(folds, { x: 'depth', y: 'accuracy' }),
  'cross-validation-empty': () => viz.crossValidation([] as typeof folds, { x: 'depth', y: 'accuracy' }),
  parallel: () => viz.parallel(trials, { columns: ['rate', 'layers', 'optimiser'], color: 'loss' }),
  'parallel-empty': () => viz.parallel([] as typeof trials, { columns: ['rate'], color: 'loss' }),
  distributions: () => viz.distributions(weights),
  'distributions-over-time': () => viz.distributions(gradients, { what: 'gradient' }),
  'distributions-empty': () => viz.distributions([]),
  'model-graph': () => viz.graph(layers, { title: 'Digits' }),
  'model-graph-empty': () => viz.graph([]),
  attention: () => viz.attention(attention, { queries: words }),
  'attention-of-heads': () => viz.attention(heads),
  states: () => viz.states(state, { steps: words }),
  interpolation: () => viz.interpolation(steps),
  samples: () => viz.samples(epochs),
  'samples-empty': () => viz.samples([]),
  'most-wrong': () => viz.mostWrong(guesses),
  'least-sure': () => viz.leastSure(guesses, { count: 6 }),
  'least-sure-empty': () => viz.leastSure([] as typeof guesses),
  runs: () => viz.runs(histories),
  'runs-of-two': () => viz.runs(histories.slice(0, 2)),
  'at-threshold': () => viz.atThreshold(scores, { threshold: 0.5 }),
  'at-threshold-empty': () => viz.atThreshold({ actual: [], score: [] }, { threshold: 0.5 }),
  saliency: () =>
    viz.saliency(
      { shape: [3, 8, 8, 1], values: list(3, (i) => blob(2 + 2 * i, 6)).flat() },
      { shape: [3, 4, 4, 1], values: list(48, noise(61)) },
      { labels: ['a', 'b', 'c'] },
    ),
  'confusion-with-pictures': () => viz.confusion(guesses, { images: 'image' }),
  'activations-by-layer': () => viz.distributions(weights, { what: 'activation' }),
  'runs-empty': () => viz.runs([]),
}
