/** Anything else that Vega-Lite can draw: the user's own specification, with the theme and the data put in. */
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { Chart, type ChartSource } from './chart.js'
import { type Spec, toJson } from './json.js'
import { type FrameLike, isFrameLike } from './table.js'

/**
 * A chart of a Vega-Lite specification; `table` becomes its data.
 *
 * @param spec without `data` when a table is given
 * @throws `argument` when the specification is no object
 * @example
 * ```ts
 * viz.vegaLite(
 *   { mark: 'bar', encoding: { x: { field: 'a', type: 'nominal' }, y: { field: 'b', type: 'quantitative' } } },
 *   [{ a: 'x', b: 1 }, { a: 'y', b: 2 }],
 * )
 * ```
 */
export function vegaLite(spec: object, table?: readonly object[] | FrameLike<object>): Chart {
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) {
    throw new ShardbookError('argument', `viz.vegaLite: expected a specification, got ${show(spec)}.`)
  }
  const own = toJson(spec) as Spec
  if (isFrameLike(table)) return new Chart(async () => withRows(own, await table.toRows()))
  return new Chart(table === undefined ? { spec: own, text: titleOf(own) } : withRows(own, table))
}

function withRows(spec: Spec, rows: readonly object[]): ChartSource {
  return { spec: { ...spec, data: { values: toJson(rows) } }, text: `${titleOf(spec)} · ${rows.length} rows` }
}

function titleOf({ title, description }: Spec): string {
  const text = typeof title === 'object' && title !== null && 'text' in title ? title['text'] : title
  return String(text ?? description ?? 'Chart')
}
