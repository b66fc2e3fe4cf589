/**
 * Named rewrites, each of which gives an equal plan. DuckDB prunes columns and pushes filters inside a query; these are for
 * what it cannot see into: `map` nodes, which run models.
 */
import { columnsOf } from './expr/node.js'
import { inputsOf, withInputs, type MapNode, type Plan } from './plan.js'

/** Rewrites a plan until nothing changes; `isComputed` tells maps whose result is at hand, which stay as they are. */
export function rewrite(plan: Plan, isComputed: (node: MapNode) => boolean): Plan {
  let current = plan
  for (;;) {
    const next = limitBelowMap(filterBelowMap(current, isComputed), isComputed)
    const pruned = dropUnreadMaps(next, undefined)
    if (pruned === current) return current
    current = pruned
  }
}

/** A filter that reads none of a map's added columns goes below it: the model then sees fewer rows. */
function filterBelowMap(plan: Plan, isComputed: (node: MapNode) => boolean): Plan {
  const node = overInputs(plan, (input) => filterBelowMap(input, isComputed))
  if (node.kind !== 'filter' || node.input.kind !== 'map' || isComputed(node.input)) return node
  const map = node.input
  if (map.adds.some(({ name }) => columnsOf(node.predicate).has(name))) return node
  return { ...map, input: { ...node, input: map.input, schema: map.input.schema } }
}

/** A slice of a map is a map of a slice. */
function limitBelowMap(plan: Plan, isComputed: (node: MapNode) => boolean): Plan {
  const node = overInputs(plan, (input) => limitBelowMap(input, isComputed))
  if (node.kind !== 'slice') return node
  if (node.input.kind === 'project') {
    const { input } = node.input
    if (!reachesMap(input, isComputed)) return node
    return limitBelowMap({ ...node.input, input: { ...node, input, schema: input.schema } }, isComputed)
  }
  if (node.input.kind !== 'map' || isComputed(node.input)) return node
  const map = node.input
  return { ...map, input: { ...node, input: map.input, schema: map.input.schema } }
}

function reachesMap(plan: Plan, isComputed: (node: MapNode) => boolean): boolean {
  if (plan.kind === 'map') return !isComputed(plan)
  return plan.kind === 'project' && reachesMap(plan.input, isComputed)
}

/** A map whose added columns nobody reads is left out. `wanted` undefined: all columns are. */
function dropUnreadMaps(plan: Plan, wanted: ReadonlySet<string> | undefined): Plan {
  switch (plan.kind) {
    case 'project': {
      const read = new Set<string>()
      for (const { name, expr } of plan.columns) if (wanted === undefined || wanted.has(name)) columnsOf(expr, read)
      const columns = wanted === undefined ? plan.columns : plan.columns.filter(({ name }) => wanted.has(name))
      const input = dropUnreadMaps(plan.input, read)
      if (input === plan.input) return plan
      // Nobody reads a column, only the number of rows.
      if (columns.length === 0) return input
      return {
        ...plan,
        columns,
        schema: plan.schema.filter(({ name }) => wanted === undefined || wanted.has(name)),
        input,
      }
    }
    case 'aggregate': {
      const read = new Set<string>()
      for (const { expr } of [...plan.keys, ...plan.aggregates]) columnsOf(expr, read)
      const input = dropUnreadMaps(plan.input, read)
      return input === plan.input ? plan : { ...plan, input }
    }
    case 'filter':
    case 'sort':
    case 'slice':
    case 'sample': {
      const read = wanted === undefined ? undefined : new Set(wanted)
      if (read !== undefined && plan.kind === 'filter') columnsOf(plan.predicate, read)
      if (read !== undefined && plan.kind === 'sort') for (const { expr } of plan.by) columnsOf(expr, read)
      const input = dropUnreadMaps(plan.input, read)
      return input === plan.input ? plan : { ...plan, input, schema: input.schema }
    }
    case 'map': {
      if (
        wanted !== undefined &&
        !plan.adds.some(({ name }) => wanted.has(name)) &&
        plan.adds.every(({ name }) => !plan.input.schema.some((column) => column.name === name))
      ) {
        return dropUnreadMaps(plan.input, wanted)
      }
      return plan
    }
    default:
      return overInputs(plan, (input) => dropUnreadMaps(input, undefined))
  }
}

/** The node with its inputs rewritten; the very same node when none changed. */
function overInputs(plan: Plan, change: (input: Plan) => Plan): Plan {
  const inputs = inputsOf(plan)
  const changed = inputs.map(change)
  return changed.every((input, i) => input === inputs[i]) ? plan : withInputs(plan, changed)
}
