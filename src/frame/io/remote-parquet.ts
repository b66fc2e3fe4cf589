/**
 * Parquet files on the network: the footer is fetched first, then only the columns that a query reads, into a sparse file of
 * the original's size in which every byte has its own place. The engine reads that file as if it were whole. Of a query that
 * needs some rows only, just the row groups that hold them are fetched.
 */
import { open as openFile } from 'node:fs/promises'
import { ShardbookError } from '../../core/errors.js'
import { ioError, isRemote, storeOf, type ObjectInfo } from '../../store/index.js'
import { columnChunks, type ColumnChunk } from '../engine/duckdb/parquet-chunks.js'
import type { RowRange } from '../plan.js'
import { copyPath, fetchRanges, infoOf, type Range } from './local-copy.js'

interface Sparse {
  readonly file: string
  readonly info: ObjectInfo
  readonly path: string
  readonly chunks: readonly ColumnChunk[]
  /** Those that are there, or on their way. */
  readonly fetched: Map<ColumnChunk, Promise<void>>
}

const opened = new Map<string, Promise<Sparse>>()
const byPath = new Map<string, Sparse>()

/** How much of a file's end is asked for at first: most footers fit. */
const tailBytes = 2 ** 16
/** Columns that lie closer than this come with one request. */
const gapBytes = 2 ** 16

/** A file with the footer of `file`, and maybe some of its columns: enough to know schema and statistics. */
export async function footerOf(file: string): Promise<string> {
  return isRemote(file) ? (await sparseOf(file)).path : file
}

/** Whether a path is one of ours, whose columns must be fetched before they are read. */
export function isSparse(path: string): boolean {
  return byPath.has(path)
}

/** Fetches columns of a file of ours: those for which `wanted` is true, of the row groups that hold `rows`. */
export async function fetchColumns(
  path: string,
  wanted: (column: string) => boolean,
  rows: RowRange = { from: 0, to: Infinity },
): Promise<void> {
  const { file, info, chunks, fetched } = byPath.get(path)!
  const needed = chunks.filter(({ column, rows: { from, to } }) => wanted(column) && from < rows.to && to > rows.from)
  const missing = needed.filter((chunk) => !fetched.has(chunk))
  if (missing.length > 0) {
    const work = fetchRanges(file, info, path, joined(missing.flatMap(({ ranges }) => ranges)))
    for (const chunk of missing) fetched.set(chunk, work)
    work.catch(() => missing.forEach((chunk) => fetched.delete(chunk)))
  }
  await Promise.all(needed.flatMap((chunk) => fetched.get(chunk) ?? []))
}

async function sparseOf(file: string): Promise<Sparse> {
  const info = await infoOf('read.parquet', file)
  const key = JSON.stringify([file, info.version])
  let sparse = opened.get(key)
  if (sparse === undefined) {
    sparse = make(file, info)
    opened.set(key, sparse)
    sparse.catch(() => opened.delete(key))
  }
  return sparse
}

async function make(file: string, info: ObjectInfo): Promise<Sparse> {
  const metadata = await fetchMetadata(file, info)
  const path = copyPath(file)
  const end = Buffer.alloc(8, 'PAR1')
  end.writeUInt32LE(metadata.length)
  try {
    const to = await openFile(path, 'w')
    try {
      await to.write(Buffer.from('PAR1'), 0, 4, 0)
      await to.write(Buffer.concat([metadata, end]), 0, metadata.length + 8, info.sizeBytes - 8 - metadata.length)
    } finally {
      await to.close()
    }
  } catch (cause) {
    throw ioError('read.parquet', 'write', path, cause)
  }
  const sparse: Sparse = { file, info, path, chunks: await columnChunks(path), fetched: new Map() }
  byPath.set(path, sparse)
  return sparse
}

async function fetchMetadata(file: string, info: ObjectInfo): Promise<Uint8Array> {
  const { sizeBytes, version } = info
  const broken = (why: string): ShardbookError =>
    new ShardbookError('data', `read.parquet: expected a Parquet file at ${file}, got ${why}.`, {
      hint: 'It is truncated, or of another format.',
    })
  if (sizeBytes < 12) throw broken(`${sizeBytes} bytes`)
  const tail = Math.min(sizeBytes, tailBytes)
  const end = await storeOf(file).get(file, { offset: sizeBytes - tail, length: tail }, version)
  if (Buffer.from(end.subarray(-4)).toString('latin1') !== 'PAR1') throw broken('a file that does not end as one')
  const length = Buffer.from(end.subarray(-8)).readUInt32LE(0)
  if (length + 12 > sizeBytes) throw broken(`a footer of ${length} bytes in a file of ${sizeBytes}`)
  if (length + 8 <= tail) return end.slice(tail - 8 - length, tail - 8)
  return storeOf(file).get(file, { offset: sizeBytes - 8 - length, length }, version)
}

/** Ranges in order, those that nearly touch as one. */
function joined(ranges: readonly Range[]): Range[] {
  const out: { offset: number; length: number }[] = []
  for (const { offset, length } of [...ranges].sort((a, b) => a.offset - b.offset)) {
    const last = out.at(-1)
    if (last !== undefined && offset - (last.offset + last.length) <= gapBytes) {
      last.length = Math.max(last.length, offset + length - last.offset)
    } else out.push({ offset, length })
  }
  return out
}
