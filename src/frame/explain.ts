/** Plans as text. */
import { prepare, rewritten } from './execute.js'
import { printExpr, printSortKey } from './expr/print.js'
import { inputsOf, type NamedExpr, type Plan, type Source } from './plan.js'
import { toSql } from './engine/duckdb/index.js'

/** The plan as written, as rewritten where that differs, and the query that it becomes. */
export async function explain(plan: Plan): Promise<string> {
  const [written, after] = [printPlanText(plan), printPlanText(rewritten(plan))]
  const sql = hasMap(plan) ? 'models run first; then a query over their results' : toSql(await prepare(plan))
  return [`plan\n${written}`, ...(after === written ? [] : [`rewritten\n${after}`]), `query\n${sql}`].join('\n\n')
}

/** A plan as an indented tree, the last verb first. */
function printPlanText(plan: Plan, depth = 0): string {
  const line = `${'  '.repeat(depth)}${describe(plan)}`
  return [line, ...inputsOf(plan).map((input) => printPlanText(input, depth + 1))].join('\n')
}

function describe(plan: Plan): string {
  switch (plan.kind) {
    case 'scan':
      return `scan ${describeSource(plan.source)} [${plan.schema.map(({ name }) => name).join(', ')}]`
    case 'project':
      return `project ${plan.columns.map(printNamed).join(', ')}`
    case 'filter':
      return `filter ${printExpr(plan.predicate)}`
    case 'aggregate':
      return `aggregate ${plan.aggregates.map(printNamed).join(', ')}${plan.keys.length === 0 ? '' : ` by ${plan.keys.map(printNamed).join(', ')}`}`
    case 'sort':
      return `sort ${plan.by.map(printSortKey).join(', ')}`
    case 'slice':
      return `slice from ${plan.offset}, ${plan.length ?? 'all'} rows`
    case 'sample':
      return `sample [${plan.from}, ${plan.to}) ${plan.unit === 'rows' ? 'rows' : 'of the rows'}, seed ${plan.seed}${plan.within.length === 0 ? '' : `, within ${plan.within.join(', ')}`}`
    case 'distinct':
      return `distinct on ${plan.on.join(', ')}`
    case 'join':
      return `join ${plan.how}${plan.on.length === 0 ? '' : ` on ${plan.on.join(', ')}`}${plan.at === null ? '' : ` at ${plan.at}`}`
    case 'concat':
      return `concat ${plan.inputs.length} frames`
    case 'explode':
      return `explode ${plan.column}${plan.keepEmpty ? '' : ', without empty lists'}`
    case 'sql':
      return `sql ${plan.text.join('?').replaceAll(/\s+/g, ' ').trim()}`
    case 'cache':
      return plan.check === null ? 'cache' : 'validate'
    case 'map':
      return `map ${plan.mapper}: ${plan.reads.join(', ')} -> ${plan.adds.map(({ name }) => name).join(', ')}`
    default:
      return plan satisfies never
  }
}

function printNamed({ name, expr }: NamedExpr): string {
  return expr.kind === 'column' && expr.name === name ? name : `${name} = ${printExpr(expr)}`
}

function describeSource(source: Source): string {
  switch (source.kind) {
    case 'csv':
    case 'images':
    case 'ndjson':
    case 'parquet':
      return `${source.kind} ${source.path}`
    case 'idx':
      return `idx ${Object.values(source.paths).join(', ')}`
    case 'function':
      return `${source.mode === 'rows' ? 'map' : 'mapBatches'} ${source.fn.kind === 'module' ? `${source.fn.module}#${source.fn.name}` : source.fn.id} over ${describe(source.input)}`
    case 'memory':
    case 'table':
      return 'memory'
    default:
      return source satisfies never
  }
}

function hasMap(plan: Plan): boolean {
  return plan.kind === 'map' || inputsOf(plan).some(hasMap)
}
