/**
 * Answers to a chart's questions from a frame, by its engine: what comes back is a few rows, however long the frame is.
 *
 * The questions become SQL over the frame's plan. Numbers are compared and added up in float64 and only where they are
 * finite, times are milliseconds since 1970, categories are text: as `query-cells.ts` has it.
 */
import { ShardbookError } from '../core/errors.js'
import { type Column as FrameColumn, frame, type Frame, findColumn } from '../frame/index.js'
import type { Box, Category, Group, Groups, Key, Query, Rows, Value } from './query.js'
import { type Kind, nameOf, numberOf } from './table.js'

type AnyFrame = Frame<never>
type Row = Readonly<Record<string, unknown>>

/** How a column of this type is drawn. */
export function kindOfType(type: FrameColumn['type']): Kind {
  if (type.kind === 'number' || type.kind === 'bigint') return 'quantitative'
  return type.kind === 'date' || type.kind === 'timestamp' ? 'temporal' : 'nominal'
}

/** The answer to a question about a frame. */
export async function answerFrame(
  caller: string,
  table: unknown,
  query: Query,
): Promise<Groups | Rows | readonly Box[]> {
  const source = new Source(caller, table as AnyFrame)
  switch (query.kind) {
    case 'groups':
      return source.groups(query)
    case 'rows':
      return source.rows(query)
    case 'boxes':
      return source.boxes(query)
    default:
      return query satisfies never
  }
}

class Source {
  readonly #caller: string
  readonly #frame: AnyFrame

  constructor(caller: string, table: AnyFrame) {
    this.#caller = caller
    this.#frame = table
  }

  async groups({ by, values, order, limit }: Extract<Query, { kind: 'groups' }>): Promise<Groups> {
    const keys = by.map((key) => this.#key(key))
    const placed = (order === 'found' && by.length > 0) || values.some((value) => value.op === 'place')
    const selected = [
      ...keys.flatMap((sql, i) => [
        `${sql} as k${i}`,
        ...(this.#isText(by[i]!) ? [`any_value(${quote(by[i]!.column)}) as r${i}`] : []),
      ]),
      ...values.map((value, i) => `${this.#value(value)} as v${i}`),
      ...(placed ? ['min(place) as place'] : []),
    ]
    const defined = by.flatMap((key, i) => (key.as === 'category' ? [] : [`k${i} is not null`]))
    const orders = {
      found: by.length > 0 ? ' order by place' : '',
      key: by.length > 0 ? ` order by ${by.map((_, i) => `k${i}`).join(', ')}` : '',
      greatest: ` order by v0 desc nulls last${by.map((_, i) => `, k${i}`).join('')}`,
    }
    const grouped = by.length === 0 ? '' : ` group by ${by.map((_, i) => `k${i}`).join(', ')}`
    const having = defined.length === 0 ? '' : ` having ${defined.join(' and ')}`
    const rows = await this.#ask(
      columnsOf(by, values),
      `select *, count(*) over () as total from (select ${selected.join(', ')} from (select *${placed ? ', row_number() over () as place' : ''} from `,
      `)${grouped}${having})${orders[order]}${limit === undefined ? '' : ` limit ${limit}`}`,
    )
    const groups = rows.map((row): Group => ({
      keys: by.map((key, i) => (this.#isText(key) ? category(row[`k${i}`], row[`r${i}`]) : numberOf(row[`k${i}`]))),
      values: values.map((_, i) => numberOf(row[`v${i}`])),
    }))
    return { groups, total: numberOf(rows[0]?.['total'] ?? 0) }
  }

  async rows({ columns, finite, limit }: Extract<Query, { kind: 'rows' }>): Promise<Rows> {
    const where = finite.length === 0 ? '' : ` where ${finite.map((name) => this.#finite(name)).join(' and ')}`
    const selected = columns.map((name, i) => `${quote(name)} as c${i}`).join(', ')
    const [counted] = await this.#ask([...columns, ...finite], 'select count(*) as total from ', where)
    const total = numberOf(counted!['total'])
    // A reservoir of rows, in their order, by a fixed seed.
    const sampled = total <= limit ? '' : ` using sample reservoir(${limit} rows) repeatable (7)`
    const rows = await this.#ask(
      [...columns, ...finite],
      `select * exclude (place) from (select * from (select ${selected}, row_number() over () as place from `,
      `${where})${sampled}) order by place`,
    )
    return { rows: rows.map((row) => columns.map((_, i) => row[`c${i}`])), total }
  }

  async boxes({ by, column, outliers }: Extract<Query, { kind: 'boxes' }>): Promise<readonly Box[]> {
    const key = by === undefined ? "'all rows'" : this.#key(by)
    const raw = by === undefined ? 'null' : quote(by.column)
    const value = this.#number(column)
    const rows = await this.#ask(
      [column, ...(by === undefined ? [] : [by.column])],
      `with own as (select ${key} as k, ${raw} as r, ${value} as v, row_number() over () as place from `,
      ` where ${this.#finite(column)}),
      parts as (select k, any_value(r) as r, count(*) as n, min(place) as place, quantile_cont(v, [0.25, 0.5, 0.75]) as q from own where k is not null group by k),
      limits as (select *, q[1] - 1.5 * (q[3] - q[1]) as l, q[3] + 1.5 * (q[3] - q[1]) as h from parts)
      select limits.k as k, any_value(limits.r) as r, any_value(n) as n, any_value(q[1]) as q1, any_value(q[2]) as m, any_value(q[3]) as q3,
        min(v) filter (v >= l and v <= h) as low, max(v) filter (v >= l and v <= h) as high,
        count(*) filter (v < l or v > h) as beyond, min(v, ${outliers}) filter (v < l) as below, max(v, ${outliers}) filter (v > h) as above
      from own join limits on own.k = limits.k group by limits.k order by any_value(limits.place)`,
    )
    return rows.map((row): Box => {
      const [q1, median, q3] = [numberOf(row['q1']), numberOf(row['m']), numberOf(row['q3'])]
      const list = (name: string): number[] => ((row[name] ?? []) as unknown[]).map(numberOf).toSorted((a, b) => a - b)
      return {
        key:
          by === undefined
            ? { name: 'all rows', key: '' }
            : by.as === 'category'
              ? category(row['k'], row['r'])
              : numberOf(row['k']),
        rows: numberOf(row['n']),
        q1,
        median,
        q3,
        low: Math.min(q1, numberOf(row['low'] ?? q1)),
        high: Math.max(q3, numberOf(row['high'] ?? q3)),
        beyond: numberOf(row['beyond']),
        outliers: [...list('below'), ...list('above')],
      }
    })
  }

  /** Rows of the query `before FRAME after`, the frame with these columns only. */
  async #ask(columns: readonly string[], before: string, after: string): Promise<readonly Row[]> {
    const names = [...new Set(columns)]
    const input = names.length === 0 ? this.#frame : this.#frame.select(...(names as never[]))
    const text = Object.assign([before, after], { raw: [before, after] })
    return (await frame.sql(text, input)).toRows()
  }

  #key(key: Key): string {
    switch (key.as) {
      case 'category': {
        const text = this.#text(key.column)
        if (key.kept === undefined) return text
        const kept = key.kept.map((own) => literal(own.key)).join(', ')
        return kept === '' ? literal(other) : `case when ${text} in (${kept}) then ${text} else ${literal(other)} end`
      }
      case 'number':
        return `case when ${this.#finite(key.column)} then ${this.#number(key.column)} end`
      case 'bin':
        return `case when ${this.#finite(key.column)} then floor(${this.#number(key.column)} / ${decimal(key.step)}) end`
      case 'time':
        return `epoch_ms(date_trunc('${key.unit}', cast(${quote(key.column)} as timestamp)))`
      default:
        return key satisfies never
    }
  }

  #value(value: Value): string {
    if (value.op === 'rows') return 'count(*)'
    if (value.op === 'place') return 'min(place)'
    const number = this.#number(value.column)
    const where = ` filter (${this.#finite(value.column)})`
    switch (value.op) {
      case 'numbers':
        return `count(*)${where}`
      case 'sum':
        return `sum(${number})${where}`
      case 'size':
        return `sum(abs(${number}))${where}`
      case 'mean':
        return `avg(${number})${where}`
      case 'min':
        return `min(${number})${where}`
      case 'max':
        return `max(${number})${where}`
      case 'median':
        return `quantile_cont(${number}, 0.5)${where}`
      case 'std':
        return `stddev_samp(${number})${where}`
      case 'correlation':
        return `corr(${number}, ${this.#number(value.by)}) filter (${this.#finite(value.column)} and ${this.#finite(value.by)})`
      case 'pairs':
        return `count(*) filter (${this.#finite(value.column)} and ${this.#finite(value.by)})`
      case 'atMin':
      case 'atMax': {
        const name = value.op === 'atMin' ? 'arg_min' : 'arg_max'
        return `${name}(${number}, ${this.#number(value.by)}) filter (${this.#finite(value.by)})`
      }
      default:
        return value satisfies never
    }
  }

  #number(name: string): string {
    const { type } = findColumn(this.#caller, this.#frame.schema, name)
    switch (type.kind) {
      case 'number':
      case 'bigint':
        return `cast(${quote(name)} as double)`
      case 'boolean':
        return `cast(cast(${quote(name)} as integer) as double)`
      case 'date':
      case 'timestamp':
        return `cast(epoch_ms(cast(${quote(name)} as timestamp)) as double)`
      case 'string':
      case 'categorical':
        return `try_cast(cast(${quote(name)} as varchar) as double)`
      default:
        throw new ShardbookError(
          'argument',
          `${this.#caller}: expected column '${name}' to hold numbers, got ${type.kind}.`,
        )
    }
  }

  #finite(name: string): string {
    return `coalesce(isfinite(${this.#number(name)}), false)`
  }

  #text(name: string): string {
    return `coalesce(cast(${quote(name)} as varchar), 'null')`
  }

  #isText(key: Key): boolean {
    return key.as === 'category'
  }
}

/** What is grouped as 'other' has a key of its own, as a category may have that name too. */
const other = '\u0001other'

function category(key: unknown, raw: unknown): Category {
  return key === other ? { name: 'other', key: '' } : { name: nameOf(raw), key: String(key) }
}

function columnsOf(by: readonly Key[], values: readonly Value[]): readonly string[] {
  return [
    ...by.map((key) => key.column),
    ...values.flatMap((value) => [...('column' in value ? [value.column] : []), ...('by' in value ? [value.by] : [])]),
  ]
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A number as SQL reads it back, to the last bit. */
function decimal(value: number): string {
  return `cast('${value}' as double)`
}
