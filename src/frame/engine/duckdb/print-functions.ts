/** Scalar functions as DuckDB SQL, with the semantics that `expr/functions.ts` states. */
import { unitMillis, type TimeUnit } from '../../expr/time-unit.js'
import { unify } from '../../expr/unify.js'
import type { ExprNode, ScalarOp } from '../../expr/node.js'
import type { ColumnType } from '../../schema.js'
import { quoteName, quoteString } from './names.js'
import { alignTo, sqlType } from './sql-type.js'

/** A call whose arguments are printed. */
export interface PrintedCall {
  readonly sql: readonly string[]
  readonly types: readonly ColumnType[]
  readonly args: readonly ExprNode[]
}
type Print = (call: PrintedCall) => string

export const printFunction: Readonly<Record<ScalarOp, Print>> = {
  add: arithmetic('+'),
  sub: arithmetic('-'),
  mul: arithmetic('*'),
  div: (call) => `(${double(call, 0)} / ${double(call, 1)})`,
  mod: (call) => `(${double(call, 0)} % ${double(call, 1)})`,
  pow: (call) => `pow(${double(call, 0)}, ${double(call, 1)})`,
  neg: (call) => `(-${number(call, 0)})`,
  abs: (call) => `abs(${number(call, 0)})`,
  sign: (call) =>
    `(CASE WHEN isnan(${double(call, 0)}) THEN ${double(call, 0)} ELSE CAST(sign(${double(call, 0)}) AS DOUBLE) END)`,
  sqrt: (call) => within(call, '>= 0', 'sqrt'),
  exp: doubles('exp'),
  log: (call) => logarithm(call, 'ln'),
  log2: (call) => logarithm(call, 'log2'),
  log10: (call) => logarithm(call, 'log10'),
  sin: (call) => finite(call, 'sin'),
  cos: (call) => finite(call, 'cos'),
  tan: (call) => finite(call, 'tan'),
  tanh: doubles('tanh'),
  floor: doubles('floor'),
  ceil: doubles('ceil'),
  // Half away from zero, with the given number of digits.
  round: (call) => `round(${double(call, 0)}, ${call.sql[1] === undefined ? '0' : `CAST(${call.sql[1]} AS INTEGER)`})`,
  clip: (call) => {
    const [x, low, high] = [0, 1, 2].map((i) => double(call, i))
    return `(CASE WHEN ${x} < ${low} THEN ${low} WHEN ${x} > ${high} AND NOT isnan(${x}) THEN ${high} ELSE ${x} END)`
  },
  isNaN: doubles('isnan'),
  isFinite: doubles('isfinite'),

  eq: comparison('='),
  ne: comparison('<>'),
  gt: comparison('>'),
  ge: comparison('>='),
  lt: comparison('<'),
  le: comparison('<='),
  isIn: (call) => {
    const [value, ...values] = aligned(call)
    return values.length === 0 ? `(${value} IS NULL AND NULL)` : `(${value} IN (${values.join(', ')}))`
  },
  and: ({ sql }) => `(${sql.join(' AND ')})`,
  or: ({ sql }) => `(${sql.join(' OR ')})`,
  not: ({ sql }) => `(NOT ${sql[0]})`,
  isNull: ({ sql }) => `(${sql[0]} IS NULL)`,
  isNotNull: ({ sql }) => `(${sql[0]} IS NOT NULL)`,
  fillNull: (call) => `coalesce(${numbers(call.args, aligned(call)).join(', ')})`,
  when: ({ sql, types, args }) => {
    const last = sql.length - 1
    const isValue = (i: number): boolean => i % 2 === 1 || i === last
    const keep = <T>(list: readonly T[]): T[] => list.filter((_, i) => isValue(i))
    const values = numbers(keep(args), aligned({ sql: keep(sql), types: keep(types), args: keep(args) }))
    const branches = values.slice(0, -1).map((value, i) => `WHEN ${sql[i * 2]} THEN ${value}`)
    return `(CASE ${branches.join(' ')} ELSE ${values.at(-1)} END)`
  },

  lower: plain('lower'),
  upper: plain('upper'),
  trim: ({ sql }) => `regexp_replace(${sql[0]}, '^\\s+|\\s+$', '', 'g')`,
  trimStart: ({ sql }) => `regexp_replace(${sql[0]}, '^\\s+', '')`,
  trimEnd: ({ sql }) => `regexp_replace(${sql[0]}, '\\s+$', '')`,
  length: plain('length'),
  contains: plain('contains'),
  startsWith: plain('starts_with'),
  endsWith: plain('ends_with'),
  indexOf: ({ sql }) => `(CAST(strpos(${sql.join(', ')}) AS BIGINT) - 1)`,
  replace: plain('replace'),
  concat: ({ sql }) => `(${sql.join(' || ')})`,
  substring: ({ sql }) => {
    const [from, to] = bounds(`length(${sql[0]})`, sql)
    return `substring(${sql[0]}, ${from} + 1, greatest(${to} - ${from}, 0))`
  },
  padStart: ({ sql }) => padded('lpad', sql),
  padEnd: ({ sql }) => padded('rpad', sql),
  repeat: ({ sql }) => `repeat(${sql[0]}, CAST(${sql[1]} AS BIGINT))`,
  reverse: plain('reverse'),
  split: plain('string_split'),
  matches: plain('regexp_matches'),
  extract: ({ sql: [text, pattern, group = '0'] }) =>
    `(CASE WHEN regexp_matches(${text}, ${pattern}) THEN regexp_extract(${text}, ${pattern}, CAST(${group} AS INTEGER)) END)`,
  replaceMatches: ({ sql }) => `regexp_replace(${sql.join(', ')}, 'g')`,
  toTimestamp: ({ sql }) => `CAST(strptime(${sql.join(', ')}) AS TIMESTAMP)`,

  year: datePart('year'),
  quarter: datePart('quarter'),
  month: datePart('month'),
  week: datePart('week'),
  day: datePart('day'),
  weekday: datePart('isodow'),
  dayOfYear: datePart('dayofyear'),
  hour: datePart('hour'),
  minute: datePart('minute'),
  second: datePart('second'),
  millisecond: ({ sql }) => `(CAST(millisecond(CAST(${sql[0]} AS TIMESTAMP)) AS BIGINT) % 1000)`,
  truncate: (call) => `CAST(date_trunc(${quoteString(unitOf(call, 1))}, ${call.sql[0]}) AS ${sqlType(call.types[0]!)})`,
  plus: (call) => {
    const unit = unitOf(call, 2)
    // Time is added in 64 bits, parts of the calendar in 32.
    const steps = `CAST(${call.sql[1]} AS ${['hour', 'minute', 'second', 'millisecond'].includes(unit) ? 'BIGINT' : 'INTEGER'})`
    return `(CAST(${call.sql[0]} AS TIMESTAMP) + to_${unit}s(${steps}))`
  },
  since: (call) => {
    const epoch = (i: number): string => `epoch_us(CAST(${call.sql[i]} AS TIMESTAMP))`
    return `(CAST(${epoch(0)} - ${epoch(1)} AS DOUBLE) / ${unitMillis(unitOf(call, 2)) * 1000})`
  },
  format: ({ sql }) => `strftime(${sql.join(', ')})`,

  list: (call) => `list_value(${aligned(call).join(', ')})`,
  listLength: ({ sql }) => `CAST(len(${sql[0]}) AS BIGINT)`,
  // From 0; from -1 backwards.
  listGet: ({ sql: [list, index] }) =>
    `list_extract(${list}, CAST(CASE WHEN ${index} < 0 THEN ${index} ELSE ${index} + 1 END AS BIGINT))`,
  listContains: ({ sql, types }) => {
    const [list, value] = types
    const element = list?.kind === 'list' ? list.element.type : value!
    return `list_contains(${sql[0]}, ${alignTo(sql[1]!, value!, element)})`
  },
  listSum: ({ sql }) => `list_sum(CAST(${sql[0]} AS DOUBLE[]))`,
  listMean: ({ sql }) => `list_avg(CAST(${sql[0]} AS DOUBLE[]))`,
  listMin: plain('list_min'),
  listMax: plain('list_max'),
  listSort: ({ sql }) => `list_sort(${sql[0]}, 'ASC', 'NULLS LAST')`,
  listUnique: ({ sql }) => `list_sort(list_distinct(${sql[0]}))`,
  listReverse: plain('list_reverse'),
  listSlice: ({ sql }) => {
    const [from, to] = bounds(`len(${sql[0]})`, sql)
    return `list_slice(${sql[0]}, ${from} + 1, ${to})`
  },
  listJoin: plain('array_to_string'),

  struct: ({ sql, args }) =>
    `struct_pack(${sql.flatMap((value, i) => (i % 2 === 0 ? [] : [`${fieldName(args[i - 1])} := ${value}`])).join(', ')})`,
  field: plain('struct_extract'),
  level: ({ sql }) => `CAST(enum_code(${sql[0]}) AS BIGINT)`,
  vector: ({ sql }) =>
    `CAST([${sql.map((value) => `CAST(coalesce(${value}, error('vector: a component is null')) AS FLOAT)`).join(', ')}] AS FLOAT[${sql.length}])`,
}

function plain(name: string): Print {
  return ({ sql }) => `${name}(${sql.join(', ')})`
}

/** Numbers are computed in float64, as in JavaScript; bigints in 64-bit integers, which raise when they overflow. */
function double({ sql }: PrintedCall, index: number): string {
  return `CAST(${sql[index]} AS DOUBLE)`
}

function doubles(name: string): Print {
  return (call) => `${name}(${double(call, 0)})`
}

function number(call: PrintedCall, index: number): string {
  return call.types[index]!.kind === 'bigint' ? call.sql[index]! : double(call, index)
}

function arithmetic(sign: string): Print {
  return (call) => {
    const isBigint = call.types.some((type) => type.kind === 'bigint')
    return isBigint ? `(${call.sql.join(` ${sign} `)})` : `(${double(call, 0)} ${sign} ${double(call, 1)})`
  }
}

/** NaN outside of the domain, where DuckDB raises. */
function within(call: PrintedCall, domain: string, name: string): string {
  const x = double(call, 0)
  return `(CASE WHEN ${x} ${domain} THEN ${name}(${x}) WHEN ${x} IS NULL THEN NULL ELSE CAST('NaN' AS DOUBLE) END)`
}

function logarithm(call: PrintedCall, name: string): string {
  return `(CASE WHEN ${double(call, 0)} = 0 THEN CAST('-Infinity' AS DOUBLE) ELSE ${within(call, '> 0', name)} END)`
}

function finite(call: PrintedCall, name: string): string {
  const x = double(call, 0)
  return `(CASE WHEN isfinite(${x}) THEN ${name}(${x}) WHEN ${x} IS NULL THEN NULL ELSE CAST('NaN' AS DOUBLE) END)`
}

/** Numbers that are written out as what we take them for: DuckDB takes whole ones for integers. */
function numbers(args: readonly ExprNode[], sql: readonly string[]): string[] {
  return sql.map((own, i) => {
    const arg = args[i]!
    return arg.kind === 'literal' && arg.literal.kind === 'number' ? `CAST(${own} AS DOUBLE)` : own
  })
}

/** The arguments as values of one type. */
function aligned({ sql, types, args }: PrintedCall): string[] {
  const to = types.reduce((a, b, i) => unify(a, b, args[i]) ?? a)
  return sql.map((value, i) => alignTo(value, types[i]!, to))
}

function comparison(sign: string): Print {
  return (call) => {
    // Numbers are compared as they are stored, so that file statistics can answer.
    const numeric = call.types.every(({ kind }) => kind === 'number')
    const [a, b] = numeric ? call.sql : aligned(call)
    return `(${a} ${sign} ${b})`
  }
}

function padded(name: string, [text, length, fill = "' '"]: readonly string[]): string {
  return `${name}(${text}, greatest(CAST(${length} AS INTEGER), CAST(length(${text}) AS INTEGER)), ${fill})`
}

/** A start and an end as positions from 0: those below 0 count from the end. */
function bounds(length: string, [, from = '0', to]: readonly string[]): [string, string] {
  const at = (index: string): string =>
    `greatest(CAST(CASE WHEN ${index} < 0 THEN ${length} + ${index} ELSE ${index} END AS BIGINT), 0)`
  return [at(from), to === undefined ? length : at(to)]
}

function datePart(name: string): Print {
  return ({ sql }) => `CAST(${name}(CAST(${sql[0]} AS TIMESTAMP)) AS BIGINT)`
}

function unitOf(call: PrintedCall, index: number): TimeUnit {
  return textOf(call.args[index]) as TimeUnit
}

function fieldName(node: ExprNode | undefined): string {
  return quoteName(textOf(node))
}

function textOf(node: ExprNode | undefined): string {
  return node?.kind === 'literal' && node.literal.kind === 'string' ? node.literal.value : ''
}
