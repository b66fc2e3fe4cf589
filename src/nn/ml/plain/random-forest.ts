/** `RandomForestClassifier` and `RandomForestRegressor`: many trees, each on other rows and features. */
import { checkInteger, checkNumber, show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { fold, keyOf, uniform } from '../../../core/random.js'
import { checkClassWeights } from '../../train/class-weights.js'
import type { AnyFrame, Column, Plan } from '../../../frame/index.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Col } from '../stage-types.js'
import { binned } from './bins.js'
import { forestOf, loadForest } from './forest.js'
import type { Forest } from './forest.js'
import { ForestClassifierModel, ForestRegressorModel } from './forest-model.js'
import { growTree } from './grow-tree.js'
import type { Impurity, Tree } from './grow-tree.js'
import { classesOf, classified, predicted, Predictor, unfitted, unfittedClasses } from './predictor.js'
import type { Classified, ClassifierOptions, PredictorOptions, Samples } from './predictor.js'
import { checkTree, defaultBins, growOptions } from './tree-options.js'
import type { TreeOptions } from './tree-options.js'

export interface ForestOptions extends TreeOptions {
  /** Default 20. */
  readonly numTrees?: number
  /**
   * Features that are tried at a node: all, a third, the square root or the logarithm of their number, so many, or a share.
   * Default `'auto'`: the square root for classes, a third for numbers.
   */
  readonly featureSubsetStrategy?: 'auto' | 'all' | 'onethird' | 'sqrt' | 'log2' | number
  /** Rows of a tree, as a share of all. Default 1. */
  readonly subsamplingRate?: number
  /** Whether a tree's rows are drawn with replacement. Default true. */
  readonly bootstrap?: boolean
}

export interface RandomForestClassifierOptions<
  Features extends string = string,
  Label extends string = string,
  Prediction extends string = string,
>
  extends ClassifierOptions<Features, Label, Prediction>, ForestOptions {
  /** Default `'gini'`. */
  readonly impurity?: 'gini' | 'entropy'
}

/**
 * Fits trees on rows drawn at random, each node on features drawn at random; their mean says how likely a class is. The same
 * seed gives the same forest. All rows are read into memory.
 *
 * Reference: pyspark.ml.classification.RandomForestClassifier.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.RandomForestClassifier({ numTrees: 50, seed: 1 }).fit(train)
 * model.featureImportances
 * ```
 */
export class RandomForestClassifier<
  Features extends string = 'features',
  Label extends string = 'label',
  Prediction extends string = 'prediction',
> extends Predictor<Features, Label, Classified<Prediction>, RandomForestClassificationModel<Features, Prediction>> {
  readonly kind = 'RandomForestClassifier'
  readonly options: RandomForestClassifierOptions<Features, Label, Prediction>

  constructor(options: RandomForestClassifierOptions<Features, Label, Prediction> = {}) {
    super()
    checkForest('RandomForestClassifier', options, ['gini', 'entropy'])
    checkClassWeights('RandomForestClassifier', options.classWeights)
    this.options = Object.freeze({ ...options })
  }

  protected addColumns(caller: string, input: Plan, features: Column): Plan {
    return classified(caller, input, features, this.options, unfittedClasses('share'))
  }

  protected async learn(
    caller: string,
    frame: AnyFrame,
  ): Promise<RandomForestClassificationModel<Features, Prediction>> {
    const samples = await this.samples(caller, frame)
    const { impurity = 'gini' } = this.options
    const classes = classesOf(caller, samples.labels)
    return new RandomForestClassificationModel(this.options, grown(caller, samples, this.options, impurity, classes))
  }
}

/** What `RandomForestClassifier` fits. */
export class RandomForestClassificationModel<
  Features extends string = string,
  Prediction extends string = string,
> extends ForestClassifierModel<Features, Prediction> {
  readonly kind = 'RandomForestClassificationModel'

  static load(saved: LoadedStage): RandomForestClassificationModel {
    return new RandomForestClassificationModel(saved.params, loadForest(saved))
  }
}

export interface RandomForestRegressorOptions<
  Features extends string = string,
  Label extends string = string,
  Prediction extends string = string,
>
  extends PredictorOptions<Features, Label, Prediction>, ForestOptions {}

/**
 * As `RandomForestClassifier`, for numbers: predicts the mean of what its trees do.
 *
 * Reference: pyspark.ml.regression.RandomForestRegressor.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.RandomForestRegressor({ numTrees: 50 }).fit(train)
 * ```
 */
export class RandomForestRegressor<
  Features extends string = 'features',
  Label extends string = 'label',
  Prediction extends string = 'prediction',
> extends Predictor<Features, Label, Col<Prediction, number>, RandomForestRegressionModel<Features, Prediction>> {
  readonly kind = 'RandomForestRegressor'
  readonly options: RandomForestRegressorOptions<Features, Label, Prediction>

  constructor(options: RandomForestRegressorOptions<Features, Label, Prediction> = {}) {
    super()
    checkForest('RandomForestRegressor', options, ['variance'])
    this.options = Object.freeze({ ...options })
  }

  protected addColumns(caller: string, input: Plan, features: Column): Plan {
    return predicted(caller, input, features, this.options, unfitted)
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<RandomForestRegressionModel<Features, Prediction>> {
    const samples = await this.samples(caller, frame)
    return new RandomForestRegressionModel(this.options, grown(caller, samples, this.options, 'variance', 0))
  }
}

/** What `RandomForestRegressor` fits. */
export class RandomForestRegressionModel<
  Features extends string = string,
  Prediction extends string = string,
> extends ForestRegressorModel<Features, Prediction> {
  readonly kind = 'RandomForestRegressionModel'

  static load(saved: LoadedStage): RandomForestRegressionModel {
    return new RandomForestRegressionModel(saved.params, loadForest(saved))
  }
}

function checkForest(
  caller: string,
  options: ForestOptions & { readonly impurity?: string },
  impurities: readonly Impurity[],
): void {
  checkTree(caller, options, impurities)
  checkInteger(caller, 'numTrees', options.numTrees ?? 20, 1)
  checkNumber(caller, 'subsamplingRate', options.subsamplingRate ?? 1, 0, 1)
  featuresPerNode(caller, options, 1, false)
}

function grown(caller: string, samples: Samples, options: ForestOptions, impurity: Impurity, classes: number): Forest {
  const { numTrees = 20, subsamplingRate = 1, bootstrap = true, seed = 0 } = options
  const bins = binned(caller, samples, defaultBins(options))
  const base = growOptions(options, impurity, classes, samples.width)
  const perNode = featuresPerNode(caller, options, samples.width, classes > 0)
  const trees: Tree[] = []
  for (let t = 0; t < numTrees; t++) {
    const key = fold(keyOf(seed), t)
    const weights = drawnRows(samples.rows, subsamplingRate, bootstrap, fold(key, 1))
    if (samples.weights !== undefined)
      for (let row = 0; row < samples.rows; row++) weights[row]! *= samples.weights[row]!
    trees.push(growTree(bins, samples.labels, weights, { ...base, featuresPerNode: perNode, key: fold(key, 2) }))
  }
  // Classes are added up; numbers are a mean.
  const each = classes > 0 ? 1 : 1 / numTrees
  return forestOf(trees, samples.width, { shares: classes > 0, weights: trees.map(() => each) })
}

/** How often each row is in a tree's sample. */
function drawnRows(rows: number, rate: number, bootstrap: boolean, key: number): Float64Array {
  const weights = new Float64Array(rows)
  if (!bootstrap && rate === 1) return weights.fill(1)
  if (!bootstrap) return weights.map((_, row) => (uniform(key, row) < rate ? 1 : 0))
  const count = Math.max(1, Math.round(rows * rate))
  for (let i = 0; i < count; i++) weights[Math.floor(uniform(key, i) * rows)]! += 1
  return weights
}

function featuresPerNode(caller: string, options: ForestOptions, width: number, isClassifier: boolean): number {
  const { featureSubsetStrategy: strategy = 'auto', numTrees = 20 } = options
  const auto = numTrees === 1 ? 'all' : isClassifier ? 'sqrt' : 'onethird'
  const chosen = strategy === 'auto' ? auto : strategy
  const counts = { all: width, onethird: width / 3, sqrt: Math.sqrt(width), log2: Math.log2(width) }
  const count =
    typeof chosen !== 'number'
      ? counts[chosen]
      : chosen > 0 && chosen <= 1
        ? chosen * width
        : Number.isInteger(chosen)
          ? chosen
          : undefined
  if (count !== undefined && count >= 0) return Math.min(width, Math.max(1, Math.ceil(count)))
  throw new ShardbookError(
    'argument',
    `${caller}: expected featureSubsetStrategy to be 'auto', 'all', 'onethird', 'sqrt', 'log2', a number or a share, got ${show(strategy)}.`,
  )
}
