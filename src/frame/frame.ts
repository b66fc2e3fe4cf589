/**
 * The frame: a typed, lazy, immutable table. Verbs build plan nodes, which are checked at once (`build.ts`); what runs the
 * plan is in `frame-ends.ts`.
 */
import { ShardbookError } from '../core/errors.js'
import * as build from './build.js'
import { concat, join, keysOf, pairsOf, rekeyed, type JoinOn } from './build-join.js'
import { explode, pivot, unpivot } from './build-reshape.js'
import { describeFrame, type Description } from './display.js'
import { nodeOf } from './expr/expr.js'
import type { CheckArg, Flat, Made, ValueOf } from './expr/check-types.js'
import type { Columns, Dynamic, FrameError } from './expr/types.js'
import type { JoinHow, Plan } from './plan.js'
import { findColumn } from './schema.js'
import { RowVerbs } from './row-verbs.js'
import { sqlOfPlan } from './sql.js'
import { registerCheck, type StandardSchema } from './validate.js'
import type {
  AsOfKeys,
  Exploded,
  GroupExpr,
  GroupRecord,
  Joined,
  JoinedAsOf,
  JoinedBy,
  KeyedHow,
  KeyPairs,
  ListName,
  Pivoted,
  Rekeyed,
  RowRecord,
  Strangers,
  Unpivoted,
} from './verb-types.js'

/**
 * A typed, lazy, immutable table.
 *
 * @example
 * ```ts
 * const flowers = frame([{ species: 'setosa', petal: 1.4 }, { species: 'virginica', petal: 6 }])
 * const means = flowers.filter(c => c.petal.gt(1)).groupBy('species').agg(c => ({ petal: c.petal.mean() }))
 * await means.toRows()
 * ```
 */
export class Frame<in out S = Dynamic> extends RowVerbs<S> {
  /** The frame of a plan. */
  static fromPlan<S = Dynamic>(plan: Plan): Frame<S> {
    return new Frame<S>(plan)
  }

  protected derive<T>(plan: Plan): Frame<T> {
    return new Frame<T>(plan)
  }

  /**
   * Groups rows by columns or computed keys; `agg` says what to compute of each group. Groups come sorted by key.
   *
   * @example
   * ```ts
   * df.groupBy('species').agg({ n: col.count(), mean: col('petalLength').mean() })
   * ```
   */
  groupBy<A extends RowRecord | ((columns: Columns<S>) => RowRecord)>(
    keys: A & CheckArg<A, S>,
  ): GroupedFrame<S, Flat<{ [K in keyof Made<A>]: ValueOf<Made<A>[K], S> }>>
  groupBy<const K extends keyof S & string>(...names: readonly K[]): GroupedFrame<S, Pick<S, K>>
  groupBy(...args: readonly unknown[]): unknown {
    const named = typeof args[0] === 'string' || args.length === 0
    const keys = named ? args.map((name) => this.reference('groupBy', name)) : this.record('groupBy', args[0])
    return {
      agg: (aggregates: unknown) => new Frame(build.aggregate('agg', this.plan, keys, this.record('agg', aggregates))),
    }
  }

  /** One row of aggregates over all rows; null (but for counts) where there is no row. */
  agg<A extends GroupRecord | ((columns: Columns<S>) => GroupRecord)>(
    aggregates: A & CheckArg<A, S>,
  ): Frame<Flat<{ [K in keyof Made<A>]: ValueOf<Made<A>[K], S> | null }>> {
    return new Frame(build.aggregate('agg', this.plan, [], this.record('agg', aggregates)))
  }

  /**
   * A row for each value of `index`, a column for each of `values` of the column `on`: the aggregate over the rows that have
   * it, null where there are none. Without `values` they are looked up first.
   *
   * @example
   * ```ts
   * sales.pivot({ index: 'city', on: 'year', values: [2025, 2026], agg: c => c.amount.sum() })
   * ```
   */
  pivot<
    const K extends keyof S & string,
    const C extends keyof S & string,
    const V extends Exclude<S[C], null>,
    A extends GroupExpr | ((columns: Columns<S>) => GroupExpr),
  >(options: {
    readonly index: K | readonly K[]
    readonly on: C
    readonly values: readonly V[]
    readonly agg: A & CheckArg<A, S>
  }): Frame<Pivoted<S, K, V, ValueOf<Made<A>, S>>>
  pivot<const K extends keyof S & string, A extends GroupExpr | ((columns: Columns<S>) => GroupExpr)>(options: {
    readonly index: K | readonly K[]
    readonly on: keyof S & string
    readonly agg: A & CheckArg<A, S>
  }): Promise<Frame<Pick<S, K> & Dynamic>>
  pivot(options: {
    index: string | readonly string[]
    on: string
    values?: readonly unknown[]
    agg: unknown
  }): unknown {
    const { index, on, values, agg } = options
    const wide = (known: readonly unknown[]): Frame<unknown> => {
      const aggregate = nodeOf('pivot', this.made('pivot', agg))
      return new Frame(pivot('pivot', this.plan, { index: [index].flat(), on, values: known, aggregate }))
    }
    if (values !== undefined) return wide(values)
    const name = findColumn('pivot', this.schema, on).name as keyof S & string
    const known = this.select(name).dropNulls().distinct()
    return known.toRows().then((rows) => wide(rows.map((row) => (row as Record<string, unknown>)[on])))
  }

  /**
   * A row for each of the columns `on` of each row: its name in the column `variable`, its value in the column `value`.
   *
   * @example
   * ```ts
   * scores.unpivot({ index: 'name', on: ['maths', 'music'], variable: 'subject', value: 'score' })
   * ```
   */
  unpivot<
    const K extends keyof S & string,
    const I extends keyof S & string = Exclude<keyof S & string, K>,
    const Variable extends string = 'variable',
    const Value extends string = 'value',
  >(options: {
    readonly on: readonly K[]
    /** Columns that stay; default: all others. */
    readonly index?: I | readonly I[]
    readonly variable?: Variable
    readonly value?: Value
  }): Frame<Unpivoted<S, I, K, Variable, Value>> {
    const { on, variable = 'variable', value = 'value' } = options
    const others = this.columns.filter((name) => !(on as readonly string[]).includes(name))
    const index = [options.index ?? others].flat() as readonly string[]
    return new Frame(unpivot('unpivot', this.plan, { index, on, variable, value }))
  }

  /**
   * A row for each element of a list column. A list without elements, or null, gives a row with null, or none with
   * `{ empty: 'drop' }`.
   *
   * @example
   * ```ts
   * texts.withColumns(c => ({ word: c.text.split(' ') })).explode('word')
   * ```
   */
  explode<const K extends ListName<S>, const Empty extends 'null' | 'drop' = 'null'>(
    column: K,
    options: { readonly empty?: Empty } = {},
  ): Frame<Exploded<S, K, Empty>> {
    return new Frame(explode('explode', this.plan, column, options.empty !== 'drop'))
  }

  /**
   * Joins on columns of the same name, or of the names that `on` pairs: this frame's, then the other's; the result has this
   * frame's. Other columns of `other` that clash get a suffix; rows come in this frame's order. A null equals nothing.
   *
   * @example
   * ```ts
   * orders.join(customers, { on: 'customerId', how: 'left' })
   * orders.join(people, { on: { customerId: 'id' } })
   * sizes.join(colours, { how: 'cross' })
   * ```
   */
  join<R, const X extends string = '_right'>(
    other: Frame<R>,
    options: { readonly how: 'cross'; readonly suffix?: X },
  ): Frame<Joined<S, R, never, X>>
  join<
    R,
    const M extends KeyPairs<S, R> & object,
    const H extends KeyedHow = 'inner',
    const X extends string = '_right',
  >(
    other: Frame<R>,
    options: {
      readonly on: M & {
        readonly [P in Exclude<keyof M, keyof S>]: FrameError<`There is no column '${P & string}' in this frame.`>
      }
      readonly how?: H
      readonly suffix?: X
    },
  ): Frame<JoinedBy<S, Rekeyed<R, M, X>, keyof S & keyof Rekeyed<R, M, X> & keyof M, H, X>>
  join<
    R,
    const K extends keyof S & keyof R & string,
    const H extends KeyedHow = 'inner',
    const X extends string = '_right',
  >(
    other: Frame<R>,
    options: { readonly on: K | readonly K[]; readonly how?: H; readonly suffix?: X },
  ): Frame<JoinedBy<S, R, K, H, X>>
  join(other: Frame<unknown>, options: { on?: JoinOn; how?: JoinHow; suffix?: string }): unknown {
    const { on = [], how = 'inner', suffix = '_right' } = options
    const right = rekeyed('join', other.plan, pairsOf(on), suffix)
    return new Frame(join('join', this.plan, right, { on: keysOf(on), how, at: null, suffix }))
  }

  /**
   * For each row the last row of `other` that is not later: whose `at` is the greatest up to the row's own, among those that
   * equal it in the columns `on`. Its columns are null where there is none. `at` and `on` may pair columns of other names, as
   * in `join`; the other's `at` has this frame's name with the suffix.
   *
   * @example
   * ```ts
   * trades.joinAsOf(quotes, { at: 'time', on: 'symbol' })
   * trades.joinAsOf(quotes, { at: { time: 'quoted' }, on: { symbol: 'ticker' } })
   * ```
   */
  joinAsOf<
    R,
    const A extends AsOfKeys<S, R>,
    const K extends AsOfKeys<S, R> | readonly (keyof S & keyof R & string)[] = readonly [],
    const X extends string = '_right',
  >(
    other: Frame<R>,
    options: { readonly at: A & Strangers<A, S>; readonly on?: K & Strangers<K, S>; readonly suffix?: X },
  ): Frame<JoinedAsOf<S, R, A, K, X>>
  joinAsOf(other: Frame<unknown>, options: { at: JoinOn; on?: JoinOn; suffix?: string }): unknown {
    const { at, on = [], suffix = '_right' } = options
    const [time, ...others] = keysOf(at)
    if (time === undefined || others.length > 0) {
      throw new ShardbookError('argument', `joinAsOf: expected one column in at, got ${keysOf(at).length}.`)
    }
    const right = rekeyed('joinAsOf', other.plan, { ...pairsOf(at), ...pairsOf(on) }, suffix)
    return new Frame(join('joinAsOf', this.plan, right, { on: keysOf(on), how: 'asof', at: time, suffix }))
  }

  /** The rows of this frame, then those of the others, which have the same columns. */
  concat<O extends { readonly [K in keyof S]: unknown }>(
    ...others: readonly Frame<O>[]
  ): Frame<Flat<{ [K in keyof S]: S[K] | O[K] }>> {
    return new Frame(concat('concat', [this.plan, ...others.map((other) => other.plan)]))
  }

  /** A frame with a row for each column: type, number of values and nulls, mean, std, min, max. */
  async describe(): Promise<Frame<Description>> {
    return new Frame(await describeFrame(this.plan))
  }

  /** The same rows, computed once, when they are first needed, and kept; in memory, and on disk when there are too many. */
  cache(): Frame<S> {
    return new Frame(build.cache(this.plan))
  }

  /**
   * The same rows, each checked by a schema of any Standard Schema library (zod, valibot, …) when they are first needed. A
   * schema that changes values is refused: what it makes is made by `withColumns`.
   * @throws `data` at the ends, with the row's number, for a row that the schema refuses
   *
   * @example
   * ```ts
   * const people = df.validate(z.object({ name: z.string(), age: z.number().min(0) }))
   * ```
   */
  validate<Output extends object>(schema: StandardSchema<Output>): Frame<Flat<Output>> {
    return new Frame(build.cache(this.plan, registerCheck(schema)))
  }

  /** The query that the plan becomes. */
  async toSql(): Promise<string> {
    return sqlOfPlan(this.plan)
  }
}

/** Rows grouped by keys, waiting for `agg`. */
export interface GroupedFrame<S, Keys> {
  /** A row for each group: its keys and these aggregates. */
  agg<A extends GroupRecord | ((columns: Columns<S>) => GroupRecord)>(
    aggregates: A & CheckArg<A, S>,
  ): Frame<Flat<Keys & { [K in keyof Made<A>]: ValueOf<Made<A>[K], S> }>>
}
