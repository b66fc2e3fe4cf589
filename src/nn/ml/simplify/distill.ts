/**
 * `distill`: a simpler model that learns what another one says. The teacher also labels rows that nobody labelled, so the student
 * may learn from far more rows than the teacher had.
 */
import { checkNumber, show } from '../../../core/check.js'
import { displaySymbol } from '../../../core/display.js'
import type { Displayable, MimeBundle } from '../../../core/display.js'
import { ShardbookError } from '../../../core/errors.js'
import { col, findColumn } from '../../../frame/index.js'
import type { AnyFrame, Frame } from '../../../frame/index.js'
import type { Strategy } from '../../strategy.js'
import type { Estimator, Transformer } from '../stage.js'
import type { ModelOf } from '../tuning/tuner.js'
import { metricOf } from '../tuning/scorer.js'
import type { Change, ScoredOn } from './simplified.js'
import { softened, weighing } from './soft-labels.js'

export interface DistillOptions {
  /** More rows for the teacher to label: with the columns that teacher and student read; a label is not needed. */
  readonly unlabelled?: AnyFrame
  /** Rows on which both are compared. Default: the rows to learn from, which flatters the student. */
  readonly on?: ScoredOn
  /** Column of the teacher's predictions. Default: its `outputCol`, or `'prediction'`. */
  readonly predictionCol?: string
  /**
   * Has the student learn the teacher's probabilities, softened by this temperature, instead of its classes: from 1 on, often 2 to
   * 10 (Hinton et al., 2015). A row is learnt once for each class, weighted, so the student must take `weightCol`.
   */
  readonly temperature?: number
  /** Where the student trains. */
  readonly strategy?: Strategy
}

/** A student with how well it follows its teacher. */
export class Distilled<M extends Transformer> implements Displayable {
  readonly model: M
  /** Share of the rows on which student and teacher predict the same. */
  readonly fidelity: number
  readonly metric: string | undefined
  /** Of the teacher, and of the student. */
  readonly score: Change | undefined

  constructor(model: M, fidelity: number, measured?: { metric: string; score: Change }) {
    this.model = model
    this.fidelity = fidelity
    this.metric = measured?.metric
    this.score = measured?.score
  }

  toString(): string {
    const { fidelity, metric, score } = this
    const own = score === undefined ? '' : ` · ${metric} ${score.before.toFixed(4)} to ${score.after.toFixed(4)}`
    return `distilled: fidelity ${fidelity.toFixed(4)}${own}`
  }

  [displaySymbol](): MimeBundle {
    return { 'text/plain': this.toString() }
  }
}

const caller = 'ml.distill'

/**
 * Fits a student on what a teacher predicts: a shallow network or a decision tree that does nearly the same and can be read.
 *
 * @throws ShardbookError `argument` for what is no model or estimator, `column` where a column is missing.
 * @example
 * ```ts
 * const tree = new ml.DecisionTreeClassifier({ featuresCol: 'image', maxDepth: 12 })
 * const distilled = await ml.distill(cnnModel, tree, train, { unlabelled, on: { frame: validation, evaluator } })
 * distilled.fidelity
 * ```
 */
export async function distill<E extends Estimator>(
  teacher: Transformer,
  student: E,
  frame: AnyFrame,
  options: DistillOptions = {},
): Promise<Distilled<ModelOf<E>>> {
  if (typeof teacher?.transform !== 'function') {
    throw new ShardbookError('argument', `${caller}: expected a fitted model to learn from, got ${show(teacher)}.`)
  }
  if (typeof student?.fit !== 'function') {
    throw new ShardbookError('argument', `${caller}: expected an estimator to fit, got ${show(student)}.`)
  }
  const { unlabelled, on, strategy, temperature } = options
  if (temperature !== undefined) checkNumber(caller, 'temperature', temperature, 1, 1000)
  const learner = temperature === undefined ? student : weighing(caller, student)
  const said = options.predictionCol ?? (teacher as { outputCol?: string }).outputCol ?? 'prediction'
  const own = student.options as { labelCol?: string; predictionCol?: string; outputCol?: string }
  const labelCol = own.labelCol ?? 'label'
  const guessed = own.outputCol ?? own.predictionCol ?? 'prediction'
  /** Rows with the teacher's word as the label, and no trace of a label that they had. */
  const taught = (rows: AnyFrame): Frame => {
    const labelled = teacher.transform(rows) as Frame
    findColumn(caller, labelled.schema, said)
    return labelled.select(...inputsOf(rows), said).rename({ [said]: labelCol } as never)
  }
  const inputsOf = (rows: AnyFrame): string[] => (rows as Frame).columns.filter((name) => name !== labelCol)
  const teach = (rows: AnyFrame): Frame =>
    temperature === undefined
      ? taught(rows)
      : softened(caller, teacher.transform(rows), { temperature, labelCol, inputs: inputsOf(rows) })
  const lesson = unlabelled === undefined ? teach(frame) : concat(teach(frame), teach(unlabelled))
  const model = (await learner.fit(lesson.cache(), strategy === undefined ? {} : { on: strategy })) as ModelOf<E>
  const rows = taught(on?.frame ?? frame)
  const pairs = (model.transform(rows) as Frame).select((c) => ({ same: c[labelCol]!.eq(col(guessed)).cast('number') }))
  const [agreed] = (await pairs.agg({ share: col('same').mean() }).toRows()) as { share: number | null }[]
  if (agreed?.share == null) throw new ShardbookError('data', `${caller}: expected rows to compare on, got none.`)
  if (on === undefined) return new Distilled(model, agreed.share)
  const before = await on.evaluator.evaluate(teacher.transform(on.frame))
  const after = await on.evaluator.evaluate(model.transform(on.frame))
  return new Distilled(model, agreed.share, { metric: metricOf(on.evaluator), score: { before, after } })
}

/** Rows of both, with the columns that both have. */
function concat(first: Frame, second: Frame): Frame {
  const shared = first.columns.filter((name) => second.columns.includes(name))
  return first.select(...shared).concat(second.select(...shared) as never)
}
