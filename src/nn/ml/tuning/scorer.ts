/** What tuners ask of evaluators. */
import type { AnyFrame } from '../../../frame/index.js'

/** Any evaluator, or anything else that gives a number for a frame with predictions. */
export interface Scorer {
  readonly kind: string
  readonly options: { readonly metricName?: string; readonly labelCol?: string }
  evaluate(frame: AnyFrame): Promise<number>
  readonly isLargerBetter: boolean
}

/** What evaluators measure where they are not told what. */
const defaults: Readonly<Record<string, string>> = {
  BinaryClassificationEvaluator: 'areaUnderROC',
  ClusteringEvaluator: 'silhouette',
  MulticlassClassificationEvaluator: 'f1',
  RankingEvaluator: 'meanAveragePrecision',
  RegressionEvaluator: 'rmse',
}

/** What is measured, as tables and charts name it. */
export function metricOf({ kind, options }: Scorer): string {
  return options.metricName ?? defaults[kind] ?? 'score'
}
