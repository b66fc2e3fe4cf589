/** What plain classifiers and regressors share: names of columns, and how a fitted one adds its predictions. */
import { ShardbookError } from '../../../core/errors.js'
import type { AnyFrame, Column, Plan, Tensor } from '../../../frame/index.js'
import type { MakeRowFunction, RowFunction, TensorRows } from '../../../frame/row-function.js'
import type { ColumnType } from '../../../frame/schema.js'
import {
  ColumnEstimator,
  ColumnStage,
  computed,
  inputColumn,
  isNumber,
  isVector,
  withColumns,
} from '../column-stage.js'
import { weightsOfClasses } from '../../train/class-weights.js'
import type { ClassWeights } from '../../train/class-weights.js'
import type { Transformer } from '../stage.js'
import type { Col, Vector } from '../stage-types.js'
import { readMatrix, vectorSize } from '../vectors.js'
import type { Matrix } from '../vectors.js'

export interface PredictorOptions<
  Features extends string = string,
  Label extends string = string,
  Prediction extends string = string,
> {
  /** Column of vectors. Default `'features'`. */
  readonly featuresCol?: Features
  /** Column to learn. Default `'label'`. */
  readonly labelCol?: Label
  /** Column that `transform` adds. Default `'prediction'`. */
  readonly predictionCol?: Prediction
  /** Column of each row's weight, from 0 on; none: all rows count the same. */
  readonly weightCol?: string
}

export interface ClassifierOptions<
  Features extends string = string,
  Label extends string = string,
  Prediction extends string = string,
> extends PredictorOptions<Features, Label, Prediction> {
  /** Column of what each class scores. Default `'rawPrediction'`. */
  readonly rawPredictionCol?: string
  /** Column of probabilities. Default `'probability'`. */
  readonly probabilityCol?: string
  /** What the weights of a class's rows are multiplied by: given, or `'balanced'` by how many there are. Default 1. */
  readonly classWeights?: ClassWeights
}

const featuresOf = ({ featuresCol = 'features' }: PredictorOptions): string => featuresCol
const labelOf = ({ labelCol = 'label' }: PredictorOptions): string => labelCol

/** The rows to learn from. */
export interface Samples extends Matrix {
  readonly labels: Float64Array
  readonly weights: Float64Array | undefined
}

/** An estimator of a number from a vector. */
export abstract class Predictor<
  Features extends string,
  Label extends string,
  Added,
  M extends Transformer,
> extends ColumnEstimator<Col<Features, Vector> & Col<Label, number>, Added, M> {
  abstract override readonly options: PredictorOptions & Pick<ClassifierOptions, 'classWeights'>

  protected extend(caller: string, input: Plan): Plan {
    for (const name of [labelOf(this.options), ...weightOf(this.options)]) {
      inputColumn(caller, input.schema, name, 'numbers', isNumber)
    }
    const features = inputColumn(caller, input.schema, featuresOf(this.options), 'vectors', isVector)
    return this.addColumns(caller, input, features)
  }

  /** The plan with the columns that the model will add. */
  protected abstract addColumns(caller: string, input: Plan, features: Column): Plan

  protected async samples(caller: string, frame: AnyFrame): Promise<Samples> {
    const others = [labelOf(this.options), ...weightOf(this.options)]
    const matrix = await readMatrix(caller, frame, featuresOf(this.options), others)
    const [labels, weights] = matrix.numbers
    if (weights?.some((weight) => weight < 0)) {
      throw new ShardbookError('data', `${caller}: expected weights from 0 on in '${others[1]}', got one below.`)
    }
    const { classWeights } = this.options
    return { ...matrix, labels: labels!, weights: weighClasses(caller, classWeights, labels!, weights) }
  }
}

/** Weights of rows times those of their classes. */
function weighClasses(
  caller: string,
  classWeights: ClassWeights | undefined,
  labels: Float64Array,
  weights: Float64Array | undefined,
): Float64Array | undefined {
  if (classWeights === undefined) return weights
  const sizes = Array.from({ length: classesOf(caller, labels) }, () => 0)
  for (const label of labels) sizes[label]!++
  const factors = weightsOfClasses(classWeights, sizes)
  return labels.map((label, row) => (weights?.[row] ?? 1) * factors[label]!)
}

function weightOf({ weightCol }: PredictorOptions): string[] {
  return weightCol === undefined ? [] : [weightCol]
}

/** Classes 0 .. n - 1 of labels, at least 2. @throws ShardbookError `data` for another label, or one class only */
export function classesOf(caller: string, labels: Float64Array): number {
  let most = 0
  for (const label of labels) {
    if (!Number.isInteger(label) || label < 0 || label > 10_000) {
      throw new ShardbookError('data', `${caller}: expected class numbers 0, 1, 2, ... as labels, got ${label}.`, {
        hint: 'ml.StringIndexer gives each class a number.',
      })
    }
    most = Math.max(most, label)
  }
  return Math.max(2, most + 1)
}

/** What a classifier adds to a frame. */
export type Classified<Prediction extends string> = Col<Prediction, number> & {
  readonly rawPrediction: Tensor
  readonly probability: Tensor
}

/** How class scores become probabilities. */
export type Link = 'logistic' | 'softmax' | 'share' | 'none'

/** A row function from vectors to scores, with its payload. */
export interface Scorer {
  readonly fn: { readonly kind: string; readonly make: MakeRowFunction }
  readonly payload: object
}

/** A fitted classifier. */
export abstract class ClassifierModel<Features extends string, Prediction extends string> extends ColumnStage<
  Col<Features, Vector>,
  Classified<Prediction>
> {
  abstract override readonly options: ClassifierOptions
  abstract readonly numFeatures: number
  abstract readonly numClasses: number
  protected abstract readonly scorer: Scorer
  protected readonly link: Link = 'softmax'
  /** Of two classes: the second is predicted from this probability, or score, on. */
  protected readonly threshold: number | undefined = undefined

  protected extend(caller: string, input: Plan): Plan {
    const features = inputColumn(caller, input.schema, featuresOf(this.options), 'vectors', isVector)
    checkSize(caller, features, this.numFeatures)
    const { threshold } = this
    return classified(caller, input, features, this.options, {
      classes: this.numClasses,
      scorer: this.scorer,
      link: this.link,
      ...(threshold === undefined ? {} : { threshold }),
    })
  }
}

/** The plan with raw predictions, probabilities and predictions. */
export function classified(
  caller: string,
  input: Plan,
  features: Column,
  options: ClassifierOptions,
  how: { classes: number; scorer: Scorer; link: Link; threshold?: number },
): Plan {
  const { rawPredictionCol = 'rawPrediction', probabilityCol = 'probability', predictionCol = 'prediction' } = options
  const scores: ColumnType = { kind: 'tensor', dtype: 'float64', shape: [how.classes], held: 'inline' }
  const { nullable } = features
  const gives = { type: scores, nullable }
  const raw = withColumns(
    caller,
    input,
    computed(rawPredictionCol, how.scorer.fn, how.scorer.payload, [features.name], gives),
  )
  const likely =
    how.link === 'none'
      ? raw
      : withColumns(caller, raw, computed(probabilityCol, toProbability, links[how.link], [rawPredictionCol], gives))
  const decide = decision(how.threshold)
  const from = how.link === 'none' ? rawPredictionCol : probabilityCol
  const type: ColumnType = { kind: 'number', storage: 'float64' }
  return withColumns(caller, likely, computed(predictionCol, toClass, decide, [from], { type, nullable }))
}

/** Payloads are one object each, so that a function is made once. */
const links = { logistic: { link: 'logistic' }, softmax: { link: 'softmax' }, share: { link: 'share' } } as const
const decisions = new Map<number | undefined, { readonly threshold: number | undefined }>()

function decision(threshold: number | undefined): { readonly threshold: number | undefined } {
  let found = decisions.get(threshold)
  if (found === undefined) decisions.set(threshold, (found = { threshold }))
  return found
}

const toProbability = {
  kind: 'toProbability',
  make:
    ({ link }: { link: Exclude<Link, 'none'> }): RowFunction =>
    ([input], rows) => {
      const { values: x, width, valid } = input as TensorRows
      const values = new Float64Array(rows * width)
      for (let row = 0; row < rows; row++) {
        const at = row * width
        let sum = 0
        let most = -Infinity
        for (let k = at; k < at + width; k++) most = Math.max(most, x[k]!)
        for (let k = at; k < at + width; k++) {
          values[k] =
            link === 'logistic' ? 1 / (1 + Math.exp(-x[k]!)) : link === 'softmax' ? Math.exp(x[k]! - most) : x[k]!
          sum += values[k]!
        }
        if (link !== 'logistic' && sum > 0) for (let k = at; k < at + width; k++) values[k]! /= sum
      }
      return { kind: 'tensors', width, values, valid }
    },
}

const toClass = {
  kind: 'toClass',
  make:
    ({ threshold }: { threshold: number | undefined }): RowFunction =>
    ([input], rows) => {
      const { values: x, width, valid } = input as TensorRows
      const values = new Float64Array(rows)
      for (let row = 0; row < rows; row++) {
        if (threshold !== undefined && width === 2) {
          values[row] = x[row * 2 + 1]! > threshold ? 1 : 0
          continue
        }
        let best = 0
        for (let k = 1; k < width; k++) if (x[row * width + k]! > x[row * width + best]!) best = k
        values[row] = best
      }
      return { kind: 'numbers', values, valid }
    },
}

/** A fitted regressor. */
export abstract class RegressorModel<Features extends string, Prediction extends string> extends ColumnStage<
  Col<Features, Vector>,
  Col<Prediction, number>
> {
  abstract override readonly options: PredictorOptions
  abstract readonly numFeatures: number
  protected abstract readonly scorer: Scorer

  protected extend(caller: string, input: Plan): Plan {
    const features = inputColumn(caller, input.schema, featuresOf(this.options), 'vectors', isVector)
    checkSize(caller, features, this.numFeatures)
    return predicted(caller, input, features, this.options, this.scorer)
  }
}

/** The plan with a number that a scorer gives for each row. */
export function predicted(
  caller: string,
  input: Plan,
  features: Column,
  { predictionCol = 'prediction' }: PredictorOptions,
  { fn, payload }: Scorer,
): Plan {
  const type: ColumnType = { kind: 'number', storage: 'float64' }
  const { name, nullable } = features
  return withColumns(caller, input, computed(predictionCol, fn, payload, [name], { type, nullable }))
}

/** @throws ShardbookError `column` when vectors are of another size than was learnt from. */
export function checkSize(caller: string, column: Column, expected: number): void {
  const size = vectorSize(column)
  if (size === expected) return
  throw new ShardbookError(
    'column',
    `${caller}: expected '${column.name}' to hold vectors of ${expected} components, as were learnt from, got ${size}.`,
  )
}

/** A scorer that is never called: for what an estimator will add. */
export const unfitted: Scorer = {
  fn: {
    kind: 'unfitted',
    make: (): RowFunction => () => {
      throw new ShardbookError('internal', 'predict: expected a fitted model, got an estimator.')
    },
  },
  payload: {},
}

/** What a classifier will add, before labels are counted: how many classes there are matters to no check. */
export function unfittedClasses(link: Link): { classes: number; scorer: Scorer; link: Link } {
  return { classes: 2, scorer: unfitted, link }
}
