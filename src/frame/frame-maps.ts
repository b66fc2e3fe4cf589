/** The part of a frame that applies functions to rows: a user's own, and registered mappers. */
import { checkInteger, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import * as build from './build.js'
import { keepFunction, type FunctionRef } from './apply/runner.js'
import type { AnyFunction, ApplyMode } from './apply/call.js'
import type { ColumnValues } from './column-values.js'
import type { Flat, SpecValue } from './expr/check-types.js'
import type { FeedFields } from './feed.js'
import type { Frame } from './frame.js'
import { FrameEnds } from './frame-ends.js'
import type { Plan } from './plan.js'
import type { Column, Schema } from './schema.js'
import { parseSchema, type SchemaSpec } from './schema-spec.js'

type FromSpec<Spec extends SchemaSpec> = Flat<{ -readonly [K in keyof Spec]: SpecValue<Spec[K]> }>

export interface MapOptions<Spec extends SchemaSpec> {
  /** The columns that the function gives, with their types. */
  readonly schema: Spec
  /** Calls of an asynchronous function that may wait at the same time. Default 8. */
  readonly concurrency?: number
}

/** An export of a module, which runs in worker threads: `{ module: new URL('./clean.js', import.meta.url).href, export: 'clean' }`. */
export interface ModuleFunction {
  readonly module: string
  readonly export: string
  /** Threads. Default 1. */
  readonly workers?: number
}

/** A batch as functions get it: all values by column, typed arrays for numbers without null. */
export interface Batch<S> {
  readonly rows: number
  readonly columns: { readonly [K in keyof S]: ColumnValues<S[K]> }
}

/** What a function on batches gives: columns of equal length, of any number of rows. */
export type BatchResult<Spec extends SchemaSpec> = {
  readonly [K in keyof Spec]: ArrayLike<SpecValue<Spec[K]>> | ColumnValues<SpecValue<Spec[K]>>
}

export abstract class FrameMaps<S> extends FrameEnds<S> {
  /**
   * Rows that a function of your own makes of each row; it runs once, when an end needs it.
   * @throws `data` at an end, naming the row, when the function throws or gives something else than the schema says
   *
   * @example
   * ```ts
   * const words = df.map(row => ({ words: row.text.split(' ').length }), { schema: { words: 'number' } })
   * ```
   */
  map<const Spec extends SchemaSpec>(
    fn: ((row: Flat<S>, index: number) => FromSpec<Spec> | Promise<FromSpec<Spec>>) | ModuleFunction,
    options: MapOptions<Spec>,
  ): Frame<FromSpec<Spec>> {
    return this.#apply('map', 'rows', fn, options)
  }

  /**
   * As `map`, a batch of up to 2,048 rows at a time: columns in, columns out, of any number of rows.
   * @throws `data` at an end, naming the rows, when the function throws or gives something else than the schema says
   *
   * @example
   * ```ts
   * const roots = df.mapBatches(({ columns }) => ({ root: Float64Array.from(columns.x, Math.sqrt) }), { schema: { root: 'number' } })
   * ```
   */
  mapBatches<const Spec extends SchemaSpec>(
    fn: ((batch: Batch<S>, firstRow: number) => BatchResult<Spec> | Promise<BatchResult<Spec>>) | ModuleFunction,
    options: MapOptions<Spec>,
  ): Frame<FromSpec<Spec>>
  /** Columns that a registered mapper computes in batches (`provideMapper`), once, when an end needs them. */
  mapBatches<A>(options: {
    readonly reads: readonly (keyof S & string)[]
    readonly fields?: FeedFields
    readonly adds: Schema
    readonly kind: string
    readonly payload: unknown
  }): Frame<Flat<Omit<S, keyof A> & A>>
  mapBatches(first: unknown, options?: MapOptions<SchemaSpec>): unknown {
    if (options !== undefined) return this.#apply('mapBatches', 'batches', first, options)
    const { kind: mapper, ...rest } = first as {
      kind: string
      reads: string[]
      fields?: FeedFields
      adds: Schema
      payload: unknown
    }
    return this.derive(build.map('mapBatches', { input: this.plan, mapper, ...rest }))
  }

  /** The frame of another plan. */
  protected abstract derive<T>(plan: Plan): Frame<T>

  #apply<Spec extends SchemaSpec>(
    caller: string,
    mode: ApplyMode,
    fn: unknown,
    options: MapOptions<Spec>,
  ): Frame<FromSpec<Spec>> {
    const { schema: spec, concurrency = 8 } = options
    checkInteger(caller, 'concurrency', concurrency, 1, 1024)
    const schema = parseSchema(caller, spec).map((column): Column => {
      return column.type.kind === 'tensor' ? { ...column, type: { ...column.type, held: 'reference' } } : column
    })
    const application = { fn: functionRef(caller, fn), mode, concurrency, spec }
    return this.derive(build.scan(caller, { kind: 'function', input: this.plan, ...application }, schema))
  }
}

function functionRef(caller: string, fn: unknown): FunctionRef {
  if (typeof fn === 'function') return keepFunction(fn as AnyFunction)
  const { module, export: name, workers = 1 } = (fn ?? {}) as Partial<ModuleFunction>
  if (typeof module !== 'string' || typeof name !== 'string') {
    throw new ShardbookError('argument', `${caller}: expected a function or { module, export }, got ${show(fn)}.`)
  }
  checkInteger(caller, 'workers', workers, 1, 256)
  return { kind: 'module', module, name, workers }
}
