/** Expressions as DuckDB SQL, with the semantics that `expr/functions.ts` states. */
import { ShardbookError } from '../../../core/errors.js'
import { inferExpr, unify } from '../../expr/functions.js'
import type { AggregateOp, ExprNode, LiteralValue, ScalarOp } from '../../expr/node.js'
import { sizeOf, type StoredDType } from '../../../core/dtype.js'
import type { ColumnType, NumberStorage, Schema } from '../../schema.js'
import { quoteString, sqlNames } from './names.js'

/** What an expression is printed over: rows of a query with the alias `t`. */
export interface ExprScope {
  readonly schema: Schema
  /** SQL that orders the rows, for `first` and `last`. */
  readonly rowOrder?: string
}

export function printSqlExpr(node: ExprNode, scope: ExprScope): string {
  switch (node.kind) {
    case 'column':
      return `t.${sqlNames(scope.schema)[scope.schema.findIndex(({ name }) => name === node.name)]}`
    case 'literal':
      return printLiteral(node.literal)
    case 'cast':
      return printCast(printSqlExpr(node.input, scope), inferExpr('cast', node.input, scope.schema).type, node.to)
    case 'aggregate':
      return printAggregate(node.op, node.input, scope)
    case 'call':
      return printCall(node.op, node.args, scope)
    default:
      return node satisfies never
  }
}

function printLiteral(literal: LiteralValue): string {
  switch (literal.kind) {
    case 'null':
      return 'NULL'
    case 'boolean':
      return literal.value ? 'TRUE' : 'FALSE'
    case 'string':
      return quoteString(literal.value)
    case 'number':
      // An integer stays one, so that a comparison with an integer column can be answered from file statistics.
      return /^-?\d{1,9}$/.test(literal.value) ? `(${literal.value})` : `CAST('${literal.value}' AS DOUBLE)`
    case 'bigint':
      return `CAST('${literal.value}' AS BIGINT)`
    case 'timestamp':
      return `CAST('${literal.value.replace('T', ' ').replace('Z', '')}' AS TIMESTAMP)`
    default:
      return literal satisfies never
  }
}

function printCall(op: ScalarOp, args: readonly ExprNode[], scope: ExprScope): string {
  const types = args.map((arg) => inferExpr(op, arg, scope.schema).type)
  const raw = args.map((arg) => printSqlExpr(arg, scope))
  const [a = '', b = '', c = ''] = raw
  // Numbers are computed in float64, as in JavaScript; bigints in 64-bit integers, which raise when they overflow.
  const double = (index: number): string => `CAST(${raw[index]} AS DOUBLE)`
  const arithmetic = (sign: string): string =>
    types.some((type) => type.kind === 'bigint') ? `(${a} ${sign} ${b})` : `(${double(0)} ${sign} ${double(1)})`
  const domain = (condition: string, value: string): string =>
    `(CASE WHEN ${condition} THEN ${value} ELSE CAST('NaN' AS DOUBLE) END)`

  switch (op) {
    case 'add':
      return arithmetic('+')
    case 'sub':
      return arithmetic('-')
    case 'mul':
      return arithmetic('*')
    case 'div':
      return `(${double(0)} / ${double(1)})`
    case 'mod':
      return `(${double(0)} % ${double(1)})`
    case 'pow':
      return `pow(${double(0)}, ${double(1)})`
    case 'neg':
      return types[0]!.kind === 'bigint' ? `(-${a})` : `(-${double(0)})`
    case 'abs':
      return types[0]!.kind === 'bigint' ? `abs(${a})` : `abs(${double(0)})`
    case 'sqrt':
      return `(CASE WHEN ${double(0)} IS NULL THEN NULL ELSE ${domain(`${double(0)} >= 0`, `sqrt(${double(0)})`)} END)`
    case 'log':
      return `(CASE WHEN ${double(0)} = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN ${double(0)} IS NULL THEN NULL ELSE ${domain(`${double(0)} > 0`, `ln(${double(0)})`)} END)`
    case 'exp':
    case 'floor':
    case 'ceil':
      return `${op}(${double(0)})`
    case 'round':
      // Half away from zero, with the given number of digits.
      return `round(${double(0)}, ${b === '' ? '0' : `CAST(${b} AS INTEGER)`})`
    case 'eq':
      return `(${a} = ${b})`
    case 'ne':
      return `(${a} <> ${b})`
    case 'gt':
      return `(${a} > ${b})`
    case 'ge':
      return `(${a} >= ${b})`
    case 'lt':
      return `(${a} < ${b})`
    case 'le':
      return `(${a} <= ${b})`
    case 'isIn':
      return raw.length === 1 ? `(${a} IS NULL AND NULL)` : `(${a} IN (${raw.slice(1).join(', ')}))`
    case 'and':
      return `(${a} AND ${b})`
    case 'or':
      return `(${a} OR ${b})`
    case 'not':
      return `(NOT ${a})`
    case 'isNull':
      return `(${a} IS NULL)`
    case 'isNotNull':
      return `(${a} IS NOT NULL)`
    case 'fillNull':
      return `coalesce(${raw.map((sql, i) => alignTo(sql, types[i]!, unifyAll(types))).join(', ')})`
    case 'when':
      return `(CASE WHEN ${a} THEN ${alignTo(b, types[1]!, unifyAll(types.slice(1)))} ELSE ${alignTo(c, types[2]!, unifyAll(types.slice(1)))} END)`
    case 'lower':
    case 'upper':
    case 'length':
      return `${op}(${a})`
    case 'trim':
      return `regexp_replace(${a}, '^\\s+|\\s+$', '', 'g')`
    case 'contains':
      return `contains(${a}, ${b})`
    case 'startsWith':
      return `starts_with(${a}, ${b})`
    case 'endsWith':
      return `ends_with(${a}, ${b})`
    case 'replace':
      return `replace(${a}, ${b}, ${c})`
    case 'concat':
      return `(${raw.join(' || ')})`
    case 'year':
    case 'month':
    case 'day':
      return `CAST(${op}(${a}) AS BIGINT)`
    case 'vector':
      return `CAST([${raw.map((_, i) => `CAST(coalesce(${raw[i]}, error('vector: a component is null')) AS FLOAT)`).join(', ')}] AS FLOAT[${raw.length}])`
    default:
      return op satisfies never
  }
}

function printAggregate(op: AggregateOp, input: ExprNode | null, scope: ExprScope): string {
  if (input === null) return 'count(*)'
  const sql = printSqlExpr(input, scope)
  const { type } = inferExpr(op, input, scope.schema)
  const double = type.kind === 'boolean' ? `CAST(CAST(${sql} AS TINYINT) AS DOUBLE)` : `CAST(${sql} AS DOUBLE)`
  switch (op) {
    case 'count':
      return `count(${sql})`
    case 'countDistinct':
      return `count(DISTINCT ${sql})`
    case 'sum':
      return type.kind === 'bigint' ? `CAST(sum(${sql}) AS BIGINT)` : `sum(${double})`
    case 'mean':
      return `avg(${double})`
    case 'std':
      return `stddev_samp(${double})`
    case 'median':
      return `median(${double})`
    case 'min':
    case 'max':
      return `${op}(${sql})`
    case 'first':
    case 'last':
      return `${op}(${sql} ORDER BY ${scope.rowOrder ?? '1'})`
    default:
      return op satisfies never
  }
}

function unifyAll(types: readonly ColumnType[]): ColumnType {
  return types.reduce((a, b) => unify(a, b) ?? a)
}

/** Casts when the type of a result differs from its part's. */
export function alignTo(sql: string, from: ColumnType, to: ColumnType): string {
  return sqlType(from) === sqlType(to) ? sql : `CAST(${sql} AS ${sqlType(to)})`
}

function printCast(sql: string, from: ColumnType, to: ColumnType): string {
  if (to.kind === 'boolean' && from.kind === 'number') return `(${sql} <> 0)`
  if (from.kind === 'timestamp' && to.kind === 'number') return `epoch_ms(${sql})::DOUBLE`
  return `CAST(${sql} AS ${sqlType(to)})`
}

const storageTypes: Readonly<Record<NumberStorage, string>> = {
  uint8: 'UTINYINT',
  int8: 'TINYINT',
  uint16: 'USMALLINT',
  int16: 'SMALLINT',
  uint32: 'UINTEGER',
  int32: 'INTEGER',
  int64: 'BIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
}

/** DuckDB's type of a column. */
export function sqlType(type: ColumnType): string {
  switch (type.kind) {
    case 'number':
      return storageTypes[type.storage]
    case 'bigint':
      return 'BIGINT'
    case 'string':
      return 'VARCHAR'
    case 'boolean':
      return 'BOOLEAN'
    case 'date':
      return 'DATE'
    case 'timestamp':
      return 'TIMESTAMP'
    case 'tensor':
      return type.held === 'reference' ? 'BIGINT' : `${elementType(type.dtype)}[${sizeOf(type.shape)}]`
    case 'opaque':
      return type.sql
    default:
      throw new ShardbookError('internal', `sqlType: unknown type ${JSON.stringify(type satisfies never)}.`)
  }
}

function elementType(dtype: StoredDType): string {
  return storageTypes[dtype]
}

/** The column type for a type of DuckDB, and the type to read it as. */
export function typeFromSql(sql: string): { type: ColumnType; read: string } {
  const plain = Object.entries(storageTypes).find(([, name]) => name === sql)
  if (plain !== undefined) return { type: { kind: 'number', storage: plain[0] as NumberStorage }, read: sql }
  if (sql.startsWith('DECIMAL') || sql === 'HUGEINT' || sql === 'UHUGEINT') {
    return { type: { kind: 'number', storage: 'float64' }, read: 'DOUBLE' }
  }
  if (sql === 'UBIGINT') return { type: { kind: 'number', storage: 'int64' }, read: 'BIGINT' }
  if (sql === 'BOOLEAN') return { type: { kind: 'boolean' }, read: sql }
  if (sql === 'DATE') return { type: { kind: 'date' }, read: sql }
  if (sql.startsWith('TIMESTAMP')) return { type: { kind: 'timestamp' }, read: 'TIMESTAMP' }
  if (
    sql === 'VARCHAR' ||
    sql.startsWith('ENUM') ||
    ['UUID', 'TIME', 'INTERVAL', 'BIT', 'JSON', 'TIME WITH TIME ZONE', '"NULL"'].includes(sql)
  ) {
    return { type: { kind: 'string' }, read: 'VARCHAR' }
  }
  return { type: { kind: 'opaque', sql }, read: sql }
}
