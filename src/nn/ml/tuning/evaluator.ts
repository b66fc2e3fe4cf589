/** What tuners know of evaluators. */
import type { AnyFrame } from '../../../frame/index.js'

export interface Evaluator {
  readonly options: object
  /** A number for a frame with predictions. */
  evaluate(frame: AnyFrame): Promise<number>
  /** Whether a greater number is better; yes unless it says otherwise. */
  readonly isLargerBetter?: boolean | (() => boolean)
}

export function isLargerBetter(evaluator: Evaluator): boolean {
  const { isLargerBetter: larger = true } = evaluator
  return typeof larger === 'function' ? larger.call(evaluator) : larger
}

/** What is measured, as tables and charts name it. */
export function metricOf(evaluator: Evaluator): string {
  const { metricName } = evaluator.options as { metricName?: unknown }
  return typeof metricName === 'string' ? metricName : 'score'
}
