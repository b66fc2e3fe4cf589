/**
 * From what the user names to files: a path, a list, a glob, a folder, a URL. Found once when the reader is called, so that
 * every reading of the frame sees the same files in the same order.
 */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { ioError, isRemote, storeOf } from '../../store/index.js'
import { globFiles } from '../engine/duckdb/glob.js'
import type { FileSource } from '../plan.js'

/** A path, a glob, a folder or a URL, or several of them. */
export type Paths = string | readonly string[]

export type Files = FileSource & { readonly files: readonly string[] }

/** The files that `paths` stand for; in folders, those whose names match `wanted`. @throws `argument`, `io` */
export async function findFiles(caller: string, paths: Paths, wanted: RegExp): Promise<Files> {
  const list = typeof paths === 'string' ? [paths] : paths
  if (!Array.isArray(list) || list.length === 0 || list.some((path) => typeof path !== 'string' || path === '')) {
    throw new ShardbookError('argument', `${caller}: expected a path, got ${show(paths)}.`)
  }
  const found: string[][] = []
  for (const path of list as readonly string[]) found.push(await expand(caller, path, wanted))
  const files = found.flat()
  return { path: list.map(shownPath).join(', '), files, ...partitionsOf(caller, files) }
}

function shownPath(path: string): string {
  return isRemote(path) ? path : resolve(path)
}

async function expand(caller: string, path: string, wanted: RegExp): Promise<string[]> {
  if (/^https?:/i.test(path)) return [path]
  if (isRemote(path)) return expandObjects(caller, path, wanted)
  const absolute = resolve(path)
  const entry = await stat(absolute).catch((cause: unknown) => {
    if (isGlob(path)) return undefined
    throw ioError(caller, 'read', absolute, cause)
  })
  if (entry?.isFile() === true) return [absolute]
  const files =
    entry === undefined
      ? await globFiles(absolute)
      : (await globFiles(absolute, '/**')).filter((each) => wanted.test(each))
  if (files.length > 0) return files
  throw new ShardbookError(
    'io',
    `${caller}: expected a file at ${absolute}, got ${entry === undefined ? 'no match' : 'a folder without any'}.`,
  )
}

async function expandObjects(caller: string, path: string, wanted: RegExp): Promise<string[]> {
  if (!isGlob(path) && !path.endsWith('/')) return [path]
  const pattern = isGlob(path) ? matcher(path) : undefined
  const prefix = path.slice(0, path.search(/[*?[]|$/)).replace(/[^/]*$/, '')
  const found = (await storeOf(path).list(prefix)).filter((each) => (pattern ?? wanted).test(each))
  if (found.length > 0) return found
  throw new ShardbookError('io', `${caller}: expected an object at ${path}, got no match.`)
}

function isGlob(path: string): boolean {
  return /[*?[]/.test(path)
}

/** `*` and `?` stay within a folder, `**` does not. */
function matcher(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*\/?|\*|\?|\[[^\]]*\])/)
  const regex = parts.map((part, i) => {
    if (i % 2 === 0) return part.replaceAll(/[.+^${}()|\\\]]/g, '\\$&')
    if (part.startsWith('**')) return '.*'
    if (part.startsWith('[')) return part.replace(/^\[!/, '[^')
    return part === '*' ? '[^/]*' : '[^/]'
  })
  return new RegExp(`^${regex.join('')}$`)
}

/** The columns that folders named `key=value` make, where all files lie in such. */
function partitionsOf(caller: string, files: readonly string[]): Pick<FileSource, 'partitions'> {
  const pairs = files.map((file) =>
    file
      .split('/')
      .slice(0, -1)
      .flatMap((folder) => {
        const [, key, value] = /^([^=]+)=(.*)$/.exec(folder) ?? []
        return key === undefined ? [] : [[key, decodeURIComponent(value!)] as const]
      }),
  )
  const keys = pairs[0]!.map(([key]) => key)
  const other = pairs.findIndex((each) => each.map(([key]) => key).join('/') !== keys.join('/'))
  if (other >= 0) {
    throw new ShardbookError(
      'data',
      `${caller}: expected every file in folders of ${keys.join(', ') || 'no key'}, as ${files[0]}, got ${files[other]}.`,
    )
  }
  if (keys.length === 0) return {}
  const partitions = keys.map((name, i) => {
    const values = pairs.map((each) => each[i]![1]).filter((value) => value !== missingPartition)
    const all = (pattern: RegExp): boolean => values.length > 0 && values.every((value) => pattern.test(value))
    const number = all(/^-?\d{1,15}$/) ? 'BIGINT' : all(/^-?\d+(?:\.\d+)?$/) ? 'DOUBLE' : undefined
    return { name, sql: number ?? (all(/^\d{4}-\d\d-\d\d$/) ? 'DATE' : 'VARCHAR') }
  })
  return { partitions }
}

/** How Hive, Spark and DuckDB write null in a folder's name. */
const missingPartition = '__HIVE_DEFAULT_PARTITION__'
