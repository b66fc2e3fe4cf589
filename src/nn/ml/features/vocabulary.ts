/** The tokens of a frame, counted by its engine. */
import { ShardbookError } from '../../../core/errors.js'
import { col, Frame } from '../../../frame/index.js'
import type { AnyFrame } from '../../../frame/index.js'
import { aggregate, project } from '../../../frame/build.js'
import { explode } from '../../../frame/build-reshape.js'

/** A token, how often it is there, and in how many rows. */
export interface TermCount {
  readonly term: string
  readonly count: number
  readonly rows: number
}

/** All tokens of a column of lists, and the number of rows. @throws ShardbookError `data` for an empty frame */
export async function countTerms(
  caller: string,
  frame: AnyFrame,
  inputCol: string,
): Promise<{ readonly terms: TermCount[]; readonly rows: number }> {
  const rows = await frame.count()
  if (rows === 0) throw new ShardbookError('data', `${caller}: expected rows to learn from, got an empty frame.`)
  const numbered = project(caller, frame.plan, [
    { name: 'term', expr: col(inputCol).node },
    { name: 'row', expr: col.rowNumber().over({}).node },
  ])
  const tokens = explode(caller, numbered, 'term', false)
  const perRow = aggregate(
    caller,
    tokens,
    [
      { name: 'term', expr: col('term').node },
      { name: 'row', expr: col('row').node },
    ],
    [{ name: 'count', expr: col.count().node }],
  )
  const perTerm = aggregate(
    caller,
    perRow,
    [{ name: 'term', expr: col('term').node }],
    [
      { name: 'count', expr: col('count').sum().node },
      { name: 'rows', expr: col.count().node },
    ],
  )
  const found = (await Frame.fromPlan(perTerm).toRows()) as unknown as readonly TermCount[]
  return { terms: found.filter(({ term }) => term !== null), rows }
}

/** The most frequent terms first; those that are there as often in the order of their characters. */
export function byCount(terms: readonly TermCount[]): TermCount[] {
  return terms.toSorted((a, b) => b.count - a.count || (a.term < b.term ? -1 : a.term > b.term ? 1 : 0))
}
