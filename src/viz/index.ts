/**
 * Charts: pure functions from plain rows, arrays and frames to Vega-Lite specifications that render themselves.
 *
 * The root of the package gives all of this as `viz`.
 */
export { atThreshold } from './at-threshold.js'
export { bar, type BarOptions } from './bar.js'
export { box, type BoxOptions } from './box.js'
export { calibration } from './calibration.js'
export type { Measure, NumberColumn, Place, TimeColumn } from './channels.js'
export { Chart } from './chart.js'
export { classBalance } from './class-balance.js'
export { beside, facet, layer } from './compose.js'
export { confusion, type ConfusionOptions, type Outcomes } from './confusion.js'
export { distributions, type LayerValues } from './distributions.js'
export { type ExamplesOptions, leastSure, mostWrong } from './examples.js'
export { type Bound, type Exploration, explore } from './explore.js'
export { type Activation, featureMaps, filters } from './feature-maps.js'
export { correlation, heatmap, type HeatmapOptions } from './heat.js'
export { histogram, type HistogramOptions } from './histogram.js'
export { images, type ImagesOptions, reconstructions, type ReconstructionsInput } from './images.js'
export { latent, type LatentOptions } from './latent.js'
export { line, type LineOptions } from './line.js'
export { linked, type LinkedView } from './linked.js'
export { live, type LiveChart, type LiveOptions } from './live.js'
export { attention, type AttentionOptions, states } from './matrix.js'
export { graph, type LayerRow } from './model-graph.js'
export { parallel, type ParallelOptions } from './parallel.js'
export { precisionRecall, roc } from './ranking.js'
export { type Run, runs, type RunsOptions } from './runs.js'
export { saliency } from './saliency.js'
export { scatter, type ScatterOptions } from './scatter.js'
export type { ScoreOptions, Scores } from './scores.js'
export { interpolation, samples, type Strip } from './strips.js'
export type { FrameLike, Table } from './table.js'
export type { PlainTensor } from './tensor.js'
export { training } from './training/chart.js'
export type { TrainingEpoch, TrainingValidation, TrainingViewEvent, WorkerLane } from './training/event.js'
export { tensorboard, type TensorBoardLog, type Watched } from './training/tensorboard.js'
export {
  emptyTraining,
  reduceTraining,
  type TrainingMark,
  type TrainingPoint,
  type TrainingView,
} from './training/view.js'
export {
  crossValidation,
  type CrossValidationOptions,
  learningCurves,
  type LearningCurvesOptions,
} from './validation.js'
export { vegaLite } from './vega-lite.js'
