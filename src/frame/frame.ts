/**
 * The frame: a typed, lazy, immutable table. Verbs build plan nodes, which are checked at once (`build.ts`); what runs the
 * plan is in `frame-ends.ts`.
 */
import * as build from './build.js'
import { describeFrame, type Description } from './display.js'
import { columnsProxy, isExpr, isSortExpr, nodeOf } from './expr/expr.js'
import type { CheckArg, Flat, Made, ValueOf } from './expr/check-types.js'
import type { Columns, Dynamic, FrameError } from './expr/types.js'
import { FrameMaps } from './frame-maps.js'
import type { JoinHow, NamedExpr, Plan, SortKey } from './plan.js'
import { findColumn } from './schema.js'
import type {
  Added,
  GroupRecord,
  Joined,
  Key,
  Name,
  Nullable,
  Predicate,
  Renamed,
  RowRecord,
  WithoutNull,
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
export class Frame<S = Dynamic> extends FrameMaps<S> {
  /** The frame of a plan. */
  static fromPlan<S = Dynamic>(plan: Plan): Frame<S> {
    return new Frame<S>(plan)
  }

  /**
   * These columns only: by name, or computed.
   * @throws `column` on an unknown column
   *
   * @example
   * ```ts
   * df.select('a', 'b')
   * df.select(c => ({ a: c.a, double: c.a.mul(2) }))
   * ```
   */
  select<A extends RowRecord | ((columns: Columns<S>) => RowRecord)>(
    columns: A & CheckArg<A, S>,
  ): Frame<Flat<{ [K in keyof Made<A>]: ValueOf<Made<A>[K], S> }>>
  select<const K extends Name<S>>(...names: readonly K[]): Frame<Flat<Pick<S, K>>>
  select(...args: readonly unknown[]): unknown {
    const named = typeof args[0] === 'string' || args.length === 0
    const columns = named ? args.map((name) => this.#reference('select', name)) : this.#record('select', args[0])
    return new Frame(build.project('select', this.plan, columns))
  }

  /** All columns but these. */
  drop<const K extends Name<S>>(...names: readonly K[]): Frame<Flat<Omit<S, K>>> {
    for (const name of names) findColumn('drop', this.schema, name)
    const kept = this.columns.filter((name) => !(names as readonly string[]).includes(name))
    const columns = kept.map((name) => this.#reference('drop', name))
    return new Frame(build.project('drop', this.plan, columns))
  }

  /** Columns by new names: `{ old: 'new' }`. */
  rename<const R extends { readonly [K in Name<S>]?: string }>(
    names: R & {
      readonly [K in Exclude<keyof R, keyof S>]: FrameError<`There is no column '${K & string}' in this frame.`>
    },
  ): Frame<Renamed<S, R>> {
    const renamed = names as Readonly<Record<string, string>>
    for (const name of Object.keys(renamed)) findColumn('rename', this.schema, name)
    const columns = this.columns.map((name) => ({ name: renamed[name] ?? name, expr: build.reference(name) }))
    return new Frame(build.project('rename', this.plan, columns))
  }

  /**
   * Adds columns, or replaces those of the same name.
   *
   * @example
   * ```ts
   * df.withColumns({ ratio: col('length').div(col('width')) })
   * df.withColumns(c => ({ ratio: c.length.div(c.width) }))
   * ```
   */
  withColumns<A extends RowRecord | ((columns: Columns<S>) => RowRecord)>(
    columns: A & CheckArg<A, S>,
  ): Frame<Added<S, A>> {
    return new Frame(build.extend('withColumns', this.plan, this.#record('withColumns', columns)))
  }

  /**
   * The rows where the predicate is true (not false, not null).
   *
   * @example
   * ```ts
   * df.filter(col('petalLength').gt(1.5))
   * df.filter(c => c.petalLength.gt(1.5).and(c.species.ne('setosa')))
   * ```
   */
  filter<A extends Predicate | ((columns: Columns<S>) => Predicate)>(predicate: A & CheckArg<A, S>): Frame<S> {
    return new Frame(build.filter('filter', this.plan, nodeOf('filter', this.#made('filter', predicate))))
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
  groupBy<const K extends Name<S>>(...names: readonly K[]): GroupedFrame<S, Pick<S, K>>
  groupBy(...args: readonly unknown[]): unknown {
    const named = typeof args[0] === 'string' || args.length === 0
    const keys = named ? args.map((name) => this.#reference('groupBy', name)) : this.#record('groupBy', args[0])
    return {
      agg: (aggregates: unknown) => new Frame(build.aggregate('agg', this.plan, keys, this.#record('agg', aggregates))),
    }
  }

  /** One row of aggregates over all rows; null (but for counts) where there is no row. */
  agg<A extends GroupRecord | ((columns: Columns<S>) => GroupRecord)>(
    aggregates: A & CheckArg<A, S>,
  ): Frame<Flat<{ [K in keyof Made<A>]: ValueOf<Made<A>[K], S> | null }>> {
    return new Frame(build.aggregate('agg', this.plan, [], this.#record('agg', aggregates)))
  }

  /**
   * Sorts, stably, nulls last.
   *
   * @example
   * ```ts
   * df.sort('species', col('petalLength').desc())
   * df.sort(c => c.petalLength.desc())
   * ```
   */
  sort<const A extends readonly (Key<S> | ((columns: Columns<S>) => Key<S> | readonly Key<S>[]))[]>(
    ...by: A & { readonly [I in keyof A]: A[I] extends string ? unknown : CheckArg<A[I], S> }
  ): Frame<S> {
    const keys = (by as readonly unknown[])
      .flatMap((key) => this.#made('sort', key))
      .map((key): SortKey => {
        if (typeof key === 'string') return { expr: this.#reference('sort', key).expr, descending: false }
        return isSortExpr(key) ? key.sort : { expr: nodeOf('sort', key), descending: false }
      })
    return new Frame(build.sort('sort', this.plan, keys))
  }

  /** The first `rows` rows. */
  limit(rows: number): Frame<S> {
    return new Frame(build.slice('limit', this.plan, 0, rows))
  }

  /** `rows` rows from position `offset` on (from 0); without `rows` to the end. */
  slice(offset: number, rows?: number): Frame<S> {
    return new Frame(build.slice('slice', this.plan, offset, rows ?? null))
  }

  /** A random part of the rows, in source order: a fraction in [0, 1], or `{ rows }`. The same for the same seed. */
  sample(size: number | { readonly rows: number }, { seed = 0 }: { seed?: number } = {}): Frame<S> {
    const range =
      typeof size === 'number' ? { unit: 'fraction' as const, to: size } : { unit: 'rows' as const, to: size.rows }
    return new Frame(build.sample('sample', this.plan, { seed, from: 0, ...range }))
  }

  /**
   * Splits the rows at random into parts whose sizes are proportional to `weights`. Every row is in exactly one part; the
   * same seed gives the same parts.
   *
   * @example
   * ```ts
   * const [train, test] = digits.randomSplit([0.9, 0.1], { seed: 7 })
   * ```
   */
  randomSplit<const W extends readonly number[]>(
    weights: W,
    { seed = 0 }: { seed?: number } = {},
  ): { -readonly [I in keyof W]: Frame<S> } {
    const parts = build
      .splitBounds('randomSplit', weights)
      .map((bounds) => new Frame<S>(build.sample('randomSplit', this.plan, { seed, unit: 'fraction', ...bounds })))
    return parts as { -readonly [I in keyof W]: Frame<S> }
  }

  /** The first row of each combination of values: of these columns, or of all. */
  distinct(...on: readonly Name<S>[]): Frame<S> {
    return new Frame(build.distinct('distinct', this.plan, on))
  }

  /** The rows without null in these columns, or in any. */
  dropNulls<const K extends Name<S> = Name<S>>(...names: readonly K[]): Frame<WithoutNull<S, K>> {
    const checked = names.length === 0 ? this.columns : names
    const nullable = checked
      .map((name) => findColumn('dropNulls', this.schema, name))
      .filter((column) => column.nullable)
    return new Frame(
      build.dropNulls(
        'dropNulls',
        this.plan,
        nullable.map(({ name }) => name),
      ),
    )
  }

  /** Values for nulls: `{ column: value }`. */
  fillNull<const V extends { readonly [K in Name<S>]?: Exclude<S[K], null> }>(
    values: V,
  ): Frame<WithoutNull<S, keyof V & keyof S>> {
    const filled = Object.entries(values).map(([name, value]) => build.fillNull('fillNull', this.schema, name, value))
    return new Frame(build.extend('fillNull', this.plan, filled))
  }

  /**
   * Joins on columns of the same name. Columns of `other` that clash get a suffix; rows come in this frame's order.
   *
   * @example
   * ```ts
   * orders.join(customers, { on: 'customerId', how: 'left' })
   * ```
   */
  join<R, const K extends Name<S> & Name<R>, const H extends JoinHow = 'inner', const X extends string = '_right'>(
    other: Frame<R>,
    options: { readonly on: K | readonly K[]; readonly how?: H; readonly suffix?: X },
  ): Frame<
    H extends 'semi' | 'anti'
      ? S
      : H extends 'left'
        ? Joined<S, Nullable<R>, K, X>
        : H extends 'outer'
          ? Joined<Nullable<Omit<S, K>> & { [P in K]: S[P] | R[P] }, Nullable<R>, K, X>
          : Joined<S, R, K, X>
  > {
    const on = typeof options.on === 'string' ? [options.on] : (options.on as readonly string[])
    return new Frame(
      build.join('join', this.plan, other.plan, {
        on,
        how: options.how ?? 'inner',
        suffix: options.suffix ?? '_right',
      }),
    )
  }

  /** The rows of this frame, then those of the others, which have the same columns. */
  concat<O extends { readonly [K in keyof S]: unknown }>(
    ...others: readonly Frame<O>[]
  ): Frame<Flat<{ [K in keyof S]: S[K] | O[K] }>> {
    return new Frame(build.concat('concat', [this.plan, ...others.map((other) => other.plan)]))
  }

  /** A frame with a row for each column: type, number of values and nulls, mean, std, min, max. */
  async describe(): Promise<Frame<Description>> {
    return new Frame(await describeFrame(this.plan))
  }

  protected override made(plan: Plan): never {
    return new Frame(plan) as never
  }

  #made(caller: string, value: unknown): unknown {
    return typeof value === 'function'
      ? (value as (columns: unknown) => unknown)(columnsProxy(caller, this.schema))
      : value
  }

  #record(caller: string, value: unknown): NamedExpr[] {
    const made = this.#made(caller, value)
    if (isExpr(made) || typeof made !== 'object' || made === null) nodeOf(`${caller} (an object of columns)`, null)
    return Object.entries(made as object).map(([name, expr]) => ({ name, expr: nodeOf(`${caller}: '${name}'`, expr) }))
  }

  #reference(caller: string, name: unknown): NamedExpr {
    return { name: findColumn(caller, this.schema, String(name)).name, expr: build.reference(String(name)) }
  }
}

/** Rows grouped by keys, waiting for `agg`. */
export interface GroupedFrame<S, Keys> {
  /** A row for each group: its keys and these aggregates. */
  agg<A extends GroupRecord | ((columns: Columns<S>) => GroupRecord)>(
    aggregates: A & CheckArg<A, S>,
  ): Frame<Flat<Keys & { [K in keyof Made<A>]: ValueOf<Made<A>[K], S> }>>
}
