/**
 * Stages that compute columns from columns: what all of them share. Such a stage says only how it builds plan nodes; the same
 * building checks a schema, without a row being read.
 */
import { displaySymbol, type Displayable, type MimeBundle } from '../../core/display.js'
import { escapeHtml } from '../../core/html.js'
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { findColumn, Frame, provideRowFunction } from '../../frame/index.js'
import type { AnyFrame, Column, Plan, Schema } from '../../frame/index.js'
import { extend, reference, scan } from '../../frame/build.js'
import type { ExprNode } from '../../frame/expr/node.js'
import type { NamedExpr } from '../../frame/plan.js'
import type { MakeRowFunction } from '../../frame/row-function.js'
import type { Typed } from '../../frame/schema.js'
import { describeType } from '../../frame/schema-spec.js'
import { saveStage } from './saved-stage.js'
import type { SavedTensor } from '../safetensors.js'
import type { Estimator, Transformer } from './stage.js'
import type { Gives, StageTypes, stageTypes, Takes } from './stage-types.js'

/** A stage with options, which it is saved and shown by. */
abstract class OptionStage<Needs, Adds> implements StageTypes<Needs, Adds>, Displayable {
  declare readonly [stageTypes]: { readonly needs: Needs; readonly adds: Adds }
  /** The name of its class. */
  abstract readonly kind: string
  abstract readonly options: object

  /** The plan with the columns that come out. @throws `column` when a column is missing or of another type */
  protected abstract extend(caller: string, input: Plan): Plan

  /**
   * The columns after this stage.
   *
   * @throws ShardbookError `column` when a column is missing or of another type.
   */
  transformSchema(schema: Schema): Schema {
    return this.extend(this.kind, withoutRows(schema)).schema
  }

  /** Saves the stage in a folder, whole or not at all; `ml.load` reads it. */
  async save(path: string): Promise<void> {
    await saveStage(path, { kind: this.kind, params: this.params(), tensors: this.learnt() })
  }

  /** What it is made of again: its options, and small numbers that it has learnt. */
  protected params(): Readonly<Record<string, unknown>> {
    return { ...this.options }
  }

  /** Arrays to save beside them. */
  protected learnt(): Readonly<Record<string, SavedTensor>> {
    return {}
  }

  [displaySymbol](): MimeBundle {
    return describeStage(this.kind, this.options)
  }
}

/** A stage that adds columns as it is. */
export abstract class ColumnStage<Needs, Adds> extends OptionStage<Needs, Adds> implements Transformer {
  /**
   * The frame with this stage's columns; lazy, as all verbs.
   *
   * @throws ShardbookError `column` when a column is missing or of another type.
   */
  transform<S>(frame: Takes<S, Needs>): Gives<S, Adds> {
    return Frame.fromPlan(this.extend(`${this.kind}.transform`, frame.plan)) as unknown as Gives<S, Adds>
  }
}

/** A stage that adds columns and has nothing but its options. */
export abstract class FeatureStage<Needs, Adds> extends ColumnStage<Needs, Adds> {
  /** The same stage with some options changed. */
  copy(changes: object): this {
    return remade(this, changes)
  }
}

/** A stage that learns from rows first. */
export abstract class ColumnEstimator<Needs, Adds, M extends Transformer>
  extends OptionStage<Needs, Adds>
  implements Estimator<M>
{
  /**
   * Learns from all rows of a frame.
   *
   * @throws ShardbookError `column` when a column is missing or of another type, `data` for an empty frame.
   */
  async fit<S>(frame: Takes<S, Needs>): Promise<M> {
    this.extend(`${this.kind}.fit`, frame.plan)
    return this.learn(`${this.kind}.fit`, frame)
  }

  protected abstract learn(caller: string, frame: AnyFrame): Promise<M>

  /** The same estimator with some options changed. */
  copy(changes: object): this {
    return remade(this, changes)
  }
}

function remade<T extends { readonly options: object }>(stage: T, changes: object): T {
  const make = stage.constructor as new (options: object) => T
  return new make({ ...stage.options, ...changes })
}

/** A frame of a schema, without rows: what building on it checks is the schema. */
export function withoutRows(schema: Schema): Plan {
  return scan('transformSchema', { kind: 'memory', id: 'without rows', stores: [] }, schema)
}

/** A column computed by a row function over columns. */
export function computed(
  name: string,
  fn: { readonly kind: string; readonly make: MakeRowFunction },
  payload: object,
  args: readonly (string | ExprNode)[],
  gives: Typed,
): NamedExpr {
  provideRowFunction(fn.kind, fn.make)
  const nodes = args.map((arg) => (typeof arg === 'string' ? reference(arg) : arg))
  return { name, expr: { kind: 'apply', fn: fn.kind, payload, args: nodes, gives } }
}

/** The plan with columns added or replaced. */
export function withColumns(caller: string, input: Plan, ...columns: readonly NamedExpr[]): Plan {
  return extend(caller, input, columns)
}

/** The column of that name. @throws `column` unless there is one, of one of these kinds */
export function inputColumn(
  caller: string,
  schema: Schema,
  name: string,
  what: string,
  accepts: (column: Column) => boolean,
): Column {
  const column = findColumn(caller, schema, name)
  if (accepts(column)) return column
  throw new ShardbookError('column', `${caller}: expected '${name}' to hold ${what}, got ${describeType(column)}.`)
}

export const isText = ({ type }: Column): boolean => type.kind === 'string' || type.kind === 'categorical'
export const isNumber = ({ type }: Column): boolean => type.kind === 'number' || type.kind === 'boolean'
export const isVector = ({ type }: Column): boolean => type.kind === 'tensor' || type.kind === 'sparse'
export const isTextList = ({ type }: Column): boolean => type.kind === 'list' && type.element.type.kind === 'string'

/** @throws `argument` unless the options name these columns */
export function checkNames(kind: string, options: object, ...names: readonly string[]): void {
  for (const name of names) {
    const value = (options as Readonly<Record<string, unknown>>)[name]
    if (typeof value === 'string' && value !== '') continue
    throw new ShardbookError('argument', `${kind}: expected ${name} to name a column, got ${show(value)}.`)
  }
}

/** A stage as text, and as a small card. */
export function describeStage(kind: string, options: object): MimeBundle {
  const shown = Object.entries(options).filter(([, value]) => value !== undefined)
  const text = shown.map(([name, value]) => `${name}: ${brief(value)}`)
  const cells = shown.map(
    ([name, value]) => `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(brief(value))}</td></tr>`,
  )
  return {
    'text/plain': `${kind} { ${text.join(', ')} }`,
    'text/html': `<div class="shardbook-stage"><strong>${escapeHtml(kind)}</strong><table><tbody>${cells.join('')}</tbody></table></div>`,
  }
}

function brief(value: unknown): string {
  if (Array.isArray(value) && value.length > 6) return `[${value.slice(0, 5).map(brief).join(', ')}, … ${value.length}]`
  if (Array.isArray(value)) return `[${value.map(brief).join(', ')}]`
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : show(value)
}
