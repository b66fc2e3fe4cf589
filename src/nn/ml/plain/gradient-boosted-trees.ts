/** `GBTClassifier` and `GBTRegressor`: trees one after the other, each on what the ones before leave over. */
import { checkInteger, checkNumber } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { checkClassWeights } from '../../train/class-weights.js'
import type { AnyFrame, Column, Plan } from '../../../frame/index.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Col } from '../stage-types.js'
import { binned } from './bins.js'
import { forestNumber, forestOf, loadForest, spread } from './forest.js'
import type { Forest } from './forest.js'
import { ForestClassifierModel, ForestRegressorModel } from './forest-model.js'
import { growTree } from './grow-tree.js'
import type { Tree } from './grow-tree.js'
import { classesOf, classified, predicted, Predictor, unfitted, unfittedClasses } from './predictor.js'
import type { Classified, ClassifierOptions, PredictorOptions, Samples } from './predictor.js'
import { checkTree, defaultBins, growOptions, ones } from './tree-options.js'
import type { TreeOptions } from './tree-options.js'

export interface GBTOptions extends TreeOptions {
  /** Trees. Default 20. */
  readonly maxIter?: number
  /** What each tree but the first counts, in (0, 1]. Default 0.1. */
  readonly stepSize?: number
}

export interface GBTClassifierOptions<
  Features extends string = string,
  Label extends string = string,
  Prediction extends string = string,
>
  extends ClassifierOptions<Features, Label, Prediction>, GBTOptions {}

/**
 * Fits trees that lower the logistic loss `2 log(1 + exp(-2 y F))` of two classes, `y` being -1 or 1. All rows are read into
 * memory.
 *
 * Reference: pyspark.ml.classification.GBTClassifier.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.GBTClassifier({ maxIter: 30, maxDepth: 3 }).fit(train)
 * ```
 */
export class GBTClassifier<
  Features extends string = 'features',
  Label extends string = 'label',
  Prediction extends string = 'prediction',
> extends Predictor<Features, Label, Classified<Prediction>, GBTClassificationModel<Features, Prediction>> {
  readonly kind = 'GBTClassifier'
  readonly options: GBTClassifierOptions<Features, Label, Prediction>

  constructor(options: GBTClassifierOptions<Features, Label, Prediction> = {}) {
    super()
    checkBoosting('GBTClassifier', options)
    checkClassWeights('GBTClassifier', options.classWeights)
    this.options = Object.freeze({ ...options })
  }

  protected addColumns(caller: string, input: Plan, features: Column): Plan {
    return classified(caller, input, features, this.options, unfittedClasses('logistic'))
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<GBTClassificationModel<Features, Prediction>> {
    const samples = await this.samples(caller, frame)
    const classes = classesOf(caller, samples.labels)
    if (classes > 2) throw new ShardbookError('data', `${caller}: expected two classes, got ${classes}.`)
    const signs = samples.labels.map((label) => 2 * label - 1)
    const forest = boosted(caller, samples, signs, this.options, (y, f) => (4 * y) / (1 + Math.exp(2 * y * f)))
    // The margin is 2 F: its logistic function is the probability.
    return new GBTClassificationModel(this.options, { ...forest, weights: forest.weights.map((weight) => 2 * weight) })
  }
}

/** What `GBTClassifier` fits. */
export class GBTClassificationModel<
  Features extends string = string,
  Prediction extends string = string,
> extends ForestClassifierModel<Features, Prediction> {
  readonly kind = 'GBTClassificationModel'

  constructor(options: ClassifierOptions, forest: Forest) {
    super(options, forest, 'margins')
  }

  static load(saved: LoadedStage): GBTClassificationModel {
    return new GBTClassificationModel(saved.params, loadForest(saved))
  }
}

export interface GBTRegressorOptions<
  Features extends string = string,
  Label extends string = string,
  Prediction extends string = string,
>
  extends PredictorOptions<Features, Label, Prediction>, GBTOptions {}

/**
 * Fits trees that lower the squared error. All rows are read into memory.
 *
 * Reference: pyspark.ml.regression.GBTRegressor.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.GBTRegressor({ maxIter: 30, maxDepth: 3 }).fit(train)
 * ```
 */
export class GBTRegressor<
  Features extends string = 'features',
  Label extends string = 'label',
  Prediction extends string = 'prediction',
> extends Predictor<Features, Label, Col<Prediction, number>, GBTRegressionModel<Features, Prediction>> {
  readonly kind = 'GBTRegressor'
  readonly options: GBTRegressorOptions<Features, Label, Prediction>

  constructor(options: GBTRegressorOptions<Features, Label, Prediction> = {}) {
    super()
    checkBoosting('GBTRegressor', options)
    this.options = Object.freeze({ ...options })
  }

  protected addColumns(caller: string, input: Plan, features: Column): Plan {
    return predicted(caller, input, features, this.options, unfitted)
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<GBTRegressionModel<Features, Prediction>> {
    const samples = await this.samples(caller, frame)
    const forest = boosted(caller, samples, samples.labels, this.options, (y, f) => 2 * (y - f))
    return new GBTRegressionModel(this.options, forest)
  }
}

/** What `GBTRegressor` fits. */
export class GBTRegressionModel<
  Features extends string = string,
  Prediction extends string = string,
> extends ForestRegressorModel<Features, Prediction> {
  readonly kind = 'GBTRegressionModel'

  static load(saved: LoadedStage): GBTRegressionModel {
    return new GBTRegressionModel(saved.params, loadForest(saved))
  }
}

function checkBoosting(caller: string, options: GBTOptions): void {
  checkTree(caller, options, ['variance'])
  checkInteger(caller, 'maxIter', options.maxIter ?? 20, 1)
  checkNumber(caller, 'stepSize', options.stepSize ?? 0.1, 0, 1)
}

/** The first tree is fitted to the targets, each later one to the loss's falling slope, as in Spark. */
function boosted(
  caller: string,
  samples: Samples,
  targets: Float64Array,
  options: GBTOptions,
  slope: (target: number, prediction: number) => number,
): Forest {
  const { maxIter = 20, stepSize = 0.1 } = options
  const { rows, width, vectors } = samples
  const bins = binned(caller, samples, defaultBins(options))
  const grow = growOptions(options, 'variance', 0, width)
  const weights = ones(rows, samples.weights)
  const predictions = new Float64Array(rows)
  const x = new Float64Array(width)
  const trees: Tree[] = []
  for (let t = 0; t < maxIter; t++) {
    const wanted = t === 0 ? targets : targets.map((target, row) => slope(target, predictions[row]!))
    const tree = growTree(bins, wanted, weights, grow)
    trees.push(tree)
    const own = forestOf([tree], width, { weights: [t === 0 ? 1 : stepSize] })
    for (let row = 0; row < rows; row++) {
      spread(vectors, row, x)
      predictions[row]! += forestNumber(own, x)
    }
  }
  return forestOf(trees, width, { weights: trees.map((_, t) => (t === 0 ? 1 : stepSize)) })
}
