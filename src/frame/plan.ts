/**
 * The logical plan: frozen plain data. Every node says what rows it gives, none how to compute them.
 *
 * Nodes are built by `build.ts`, which checks them and knows their schema; `rewrite.ts` makes them cheaper; an engine
 * prints and runs them. A plan that is to leave the process is made portable first (`portable.ts`): sources that live in
 * this process's memory become files.
 */
import type { Application } from './apply/apply.js'
import type { FeedFields } from './feed.js'
import type { ExprNode, LiteralValue, SortKey } from './expr/node.js'
import type { Schema } from './schema.js'

/** Where tensor values lie. A reference is a row number into one of these. */
export type TensorStore =
  /** An IDX file, possibly gzipped: row `r` is item `r`. */
  | { readonly kind: 'idx'; readonly path: string }
  /** Pictures: row `r` is file `r`, decoded when it is read, in the shape [height, width, channels]. */
  | { readonly kind: 'images'; readonly files: readonly string[]; readonly shape: readonly [number, number, number] }
  /** A file of rows, row-major, little-endian, without any header. */
  | { readonly kind: 'raw'; readonly path: string }
  /** A buffer of this process, by its id in `tensor/store.ts`. */
  | { readonly kind: 'memory'; readonly id: string }

/** Positions `[from, to)` of rows. */
export interface RowRange {
  readonly from: number
  readonly to: number
}

/** What the user named, and the files (paths or URLs) that it stands for, in the order of their rows. */
export interface FileSource {
  readonly path: string
  /** Absent: `path` is the file. */
  readonly files?: readonly string[]
  /** Columns that the files' folders hold (`year=2024`), with the engine's type. */
  readonly partitions?: readonly { readonly name: string; readonly sql: string }[]
}

/** Where rows come from. `stores` are what the references of the tensor columns point into. */
export type Source =
  | (FileSource & { readonly kind: 'csv'; readonly options: CsvOptions })
  | (FileSource & { readonly kind: 'ndjson'; readonly columns: readonly FileColumn[]; readonly encoding?: string })
  /** `columns`: the file's names of the schema's columns. */
  | (FileSource & {
      readonly kind: 'parquet'
      readonly columns: readonly string[]
      readonly stores: readonly TensorStore[]
      /** Only the rows `[from, to)` of the one file. */
      readonly rows?: RowRange
    })
  /** Files of equal length, a column each; files of more than one axis are tensor columns. */
  | { readonly kind: 'idx'; readonly rows: number; readonly paths: Readonly<Record<string, string>> }
  /** Pictures in folders named for their class: the columns `image` and `label`. */
  | {
      readonly kind: 'images'
      readonly path: string
      readonly files: readonly string[]
      readonly shape: readonly [height: number, width: number, channels: number]
    }
  /** What a user's function makes of the rows of a plan. */
  | ({ readonly kind: 'function'; readonly input: Plan } & Application)
  /** Values of this process, by their id in `memory.ts`. */
  | { readonly kind: 'memory'; readonly id: string; readonly stores: readonly TensorStore[] }
  /** A table of this process's engine. */
  | { readonly kind: 'table'; readonly table: string; readonly stores: readonly TensorStore[] }

/** Sources that an engine reads rows from by itself. */
export type RowFiles = Extract<Source, { kind: 'csv' | 'ndjson' | 'parquet' }>

/** Everything that was sniffed or given, so that every reading of the file gives the same rows. */
export interface CsvOptions {
  readonly separator: string
  readonly quote: string
  readonly escape: string
  readonly header: boolean
  /** Rows before the header or the data. */
  readonly skip: number
  readonly nulls: readonly string[]
  readonly dateFormat?: string
  readonly timestampFormat?: string
  /** Absent: UTF-8. */
  readonly encoding?: string
  /** Lines that cannot be read are left out. */
  readonly skipBad?: boolean
  /** The file's own columns in order. */
  readonly columns: readonly FileColumn[]
}

/** A column of a text file: its name there and the engine's type. */
export interface FileColumn {
  readonly name: string
  readonly sql: string
  /** The schema's column that it becomes; `null`: it is not read. */
  readonly feeds: string | null
  /** A null is an error: the user's schema says so. */
  readonly required?: boolean
}

export interface NamedExpr {
  readonly name: string
  readonly expr: ExprNode
}

/** `asof`: as `left`, with the last row of the right side that is not later, for each row of the left. */
export type JoinHow = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti' | 'cross' | 'asof'

interface Node {
  /** Columns that the node gives. */
  readonly schema: Schema
}

export interface ScanNode extends Node {
  readonly kind: 'scan'
  readonly source: Source
}
export interface ProjectNode extends Node {
  readonly kind: 'project'
  readonly input: Plan
  readonly columns: readonly NamedExpr[]
}
export interface FilterNode extends Node {
  readonly kind: 'filter'
  readonly input: Plan
  readonly predicate: ExprNode
}
/** Groups come in the order of their keys; without keys there is exactly one row. */
export interface AggregateNode extends Node {
  readonly kind: 'aggregate'
  readonly input: Plan
  readonly keys: readonly NamedExpr[]
  readonly aggregates: readonly NamedExpr[]
}
/** A stable sort; nulls last. */
export interface SortNode extends Node {
  readonly kind: 'sort'
  readonly input: Plan
  readonly by: readonly SortKey[]
}
export interface SliceNode extends Node {
  readonly kind: 'slice'
  readonly input: Plan
  readonly offset: number
  /** `null`: to the end. */
  readonly length: number | null
}
/** The rows at positions `[from, to)` of a seeded random order, as fractions of all rows or as counts; in source order. */
export interface SampleNode extends Node {
  readonly kind: 'sample'
  readonly input: Plan
  readonly seed: number
  readonly unit: 'fraction' | 'rows'
  readonly from: number
  readonly to: number
  /** Columns whose every combination of values is sampled by itself. */
  readonly within: readonly string[]
}
/** The first row of each combination of values in `on`, in source order. */
export interface DistinctNode extends Node {
  readonly kind: 'distinct'
  readonly input: Plan
  readonly on: readonly string[]
}
/** Rows in the order of the left side, then of the right side. Columns of the right that clash get `suffix`. */
export interface JoinNode extends Node {
  readonly kind: 'join'
  readonly left: Plan
  readonly right: Plan
  readonly on: readonly string[]
  readonly how: JoinHow
  /** The column of both sides by which `asof` tells what is later. */
  readonly at: string | null
  readonly suffix: string
}
export interface ConcatNode extends Node {
  readonly kind: 'concat'
  readonly inputs: readonly Plan[]
}
/** A row for each element of a list column. */
export interface ExplodeNode extends Node {
  readonly kind: 'explode'
  readonly input: Plan
  readonly column: string
  /** A row with null for a list that is null or has no elements, instead of none. */
  readonly keepEmpty: boolean
}
/** A query of the user's own: `text[0] hole[0] text[1] …`, a hole being an input's number or values. */
export interface SqlNode extends Node {
  readonly kind: 'sql'
  readonly inputs: readonly Plan[]
  readonly text: readonly string[]
  readonly holes: readonly (number | readonly LiteralValue[])[]
  /** The inputs' columns, by number, that the columns are: of types that SQL does not know. */
  readonly wrapped: readonly (number | null)[]
}
/** Rows that are computed once, when they are first needed, and kept. */
export interface CacheNode extends Node {
  readonly kind: 'cache'
  readonly input: Plan
  /** A check in this process (`validate.ts`) that every row passes. */
  readonly check: string | null
}
/** Columns that a registered mapper (`mapper.ts`) computes from the columns `reads`, in batches of rows. */
export interface MapNode extends Node {
  readonly kind: 'map'
  readonly input: Plan
  readonly reads: readonly string[]
  /** How what is read comes. */
  readonly fields?: FeedFields
  readonly adds: Schema
  readonly mapper: string
  readonly payload: unknown
}

export type Plan =
  | ScanNode
  | ProjectNode
  | FilterNode
  | AggregateNode
  | SortNode
  | SliceNode
  | SampleNode
  | DistinctNode
  | JoinNode
  | ConcatNode
  | ExplodeNode
  | SqlNode
  | CacheNode
  | MapNode

/** The plans that a node reads. */
export function inputsOf(plan: Plan): readonly Plan[] {
  switch (plan.kind) {
    case 'scan':
      return []
    case 'join':
      return [plan.left, plan.right]
    case 'concat':
    case 'sql':
      return plan.inputs
    default:
      return [plan.input]
  }
}

/** The same node over other inputs. */
export function withInputs(plan: Plan, inputs: readonly Plan[]): Plan {
  switch (plan.kind) {
    case 'scan':
      return plan
    case 'join':
      return { ...plan, left: inputs[0]!, right: inputs[1]! }
    case 'concat':
    case 'sql':
      return { ...plan, inputs }
    default:
      return { ...plan, input: inputs[0]! }
  }
}
