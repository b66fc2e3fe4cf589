/**
 * The half of a frame that runs its plan: rows, columns, batches, files, and how it shows itself. The other half, the
 * verbs, is `frame.ts`.
 */
import { cancellable } from '../core/cancel.js'
import { checkInteger } from '../core/check.js'
import { displaySymbol, typeSymbol, type Displayable, type MimeBundle, type SelfTyped } from '../core/display.js'
import type { ArrowTable } from './arrow/to-arrow.js'
import { batchesOf, type BatchOptions } from './batches.js'
import { select } from './build.js'
import { displayFrame, showFrame } from './display.js'
import { columnsOfPlan, rowsOf } from './ends.js'
import { type ColumnValues } from './column-values.js'
import { count } from './execute.js'
import { explain } from './explain.js'
import type { Flat } from './expr/check-types.js'
import type { FeedBatch, FrameSource } from './feed.js'
import type { Plan } from './plan.js'
import { portable } from './portable.js'
import { type Schema } from './schema.js'
import { typeText } from './schema-spec.js'
import { writer, type FrameWriter } from './write.js'

/** Any frame, whatever its columns: what models take. */
export interface AnyFrame {
  readonly plan: Plan
  readonly schema: Schema
  readonly columns: readonly string[]
  count(): Promise<number>
  source(columns: readonly string[]): Promise<FrameSource>
  batches(options: BatchOptions): AsyncIterable<FeedBatch>
}

/** How an end is run. */
export interface EndOptions {
  /** Cancels it; a user's interrupt does so too. */
  readonly signal?: AbortSignal | undefined
}

/** What every frame can do with its rows. */
export abstract class FrameEnds<S> implements AnyFrame, Displayable, SelfTyped {
  readonly plan: Plan

  protected constructor(plan: Plan) {
    this.plan = plan
  }

  /** The columns with their types. */
  get schema(): Schema {
    return this.plan.schema
  }

  /** Names of the columns. */
  get columns(): readonly string[] {
    return this.plan.schema.map(({ name }) => name)
  }

  /** All rows as objects. */
  async toRows({ signal }: EndOptions = {}): Promise<Flat<S>[]> {
    return (await cancellable('toRows', signal, () => rowsOf(this.plan))) as Flat<S>[]
  }

  /** As `toRows`. */
  async collect(options: EndOptions = {}): Promise<Flat<S>[]> {
    return this.toRows(options)
  }

  /** All values by column: typed arrays for numbers without null, arrays else. */
  async toColumns({ signal }: EndOptions = {}): Promise<{ readonly [K in keyof S]: ColumnValues<S[K]> }> {
    return (await cancellable('toColumns', signal, () => columnsOfPlan(this.plan))) as {
      readonly [K in keyof S]: ColumnValues<S[K]>
    }
  }

  /** An Arrow table; tensors as the `arrow.fixed_shape_tensor` extension. */
  async toArrow({ signal }: EndOptions = {}): Promise<ArrowTable> {
    const { toArrow } = await import('./arrow/to-arrow.js')
    return cancellable('toArrow', signal, () => toArrow(this.plan))
  }

  /** The number of rows. */
  async count({ signal }: EndOptions = {}): Promise<number> {
    return cancellable('count', signal, () => count(this.plan))
  }

  /** Prints the first rows. */
  async show(rows = 10, { signal }: EndOptions = {}): Promise<void> {
    checkInteger('show', 'rows', rows, 0)
    await cancellable('show', signal, () => showFrame(this.plan, rows))
  }

  /** The plan as text: as written, as rewritten, and the query that it becomes. */
  async explain(): Promise<string> {
    return explain(this.plan)
  }

  /** Writes files, whole or not at all. */
  get write(): FrameWriter {
    return writer(this.plan)
  }

  /** The frame as data for a training, with the columns that it reads: works in any process of this machine. */
  async source(columns: readonly (keyof S & string)[], { signal }: EndOptions = {}): Promise<FrameSource> {
    const plan = await cancellable('source', signal, () => portable(select('source', this.plan, columns)))
    return { plan, columns: [...columns] }
  }

  /**
   * Batches of rows as typed arrays, ready for tensors; a batch is valid until the next one is asked for.
   * @throws `column` for a column that is neither numeric nor a tensor nor text with `tokens`; `data` for a null
   *
   * @example
   * ```ts
   * for await (const { columns } of digits.batches({ rows: 128, seed: 7 })) console.log(columns.image.shape)
   * ```
   */
  batches(options: BatchOptions): AsyncGenerator<FeedBatch, void, undefined> {
    return batchesOf(this.plan, options)
  }

  [displaySymbol](): Promise<MimeBundle> {
    return displayFrame(this.plan)
  }

  [typeSymbol](): string {
    return typeText(this.schema)
  }
}
