/** Column types as DuckDB's types, and back. */
import { ShardbookError } from '../../../core/errors.js'
import { sizeOf } from '../../../core/dtype.js'
import type { Column, ColumnType, NumberStorage } from '../../schema.js'
import { quoteName, quoteString } from './names.js'

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
      return type.held === 'reference' ? 'BIGINT' : `${storageTypes[type.dtype]}[${sizeOf(type.shape)}]`
    case 'sparse':
      return 'STRUCT(indices INTEGER[], "values" FLOAT[])'
    case 'list':
      return `${sqlType(type.element.type)}[]`
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${quoteName(field.name)} ${sqlType(field.type)}`).join(', ')})`
    case 'categorical':
      return `ENUM(${type.levels.map(quoteString).join(', ')})`
    case 'opaque':
      return type.sql
    default:
      throw new ShardbookError('internal', `sqlType: unknown type ${JSON.stringify(type satisfies never)}.`)
  }
}

/** Casts when the type of a result differs from its part's. */
export function alignTo(sql: string, from: ColumnType, to: ColumnType): string {
  return sqlType(from) === sqlType(to) ? sql : `CAST(${sql} AS ${sqlType(to)})`
}

/** The column type for a type of DuckDB, and the type to read it as. */
export function typeFromSql(sql: string): { type: ColumnType; read: string } {
  const type = new TypeText(sql).whole() ?? { kind: 'opaque', sql }
  return { type, read: sqlType(type) }
}

const texts = ['VARCHAR', 'UUID', 'TIME', 'INTERVAL', 'BIT', 'JSON', 'TIME WITH TIME ZONE', '"NULL"']

function plainType(sql: string): ColumnType | undefined {
  const storage = Object.entries(storageTypes).find(([, name]) => name === sql)
  if (storage !== undefined) return { kind: 'number', storage: storage[0] as NumberStorage }
  if (sql === 'HUGEINT' || sql === 'UHUGEINT' || /^DECIMAL\(\d+,\d+\)$/.test(sql)) {
    return { kind: 'number', storage: 'float64' }
  }
  if (sql === 'UBIGINT') return { kind: 'number', storage: 'int64' }
  if (sql === 'BOOLEAN') return { kind: 'boolean' }
  if (sql === 'DATE') return { kind: 'date' }
  if (/^TIMESTAMP(_\w+| WITH TIME ZONE)?$/.test(sql)) return { kind: 'timestamp' }
  return texts.includes(sql) ? { kind: 'string' } : undefined
}

/** Reads a type as DuckDB writes it: `STRUCT(a INTEGER, "b c" VARCHAR[])[]`. */
class TypeText {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): ColumnType | undefined {
    const type = this.#type()
    return this.#at === this.#text.length ? type : undefined
  }

  #type(): ColumnType | undefined {
    let type = this.#unit()
    while (type !== undefined && this.#take('[]')) {
      // What is in a list may be null; a file does not say.
      type = { kind: 'list', element: { type, nullable: true } }
    }
    return type
  }

  #unit(): ColumnType | undefined {
    if (this.#take('STRUCT(')) {
      const fields: Column[] = []
      do {
        const name = this.#quoted('"') ?? this.#match(/\w+/y)
        const type = this.#take(' ') ? this.#type() : undefined
        if (name === undefined || type === undefined) return undefined
        fields.push({ name, type, nullable: true })
      } while (this.#take(', '))
      return this.#take(')') ? { kind: 'struct', fields } : undefined
    }
    if (this.#take('ENUM(')) {
      const levels: string[] = []
      do {
        const level = this.#quoted("'")
        if (level === undefined) return undefined
        levels.push(level)
      } while (this.#take(', '))
      return this.#take(')') ? { kind: 'categorical', levels } : undefined
    }
    const plain = this.#match(/[A-Z_]+(?: WITH TIME ZONE)?(?:\(\d+,\d+\))?|"NULL"/y)
    return plain === undefined ? undefined : plainType(plain)
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #quoted(quote: string): string | undefined {
    const text = this.#match(quote === '"' ? /"(?:[^"]|"")*"/y : /'(?:[^']|'')*'/y)
    return text?.slice(1, -1).replaceAll(quote + quote, quote)
  }
}
