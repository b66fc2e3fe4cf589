/** `DecisionTreeClassifier` and `DecisionTreeRegressor`. */
import { checkClassWeights } from '../../train/class-weights.js'
import type { AnyFrame, Column, Plan } from '../../../frame/index.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Col } from '../stage-types.js'
import { binned } from './bins.js'
import { forestOf, loadForest } from './forest.js'
import { ForestClassifierModel, ForestRegressorModel } from './forest-model.js'
import { growTree } from './grow-tree.js'
import { classesOf, classified, predicted, Predictor, unfitted, unfittedClasses } from './predictor.js'
import type { Classified, ClassifierOptions, PredictorOptions } from './predictor.js'
import { checkTree, defaultBins, growOptions, ones } from './tree-options.js'
import type { TreeOptions } from './tree-options.js'

export interface DecisionTreeClassifierOptions<
  Features extends string = string,
  Label extends string = string,
  Prediction extends string = string,
>
  extends ClassifierOptions<Features, Label, Prediction>, TreeOptions {
  /** Default `'gini'`. */
  readonly impurity?: 'gini' | 'entropy'
}

/**
 * Fits a tree of splits that tell classes apart. All rows are read into memory.
 *
 * Reference: pyspark.ml.classification.DecisionTreeClassifier; with as many bins as there are values, the tree of scikit-learn.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.DecisionTreeClassifier({ maxDepth: 3 }).fit(train)
 * console.log(model.toDebugString())
 * ```
 */
export class DecisionTreeClassifier<
  Features extends string = 'features',
  Label extends string = 'label',
  Prediction extends string = 'prediction',
> extends Predictor<Features, Label, Classified<Prediction>, DecisionTreeClassificationModel<Features, Prediction>> {
  readonly kind = 'DecisionTreeClassifier'
  readonly options: DecisionTreeClassifierOptions<Features, Label, Prediction>

  constructor(options: DecisionTreeClassifierOptions<Features, Label, Prediction> = {}) {
    super()
    checkTree('DecisionTreeClassifier', options, ['gini', 'entropy'])
    checkClassWeights('DecisionTreeClassifier', options.classWeights)
    this.options = Object.freeze({ ...options })
  }

  protected addColumns(caller: string, input: Plan, features: Column): Plan {
    return classified(caller, input, features, this.options, unfittedClasses('share'))
  }

  protected async learn(
    caller: string,
    frame: AnyFrame,
  ): Promise<DecisionTreeClassificationModel<Features, Prediction>> {
    const samples = await this.samples(caller, frame)
    const classes = classesOf(caller, samples.labels)
    const bins = binned(caller, samples, defaultBins(this.options))
    const grow = growOptions(this.options, this.options.impurity ?? 'gini', classes, samples.width)
    const tree = growTree(bins, samples.labels, ones(samples.rows, samples.weights), grow)
    return new DecisionTreeClassificationModel(this.options, forestOf([tree], samples.width))
  }
}

/** What `DecisionTreeClassifier` fits; raw predictions are the weights of the classes in a row's leaf. */
export class DecisionTreeClassificationModel<
  Features extends string = string,
  Prediction extends string = string,
> extends ForestClassifierModel<Features, Prediction> {
  readonly kind = 'DecisionTreeClassificationModel'

  static load(saved: LoadedStage): DecisionTreeClassificationModel {
    return new DecisionTreeClassificationModel(saved.params, loadForest(saved))
  }
}

export interface DecisionTreeRegressorOptions<
  Features extends string = string,
  Label extends string = string,
  Prediction extends string = string,
>
  extends PredictorOptions<Features, Label, Prediction>, TreeOptions {}

/**
 * Fits a tree whose leaves predict the mean label of their rows. All rows are read into memory.
 *
 * Reference: pyspark.ml.regression.DecisionTreeRegressor; with as many bins as there are values, the tree of scikit-learn.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.DecisionTreeRegressor({ maxDepth: 4 }).fit(train)
 * ```
 */
export class DecisionTreeRegressor<
  Features extends string = 'features',
  Label extends string = 'label',
  Prediction extends string = 'prediction',
> extends Predictor<Features, Label, Col<Prediction, number>, DecisionTreeRegressionModel<Features, Prediction>> {
  readonly kind = 'DecisionTreeRegressor'
  readonly options: DecisionTreeRegressorOptions<Features, Label, Prediction>

  constructor(options: DecisionTreeRegressorOptions<Features, Label, Prediction> = {}) {
    super()
    checkTree('DecisionTreeRegressor', options, ['variance'])
    this.options = Object.freeze({ ...options })
  }

  protected addColumns(caller: string, input: Plan, features: Column): Plan {
    return predicted(caller, input, features, this.options, unfitted)
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<DecisionTreeRegressionModel<Features, Prediction>> {
    const samples = await this.samples(caller, frame)
    const bins = binned(caller, samples, defaultBins(this.options))
    const grow = growOptions(this.options, 'variance', 0, samples.width)
    const tree = growTree(bins, samples.labels, ones(samples.rows, samples.weights), grow)
    return new DecisionTreeRegressionModel(this.options, forestOf([tree], samples.width))
  }
}

/** What `DecisionTreeRegressor` fits. */
export class DecisionTreeRegressionModel<
  Features extends string = string,
  Prediction extends string = string,
> extends ForestRegressorModel<Features, Prediction> {
  readonly kind = 'DecisionTreeRegressionModel'

  static load(saved: LoadedStage): DecisionTreeRegressionModel {
    return new DecisionTreeRegressionModel(saved.params, loadForest(saved))
  }
}
