/**
 * Running plans. What SQL cannot do is done first and becomes a table: IDX files get their scalars loaded, `map` nodes
 * are computed. Then the plan is one query, whose chunks stream.
 *
 * A `map` node is computed once: its result is kept for as long as the node itself, so that several ends share it.
 */
import { ShardbookError } from '../core/errors.js'
import { sizeOf } from '../core/dtype.js'
import { applied, type KeepTensors } from './apply/apply.js'
import { aggregate, select, slice } from './build.js'
import { cellReader, rowsOfChunk, type Chunk, type ChunkColumn, type ChunkStream, type NumericValues } from './chunk.js'
import { readyToApply } from './engine/duckdb/apply.js'
import { createTable, dropTable, queryChunks, tableFromQuery, tablesSideBySide } from './engine/duckdb/index.js'
import type { FeedColumn } from './feed.js'
import { readIdxFile } from './idx.js'
import { copyOf } from './io/local-copy.js'
import { fetchScans, localScan } from './io/local-scan.js'
import { labelOf } from './io/read-images.js'
import { openMapper } from './mapper.js'
import { memoryChunk } from './memory.js'
import { readsAll, readsOfInput } from './reads.js'
import {
  inputsOf,
  withInputs,
  type CacheNode,
  type MapNode,
  type NamedExpr,
  type Plan,
  type ScanNode,
  type Source,
  type TensorStore,
} from './plan.js'
import { rewrite } from './rewrite.js'
import { openSlice } from './slice.js'
import { feedTypeOf, type Column, type Schema } from './schema.js'
import { storeStride } from './tensor/store.js'
import { tensorWriter, type TensorWriter } from './tensor/writer.js'
import { checkRows } from './validate.js'

/** Rows of a batch that a mapper gets. */
const mapRows = 512

/** Streams the rows of a plan. */
export async function run(plan: Plan, options: { ordered?: boolean } = {}): Promise<ChunkStream> {
  return queryChunks(await prepare(plan), options)
}

/** The number of rows that a plan gives. */
export async function count(plan: Plan): Promise<number> {
  const rows: NamedExpr = { name: 'rows', expr: { kind: 'aggregate', op: 'count', input: null } }
  for await (const chunk of (await run(aggregate('count', plan, [], [rows]))).chunks)
    return Number(chunk.columns[0]!.values[0])
  return 0
}

/** The plan, rewritten or as it is, with everything in it computed that its engine cannot compute. */
export async function prepare(plan: Plan, { rewrites = true }: { rewrites?: boolean } = {}): Promise<Plan> {
  const prepared = await lower(rewrites ? rewritten(plan) : plan)
  await fetchScans(prepared)
  await readyToApply()
  return prepared
}

/** The plan as it will run. */
export function rewritten(plan: Plan): Plan {
  return rewrite(plan, (node) => computed.has(node))
}

async function lower(plan: Plan, reads = readsAll): Promise<Plan> {
  if (plan.kind === 'map' || plan.kind === 'cache') return scanOf(plan, await compute(plan))
  if (plan.kind === 'scan') {
    const { source } = plan
    if (source.kind === 'function') return scanOf(plan, await computeFunction(plan, source, reads.firstRows))
    const isLoaded = source.kind === 'memory' || source.kind === 'idx' || source.kind === 'images'
    return isLoaded ? scanOf(plan, await load(plan, source)) : localScan(plan, reads)
  }
  const inputs: Plan[] = []
  for (const input of inputsOf(plan)) inputs.push(await lower(input, readsOfInput(plan, reads)))
  return withInputs(plan, inputs)
}

function scanOf(plan: Plan, source: Source): ScanNode {
  return { kind: 'scan', source, schema: plan.schema }
}

type Table = Extract<Source, { kind: 'table' }>

const computed = new WeakMap<MapNode | CacheNode, Promise<Table>>()
const loaded = new WeakMap<Source, Promise<Table>>()
const collected = new FinalizationRegistry<string>((table) => void dropTable(table).catch(() => {}))

/** Has a table dropped when nothing refers to its source any more. */
export function ownTable(source: Table): Table {
  collected.register(source, source.table)
  return source
}

function compute(node: MapNode | CacheNode): Promise<Table> {
  let table = computed.get(node)
  if (table === undefined) {
    table = node.kind === 'map' ? computeMap(node) : computeCache(node)
    computed.set(node, table)
    table.catch(() => computed.delete(node))
  }
  return table
}

async function computeCache(node: CacheNode): Promise<Table> {
  const table = ownTable(await tableFromQuery(await prepare(node.input)))
  if (node.check === null) return table
  const stream = queryChunks(scanOf(node, table))
  const reader = cellReader(stream)
  let checked = 0
  try {
    for await (const chunk of stream.chunks) {
      await checkRows(node.check, rowsOfChunk(node.schema, chunk, reader), checked)
      checked += chunk.rows
    }
  } finally {
    reader.close()
  }
  return table
}

async function computeMap(node: MapNode): Promise<Table> {
  // The input becomes a table first: batches and added columns then have the same rows in the same order.
  const input = ownTable(await tableFromQuery(await prepare(node.input)))
  const inputPlan = scanOf(node.input, input)
  const mapper = await openMapper(node.mapper, node.payload)
  const writers = new Map<string, TensorWriter>()
  try {
    const reads = { plan: select('map', inputPlan, node.reads), columns: node.reads, ...node.fields }
    const feed = await openSlice(reads, { slices: 1, slice: 0 })
    const outputs = async function* (): AsyncGenerator<Chunk> {
      for await (const batch of feed.batches({ rows: mapRows })) {
        const added = await mapper.map(batch)
        const columns: ChunkColumn[] = []
        for (const column of node.adds) columns.push(await keep(node, column, added[column.name], batch.rows, writers))
        yield { rows: batch.rows, columns }
      }
    }
    const adds = ownTable(await createTable(node.adds, outputs(), []))
    await feed.close()
    const stores: TensorStore[] = [...input.stores]
    // References of each added tensor column count from its own file.
    const bases = node.adds.map((column) => {
      const writer = writers.get(column.name)
      return writer === undefined ? 0 : stores.push({ kind: 'raw', path: writer.path }) - 1
    })
    for (const writer of writers.values()) await writer.close()
    return ownTable(
      await tablesSideBySide(
        { schema: node.input.schema, source: input },
        { schema: node.adds, source: adds, bases },
        node.schema,
        stores,
      ),
    )
  } finally {
    await mapper.close()
  }
}

const applications = new WeakMap<Source, Promise<Table>>()

/** The rows that a user's function gives, as a table; all of them are kept for later ends, the first ones only are not. */
function computeFunction(plan: ScanNode, source: FunctionSource, firstRows: number): Promise<Table> {
  const known = applications.get(source)
  if (known !== undefined) return known
  const table = applyFunction(plan, source, firstRows)
  if (firstRows === Infinity) {
    applications.set(source, table)
    table.catch(() => applications.delete(source))
  }
  return table
}

type FunctionSource = Extract<Source, { kind: 'function' }>

async function applyFunction({ schema }: ScanNode, source: FunctionSource, firstRows: number): Promise<Table> {
  const writers = new Map<string, TensorWriter>()
  const keepTensors: KeepTensors = async (name, values, rows) => {
    let writer = writers.get(name)
    if (writer === undefined) writers.set(name, (writer = tensorWriter()))
    await writer.write(values)
    const first = tensorNames(schema).indexOf(name) * storeStride + writer.rows
    writer.rows += rows
    return Float64Array.from({ length: rows }, (_, i) => first + i)
  }
  // Rows come one by one: no more of them are read than are wanted. A batch may give fewer rows than it gets.
  const input =
    source.mode === 'rows' && firstRows !== Infinity ? slice('map', source.input, 0, firstRows) : source.input
  const rows = await createTable(schema, applied(await run(input), source, schema, firstRows, keepTensors), [])
  const stores: TensorStore[] = []
  for (const name of tensorNames(schema)) {
    const writer = writers.get(name) ?? tensorWriter()
    await writer.close()
    stores.push({ kind: 'raw', path: writer.path })
  }
  return ownTable({ ...rows, stores })
}

/** One output of a mapper as a chunk's column; tensors go to a file and leave references. */
async function keep(
  node: MapNode,
  column: Column,
  got: FeedColumn | undefined,
  rows: number,
  writers: Map<string, TensorWriter>,
): Promise<ChunkColumn> {
  const expected = feedTypeOf(column.type)
  if (
    got === undefined ||
    expected === undefined ||
    got.dtype !== expected.dtype ||
    got.values.length !== rows * sizeOf(expected.shape)
  ) {
    throw new ShardbookError(
      'internal',
      `${node.mapper}: expected ${rows} rows of '${column.name}' as ${expected?.dtype} [${expected?.shape.join(', ')}], got ${got === undefined ? 'nothing' : `${got.values.length} values of ${got.dtype}`}.`,
    )
  }
  if (column.type.kind !== 'tensor') return { values: got.values.slice() as NumericValues, valid: null }
  let writer = writers.get(column.name)
  if (writer === undefined) writers.set(column.name, (writer = tensorWriter()))
  await writer.write(new Uint8Array(got.values.buffer, got.values.byteOffset, got.values.byteLength).slice())
  const first = writer.rows
  writer.rows += rows
  return { values: Float64Array.from({ length: rows }, (_, i) => first + i), valid: null }
}

/** A table for a source that SQL does not read: values in memory, or IDX files (tensors as row numbers into them). */
function load(plan: ScanNode, source: LoadedSource): Promise<Table> {
  let table = loaded.get(source)
  if (table === undefined) {
    table = loadTable(plan, source).then(ownTable)
    loaded.set(source, table)
    table.catch(() => loaded.delete(source))
  }
  return table
}

type LoadedSource = Extract<Source, { kind: 'idx' | 'images' | 'memory' }>
type IdxSource = Extract<Source, { kind: 'idx' }>

async function loadTable({ schema }: ScanNode, source: LoadedSource): Promise<Table> {
  switch (source.kind) {
    case 'memory':
      return createTable(schema, [memoryChunk(source.id)], source.stores)
    case 'idx':
      return createTable(schema, [idxChunk(schema, source)], idxStores(schema, source))
    case 'images': {
      const files: string[] = []
      for (const file of source.files) files.push(await copyOf('read.images', file))
      const columns: Readonly<Record<string, ChunkColumn>> = {
        image: { values: Float64Array.from(files, (_, row) => row), valid: null },
        label: { values: source.files.map(labelOf), valid: null },
      }
      const chunk = { rows: files.length, columns: schema.map(({ name }) => columns[name]!) }
      return createTable(schema, [chunk], [{ kind: 'images', files, shape: source.shape }])
    }
    default:
      return source satisfies never
  }
}

function idxStores(schema: Schema, source: IdxSource): TensorStore[] {
  return tensorNames(schema).map((name) => ({ kind: 'idx', path: source.paths[name]! }))
}

function idxChunk(schema: Schema, source: IdxSource): Chunk {
  const tensors = tensorNames(schema)
  const columns = schema.map((column): ChunkColumn => {
    if (column.type.kind === 'tensor') {
      const base = tensors.indexOf(column.name) * storeStride
      return { values: Float64Array.from({ length: source.rows }, (_, row) => base + row), valid: null }
    }
    const { values } = readIdxFile(source.paths[column.name]!)
    if (values.length !== source.rows) {
      throw new ShardbookError(
        'data',
        `read.idx: expected ${source.rows} rows in ${source.paths[column.name]}, got ${values.length}: the file changed.`,
      )
    }
    return { values, valid: null }
  })
  return { rows: source.rows, columns }
}

function tensorNames(schema: Schema): string[] {
  return schema.filter(({ type }) => type.kind === 'tensor').map(({ name }) => name)
}
