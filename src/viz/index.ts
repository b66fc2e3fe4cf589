/**
 * Charts: pure functions from plain rows, arrays and frames to Vega-Lite specifications that render themselves.
 *
 * The root of the package gives all of this as `viz`.
 */
export { bar, type BarOptions, histogram, type HistogramOptions } from './bars.js'
export { Chart } from './chart.js'
export { confusion, type ConfusionOptions, type Outcomes } from './confusion.js'
export { type Activation, featureMaps, filters } from './feature-maps.js'
export { images, type ImagesOptions, reconstructions, type ReconstructionsInput } from './images.js'
export { live, type LiveChart, type LiveOptions } from './live.js'
export { latent, line, type LineOptions, scatter, type ScatterOptions } from './points.js'
export type { FrameLike, Table } from './table.js'
export type { PlainTensor } from './tensor.js'
export { training } from './training/chart.js'
export {
  emptyTraining,
  reduceTraining,
  type TrainingEpoch,
  type TrainingMark,
  type TrainingPoint,
  type TrainingView,
  type TrainingViewEvent,
} from './training/view.js'
export { vegaLite } from './vega-lite.js'
