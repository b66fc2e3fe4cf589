/** SQL both ways: queries of the user's over frames, and the query that a plan becomes. */
import { ShardbookError } from '../core/errors.js'
import { freeze } from './build.js'
import { describeQuery, toSql } from './engine/duckdb/index.js'
import { prepare } from './execute.js'
import { literalOf } from './expr/literal.js'
import type { Plan, SqlNode } from './plan.js'
import { checkDistinctNames } from './schema.js'

/** The query that a plan becomes. */
export async function sqlOfPlan(plan: Plan): Promise<string> {
  return toSql(await prepare(plan))
}

/**
 * A plan of a query whose holes are plans or values. Values become literals, never text; a list becomes several.
 * @throws `data` for SQL that DuckDB refuses
 */
export async function planOfSql(
  text: readonly string[],
  holes: readonly unknown[],
  planOf: (hole: unknown) => Plan | undefined,
): Promise<Plan> {
  const inputs: Plan[] = []
  const printed = holes.map((hole) => {
    const plan = planOf(hole)
    if (plan !== undefined) return inputs.push(plan) - 1
    if (Array.isArray(hole) && hole.length === 0) {
      throw new ShardbookError('argument', 'frame.sql: expected a list of at least one value, got an empty one.')
    }
    return [hole].flat().map((value) => literalOf('frame.sql', value))
  })
  const query: Omit<SqlNode, 'schema' | 'wrapped'> = { kind: 'sql', inputs, text: [...text], holes: printed }
  const described = await describeQuery(query)
  checkDistinctNames(
    'frame.sql',
    described.schema.map((column) => column.name),
  )
  return freeze({ ...query, ...described })
}
