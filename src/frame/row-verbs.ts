/** The verbs that choose rows and make columns of each row; those over many rows or frames are in `frame.ts`. */
import * as build from './build.js'
import { columnsProxy, isExpr, isSortExpr, nodeOf } from './expr/expr.js'
import type { CheckArg, Flat, Made, ValueOf } from './expr/check-types.js'
import type { SortKey } from './expr/node.js'
import type { Columns, FrameError } from './expr/types.js'
import { FrameMaps } from './frame-maps.js'
import type { Frame } from './frame.js'
import type { NamedExpr } from './plan.js'
import { findColumn } from './schema.js'
import type { Added, Filtered, Key, Predicate, Renamed, RowRecord, WithoutNull } from './verb-types.js'

/** Verbs that every frame has. */
export abstract class RowVerbs<S> extends FrameMaps<S> {
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
  select<const K extends keyof S & string>(...names: readonly K[]): Frame<Flat<Pick<S, K>>>
  select(...args: readonly unknown[]): unknown {
    const named = typeof args[0] === 'string' || args.length === 0
    const columns = named ? args.map((name) => this.reference('select', name)) : this.record('select', args[0])
    return this.derive(build.project('select', this.plan, columns))
  }

  /** All columns but these. */
  drop<const K extends keyof S & string>(...names: readonly K[]): Frame<Flat<Omit<S, K>>> {
    for (const name of names) findColumn('drop', this.schema, name)
    const kept = this.columns.filter((name) => !(names as readonly string[]).includes(name))
    const columns = kept.map((name) => this.reference('drop', name))
    return this.derive(build.project('drop', this.plan, columns))
  }

  /** Columns by new names: `{ old: 'new' }`. */
  rename<const R extends { readonly [K in keyof S & string]?: string }>(
    names: R & {
      readonly [K in Exclude<keyof R, keyof S>]: FrameError<`There is no column '${K & string}' in this frame.`>
    },
  ): Frame<Renamed<S, R>> {
    const renamed = names as Readonly<Record<string, string>>
    for (const name of Object.keys(renamed)) findColumn('rename', this.schema, name)
    const columns = this.columns.map((name) => ({ name: renamed[name] ?? name, expr: build.reference(name) }))
    return this.derive(build.project('rename', this.plan, columns))
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
    return this.derive(build.extend('withColumns', this.plan, this.record('withColumns', columns)))
  }

  /**
   * The rows where the predicate is true (not false, not null). A column of which it says that it is not null holds no
   * null any more.
   *
   * @example
   * ```ts
   * df.filter(col('petalLength').gt(1.5))
   * df.filter(c => c.petalLength.gt(1.5).and(c.species.ne('setosa')))
   * ```
   */
  filter<A extends Predicate | ((columns: Columns<S>) => Predicate)>(
    predicate: A & CheckArg<A, S>,
  ): Frame<Filtered<S, A>> {
    return this.derive(build.filter('filter', this.plan, nodeOf('filter', this.made('filter', predicate))))
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
      .flatMap((key) => this.made('sort', key))
      .map((key): SortKey => {
        if (typeof key === 'string') return { expr: this.reference('sort', key).expr, descending: false }
        return isSortExpr(key) ? key.sort : { expr: nodeOf('sort', key), descending: false }
      })
    return this.derive(build.sort('sort', this.plan, keys))
  }

  /** The first `rows` rows. */
  limit(rows: number): Frame<S> {
    return this.derive(build.slice('limit', this.plan, 0, rows))
  }

  /** `rows` rows from position `offset` on (from 0); without `rows` to the end. */
  slice(offset: number, rows?: number): Frame<S> {
    return this.derive(build.slice('slice', this.plan, offset, rows ?? null))
  }

  /**
   * A random part of the rows, in source order, the same for the same seed.
   *
   * @example
   * ```ts
   * df.sample({ fraction: 0.1, seed: 7 })
   * df.sample({ rows: 1000 })
   * ```
   */
  sample(size: { readonly seed?: number } & ({ readonly fraction: number } | { readonly rows: number })): Frame<S> {
    const { seed = 0 } = size
    const range =
      'rows' in size ? { unit: 'rows' as const, to: size.rows } : { unit: 'fraction' as const, to: size.fraction }
    return this.derive(build.sample('sample', this.plan, { seed, from: 0, ...range }))
  }

  /**
   * Splits the rows at random into parts whose sizes are proportional to `weights`. Every row is in exactly one part; the
   * same seed gives the same parts. With `stratify`, each value of these columns is split so by itself.
   *
   * @example
   * ```ts
   * const [train, test] = digits.randomSplit([0.9, 0.1], { seed: 7, stratify: 'label' })
   * ```
   */
  randomSplit<const W extends readonly number[]>(
    weights: W,
    options: { readonly seed?: number; readonly stratify?: (keyof S & string) | readonly (keyof S & string)[] } = {},
  ): { -readonly [I in keyof W]: Frame<S> } {
    const { seed = 0, stratify = [] } = options
    const within = [stratify].flat() as readonly string[]
    const parts = build.splitBounds('randomSplit', weights).map((bounds) => {
      return this.derive<S>(build.sample('randomSplit', this.plan, { seed, unit: 'fraction', within, ...bounds }))
    })
    return parts as { -readonly [I in keyof W]: Frame<S> }
  }

  /** The first row of each combination of values: of these columns, or of all. */
  distinct(...on: readonly (keyof S & string)[]): Frame<S> {
    return this.derive(build.distinct('distinct', this.plan, on))
  }

  /** The rows without null in these columns, or in any. */
  dropNulls<const K extends keyof S & string = keyof S & string>(...names: readonly K[]): Frame<WithoutNull<S, K>> {
    const checked = names.length === 0 ? this.columns : names
    const nullable = checked
      .map((name) => findColumn('dropNulls', this.schema, name))
      .filter((column) => column.nullable)
    return this.derive(
      build.dropNulls(
        'dropNulls',
        this.plan,
        nullable.map(({ name }) => name),
      ),
    )
  }

  /** Values for nulls: `{ column: value }`. */
  fillNull<const V extends { readonly [K in keyof S & string]?: Exclude<S[K], null> }>(
    values: V,
  ): Frame<WithoutNull<S, keyof V & keyof S>> {
    const filled = Object.entries(values).map(([name, value]) => build.fillNull('fillNull', this.schema, name, value))
    return this.derive(build.extend('fillNull', this.plan, filled))
  }

  protected made(caller: string, value: unknown): unknown {
    return typeof value === 'function'
      ? (value as (columns: unknown) => unknown)(columnsProxy(caller, this.schema))
      : value
  }

  protected record(caller: string, value: unknown): NamedExpr[] {
    const made = this.made(caller, value)
    if (isExpr(made) || typeof made !== 'object' || made === null) nodeOf(`${caller} (an object of columns)`, null)
    return Object.entries(made as object).map(([name, expr]) => ({ name, expr: nodeOf(`${caller}: '${name}'`, expr) }))
  }

  protected reference(caller: string, name: unknown): NamedExpr {
    return { name: findColumn(caller, this.schema, String(name)).name, expr: build.reference(String(name)) }
  }
}
