/** Scans as SQL: DuckDB's readers with everything said that was sniffed or given, so that they sniff nothing. */
import { ShardbookError } from '../../../core/errors.js'
import type { FileColumn, FileSource, RowFiles, RowRange, ScanNode, TensorStore } from '../../plan.js'
import type { Column } from '../../schema.js'
import { storeStride } from '../../tensor/store.js'
import { quoteName, quoteString, sqlNames } from './names.js'
import { alignTo, sqlType } from './sql-type.js'

/** A query for exactly the columns of the scan's schema; what references point into is added to `stores`. */
export function printScan({ source, schema }: ScanNode, stores: TensorStore[]): string {
  const names = sqlNames(schema)
  switch (source.kind) {
    case 'csv':
    case 'ndjson': {
      const columns = source.kind === 'csv' ? source.options.columns : source.columns
      const list = schema.map((column, i) => {
        const physical = columnOf(source, columns, column)
        const value = alignTo(`t.${quoteName(physical.name)}`, { kind: 'opaque', sql: physical.sql }, column.type)
        return `${physical.required === true ? refuseNull(value, column, source) : value} AS ${names[i]}`
      })
      return `SELECT ${list.join(', ')} FROM ${printReader(source)} t`
    }
    case 'parquet': {
      const base = addStores(stores, source.stores)
      const list = schema.map((column, i) => {
        const value = rebased(`t.${quoteName(source.columns[i]!)}`, column, base)
        return `CAST(${value} AS ${sqlType(column.type)}) AS ${names[i]}`
      })
      return `SELECT ${list.join(', ')} FROM ${printReader(source)} t${printRange(source.rows)}`
    }
    case 'table': {
      const base = addStores(stores, source.stores)
      const list = schema.map((column, i) => `${rebased(`t.${names[i]}`, column, base)} AS ${names[i]}`)
      return `SELECT ${list.join(', ')} FROM ${quoteName(source.table)} t`
    }
    case 'idx':
    case 'images':
    case 'function':
    case 'memory':
      throw new ShardbookError('internal', `printPlan: expected ${source.kind} sources to be tables, got one.`)
    default:
      return source satisfies never
  }
}

/** A call of the reader for a file source. */
export function printReader(source: RowFiles): string {
  const { partitions = [] } = source
  const types = partitions.map(({ name, sql }) => `${quoteString(name)}: ${sql}`)
  const common = [
    printFiles(source.files ?? [source.path]),
    ...(partitions.length === 0
      ? ['hive_partitioning = false']
      : ['hive_partitioning = true', `hive_types = {${types.join(', ')}}`]),
  ]
  switch (source.kind) {
    case 'csv': {
      const { options } = source
      return `read_csv(${[
        ...common,
        'auto_detect = false',
        `delim = ${quoteString(options.separator)}`,
        `quote = ${quoteString(options.quote)}`,
        `escape = ${quoteString(options.escape)}`,
        `header = ${options.header}`,
        `skip = ${options.skip}`,
        `nullstr = [${options.nulls.map(quoteString).join(', ')}]`,
        ...(options.dateFormat === undefined ? [] : [`dateformat = ${quoteString(options.dateFormat)}`]),
        ...(options.timestampFormat === undefined ? [] : [`timestampformat = ${quoteString(options.timestampFormat)}`]),
        ...(options.skipBad === true ? ['ignore_errors = true'] : []),
        printColumns(options.columns),
      ].join(', ')})`
    }
    case 'ndjson':
      return `read_json(${[...common, `format = 'newline_delimited', records = true`, printColumns(source.columns)].join(', ')})`
    case 'parquet':
      return `read_parquet(${[...common, ...(source.rows === undefined ? [] : ['file_row_number = true'])].join(', ')})`
    default:
      return source satisfies never
  }
}

function printRange(rows: RowRange | undefined): string {
  return rows === undefined ? '' : ` WHERE file_row_number >= ${rows.from} AND file_row_number < ${rows.to}`
}

/** Files as DuckDB's readers take them: characters that mean something in a glob mean themselves. */
export function printFiles(files: readonly string[]): string {
  return `[${files.map((file) => quoteString(file.replaceAll(/[*?[]/g, '[$&]'))).join(', ')}]`
}

function printColumns(columns: readonly FileColumn[]): string {
  return `columns = {${columns.map(({ name, sql }) => `${quoteString(name)}: ${quoteString(sql)}`).join(', ')}}`
}

function columnOf(source: FileSource, columns: readonly FileColumn[], { name }: Column): FileColumn {
  const found = columns.find(({ feeds }) => feeds === name)
  if (found !== undefined) return found
  return { ...source.partitions!.find((partition) => partition.name === name)!, feeds: name }
}

function refuseNull(value: string, column: Column, { path }: FileSource): string {
  const message = `read.csv: expected no null in column '${column.name}' of ${path}, got one. Give the type with a question mark ('${column.type.kind}?').`
  return `CASE WHEN ${value} IS NULL THEN error(${quoteString(message)}) ELSE ${value} END`
}

function addStores(stores: TensorStore[], added: readonly TensorStore[]): number {
  stores.push(...added)
  return stores.length - added.length
}

function rebased(value: string, column: Column, base: number): string {
  const isReference = column.type.kind === 'tensor' && column.type.held === 'reference'
  return isReference && base > 0 ? `(${value} + ${base * storeStride})` : value
}
