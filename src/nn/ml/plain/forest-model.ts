/** Fitted models of one tree or many: classifiers and regressors over a forest. */
import { ClassifierModel, RegressorModel } from './predictor.js'
import type { ClassifierOptions, Link, PredictorOptions } from './predictor.js'
import { forestScores, printTree, saveForest } from './forest.js'
import type { Combine, Forest } from './forest.js'

/** A fitted classifier of trees. */
export abstract class ForestClassifierModel<Features extends string, Prediction extends string> extends ClassifierModel<
  Features,
  Prediction
> {
  readonly options: ClassifierOptions
  readonly forest: Forest
  readonly numClasses: number
  readonly numFeatures: number
  protected readonly scorer
  protected override readonly link: Link

  constructor(options: ClassifierOptions, forest: Forest, combine: Combine = 'scores') {
    super()
    this.options = options
    this.forest = forest
    this.numFeatures = forest.numFeatures
    this.numClasses = combine === 'margins' ? 2 : forest.outputs
    this.scorer = { fn: forestScores, payload: { forest, combine } }
    this.link = combine === 'margins' ? 'logistic' : 'share'
  }

  /** How much each feature lowered the impurity; they add up to 1. */
  get featureImportances(): Float64Array {
    return this.forest.importances
  }

  /** A tree as text. */
  toDebugString(tree = 0): string {
    return printTree(this.forest, tree)
  }

  protected override learnt() {
    return saveForest(this.forest)
  }
}

/** A fitted regressor of trees. */
export abstract class ForestRegressorModel<Features extends string, Prediction extends string> extends RegressorModel<
  Features,
  Prediction
> {
  readonly options: PredictorOptions
  readonly forest: Forest
  readonly numFeatures: number
  protected readonly scorer

  constructor(options: PredictorOptions, forest: Forest) {
    super()
    this.options = options
    this.forest = forest
    this.numFeatures = forest.numFeatures
    this.scorer = { fn: forestScores, payload: { forest, combine: 'number' } }
  }

  /** How much each feature lowered the impurity; they add up to 1. */
  get featureImportances(): Float64Array {
    return this.forest.importances
  }

  /** A tree as text. */
  toDebugString(tree = 0): string {
    return printTree(this.forest, tree)
  }

  protected override learnt() {
    return saveForest(this.forest)
  }
}
