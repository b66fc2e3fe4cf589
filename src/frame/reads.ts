/** What is known of how a plan is read: what need not be fetched of files on the network, nor computed by a user's function. */
import { hasWindow, type ExprNode } from './expr/node.js'
import type { Plan } from './plan.js'

/** No more than the first rows are read, and none for which a predicate is not true. */
export interface Reads {
  readonly firstRows: number
  readonly predicates: readonly ExprNode[]
}

export const readsAll: Reads = { firstRows: Infinity, predicates: [] }

/** How a node reads its inputs, when it is read so itself. */
export function readsOfInput(plan: Plan, { firstRows, predicates }: Reads): Reads {
  switch (plan.kind) {
    case 'project':
      return plan.columns.some(({ expr }) => hasWindow(expr)) ? readsAll : { firstRows, predicates: [] }
    case 'concat':
      return { firstRows, predicates }
    case 'slice':
      return { firstRows: Math.min(firstRows, plan.length ?? Infinity) + plan.offset, predicates: [] }
    case 'filter':
      return { firstRows: Infinity, predicates: [...predicates, plan.predicate] }
    default:
      return readsAll
  }
}
