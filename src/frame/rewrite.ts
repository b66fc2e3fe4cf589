/**
 * Named rewrites, each of which gives an equal plan: the same rows in the same order, of the same schema. DuckDB does much of
 * this inside a query; these are for what it cannot see into (`map` nodes, which run models), for engines that do less, and
 * for plans that are easier to read.
 */
import { columnsOf, hasWindow, mapParts, type ExprNode } from './expr/node.js'
import { foldExpr } from './expr/fold.js'
import { inputsOf, withInputs, type CacheNode, type MapNode, type NamedExpr, type Plan } from './plan.js'

/** Tells nodes whose rows are at hand: they stay as they are. */
export type IsComputed = (node: MapNode | CacheNode) => boolean
type Rewrite = (plan: Plan, isComputed: IsComputed) => Plan

export const rewrites = {
  foldConstants: everywhere(foldConstants),
  mergeProjections: everywhere(mergeProjections),
  pushFilters: everywhere(pushFilter),
  pushSlices: everywhere(pushSlice),
  pruneColumns: (plan) => prune(plan, undefined),
} as const satisfies Readonly<Record<string, Rewrite>>

/** Rewrites a plan until nothing changes. */
export function rewrite(plan: Plan, isComputed: IsComputed): Plan {
  let current = plan
  for (;;) {
    const next = Object.values<Rewrite>(rewrites).reduce((each, apply) => apply(each, isComputed), current)
    if (next === current) return current
    current = next
  }
}

/** A rewrite of one node as one of all nodes, inputs first. */
function everywhere(one: Rewrite): Rewrite {
  const all: Rewrite = (plan, isComputed) => {
    if ((plan.kind === 'map' || plan.kind === 'cache') && isComputed(plan)) return plan
    return one(
      overInputs(plan, (input) => all(input, isComputed)),
      isComputed,
    )
  }
  return all
}

/** What is made of literals alone becomes one; a filter that is always true goes. */
function foldConstants(plan: Plan): Plan {
  if (plan.kind === 'filter') {
    const predicate = foldExpr(plan.predicate)
    const always = predicate.kind === 'literal' && predicate.literal.kind === 'boolean' && predicate.literal.value
    if (always) return plan.input
    return predicate === plan.predicate ? plan : { ...plan, predicate }
  }
  if (plan.kind !== 'project') return plan
  const columns = plan.columns.map(({ name, expr }) => ({ name, expr: foldExpr(expr) }))
  return columns.every(({ expr }, i) => expr === plan.columns[i]!.expr) ? plan : { ...plan, columns }
}

/** A projection of a projection is one, where nothing is computed twice by it. */
function mergeProjections(plan: Plan): Plan {
  if (plan.kind !== 'project' || plan.input.kind !== 'project') return plan
  const inner = plan.input
  const uses = new Map<string, number>()
  for (const { expr } of plan.columns) countUses(expr, uses)
  const cheap = inner.columns.every(({ name, expr }) => isPlain(expr) || (uses.get(name) ?? 0) <= 1)
  // A window may not be inside another one.
  const windows = inner.columns.some(({ expr }) => hasWindow(expr)) && plan.columns.some(({ expr }) => hasWindow(expr))
  if (!cheap || windows) return plan
  const columns = plan.columns.map(({ name, expr }) => ({ name, expr: substitute(expr, inner.columns) }))
  return { ...plan, input: inner.input, columns }
}

/** A filter goes below what gives each row by itself: fewer rows are computed, fewer reach a model. */
function pushFilter(plan: Plan, isComputed: IsComputed): Plan {
  if (plan.kind !== 'filter') return plan
  const { input, predicate, schema } = plan
  const reads = columnsOf(predicate)
  const below = (source: Plan, condition = predicate): Plan =>
    pushFilter({ kind: 'filter', input: source, predicate: condition, schema: source.schema }, isComputed)
  switch (input.kind) {
    case 'project':
      if (input.columns.some(({ expr }) => hasWindow(expr))) return plan
      return { ...input, input: below(input.input, substitute(predicate, input.columns)), schema }
    case 'sort':
      return { ...input, input: below(input.input), schema }
    case 'map':
      if (isComputed(input) || input.adds.some(({ name }) => reads.has(name))) return plan
      return { ...input, input: below(input.input), schema }
    case 'join': {
      const ofLeft = input.how === 'inner' || input.how === 'left' || input.how === 'semi' || input.how === 'anti'
      const isLeft = [...reads].every((name) => input.left.schema.some((column) => column.name === name))
      return ofLeft && isLeft ? { ...input, left: below(input.left), schema } : plan
    }
    default:
      return plan
  }
}

/** A slice goes below projections and models: they see fewer rows. */
function pushSlice(plan: Plan, isComputed: IsComputed): Plan {
  if (plan.kind !== 'slice') return plan
  const { input } = plan
  const isRowByRow =
    (input.kind === 'project' && !input.columns.some(({ expr }) => hasWindow(expr))) ||
    (input.kind === 'map' && !isComputed(input))
  if (!isRowByRow) return plan
  return { ...input, input: pushSlice({ ...plan, input: input.input, schema: input.input.schema }, isComputed) }
}

/** Columns that nobody reads are not computed; a model whose columns nobody reads does not run. `wanted` undefined: all. */
function prune(plan: Plan, wanted: ReadonlySet<string> | undefined): Plan {
  switch (plan.kind) {
    case 'project': {
      const columns = kept(plan.columns, wanted)
      return overPruned(plan, readBy(columns), { columns, schema: kept(plan.schema, wanted) }, columns !== plan.columns)
    }
    case 'aggregate': {
      const aggregates = kept(plan.aggregates, wanted)
      const schema = plan.schema.filter(
        ({ name }, i) => i < plan.keys.length || wanted === undefined || wanted.has(name),
      )
      const changed = aggregates.length < plan.aggregates.length && plan.keys.length + aggregates.length > 0
      const read = readBy([...plan.keys, ...(changed ? aggregates : plan.aggregates)])
      return overPruned(plan, read, changed ? { aggregates, schema } : {}, changed)
    }
    case 'filter':
    case 'sort':
    case 'slice': {
      const read = wanted && new Set(wanted)
      if (read !== undefined && plan.kind === 'filter') columnsOf(plan.predicate, read)
      if (read !== undefined && plan.kind === 'sort') for (const { expr } of plan.by) columnsOf(expr, read)
      const input = prune(plan.input, read)
      if (input === plan.input) return plan
      // What the node says of its columns stays, such as that one holds no null.
      const schema = plan.schema.filter(({ name }) => input.schema.some((column) => column.name === name))
      return { ...plan, input, schema }
    }
    case 'map': {
      const isRead = wanted === undefined || plan.adds.some(({ name }) => wanted.has(name))
      const replaces = plan.adds.some(({ name }) => plan.input.schema.some((column) => column.name === name))
      return isRead || replaces ? plan : prune(plan.input, wanted)
    }
    case 'cache':
      // Whoever shares its rows may read the others.
      return plan
    default:
      return overInputs(plan, (input) => prune(input, undefined))
  }
}

function overPruned<P extends Extract<Plan, { input: Plan }>>(
  plan: P,
  read: ReadonlySet<string>,
  change: Partial<P>,
  changed: boolean,
): P {
  const input = prune(plan.input, read)
  return input === plan.input && !changed ? plan : { ...plan, ...change, input }
}

/** Those that are wanted; the very same list when all are, or none: a query needs a column. */
function kept<C extends { readonly name: string }>(
  columns: readonly C[],
  wanted: ReadonlySet<string> | undefined,
): readonly C[] {
  const found = wanted === undefined ? columns : columns.filter(({ name }) => wanted.has(name))
  return found.length === columns.length || found.length === 0 ? columns : found
}

function readBy(columns: readonly NamedExpr[]): Set<string> {
  const read = new Set<string>()
  for (const { expr } of columns) columnsOf(expr, read)
  return read
}

function isPlain({ kind }: ExprNode): boolean {
  return kind === 'column' || kind === 'literal'
}

function countUses(expr: ExprNode, uses: Map<string, number>): void {
  if (expr.kind === 'column') uses.set(expr.name, (uses.get(expr.name) ?? 0) + 1)
  mapParts(expr, (part) => {
    countUses(part, uses)
    return part
  })
}

/** An expression over a projection as one over the projection's input. */
function substitute(expr: ExprNode, columns: readonly NamedExpr[]): ExprNode {
  if (expr.kind === 'column') return columns.find(({ name }) => name === expr.name)?.expr ?? expr
  return mapParts(expr, (part) => substitute(part, columns))
}

/** The node with its inputs rewritten; the very same node when none changed. */
function overInputs(plan: Plan, change: (input: Plan) => Plan): Plan {
  const inputs = inputsOf(plan)
  const changed = inputs.map(change)
  return changed.every((input, i) => input === inputs[i]) ? plan : withInputs(plan, changed)
}
