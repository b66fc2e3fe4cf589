/** Generated tables for the frame's benchmark, made once into the cache by DuckDB; the same bits on every machine. */
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { repositoryRoot } from './peer.js'

/** A hash of a row number that every contestant can compute: multiplication modulo 2^32. */
const hash = (factor: number): string => `((i * ${factor}) % 4294967296)`
const word = (factor: number): string => `words[1 + ${hash(factor)} % 1000]`

const tables = {
  /** 10 million rows: `k` of 1,000, `fk` of 1,000,000. */
  rows: `SELECT CAST(i AS INTEGER) AS id, CAST(${hash(2654435761)} % 1000 AS INTEGER) AS k,
      CAST(${hash(2246822519)} % 1000000 AS INTEGER) AS fk, ${hash(2654435761)} / 4294967296 AS x,
      ${hash(2246822519)} / 4294967296 AS y, ${hash(3266489917)} / 4294967296 AS z FROM range(10000000) t(i)`,
  /** 1 million rows to join on `fk`. */
  dims: `SELECT CAST(i AS INTEGER) AS fk, CAST(${hash(2654435761)} % 100 AS INTEGER) AS g,
      ${hash(2246822519)} / 4294967296 AS weight FROM range(1000000) t(i)`,
  /** 5 million texts of 3 to 8 words. */
  texts: `WITH list AS (SELECT list(substr(md5(CAST(w AS VARCHAR)), 1, 2 + w % 7) ORDER BY w) AS words FROM range(1000) r(w))
    SELECT array_to_string(list_slice([${[3, 5, 7, 11, 13, 17, 19, 23].map((n) => word(2654435761 + 2 * n)).join(', ')}], 1,
      3 + ${hash(3266489917)} % 6), ' ') AS text FROM range(5000000) t(i), list`,
  /** 1 million messages of 5 to 24 words; few of the 50,000 words are frequent, as in texts. */
  messages: `WITH list AS (SELECT list(substr(md5(CAST(w AS VARCHAR)), 1, 2 + w % 9) ORDER BY w) AS words FROM range(50000) r(w))
    SELECT array_to_string(list_transform(range(CAST(5 + hash(i) % 20 AS BIGINT)),
      lambda n: words[1 + CAST(floor(pow(hash(i * 32 + n) / 18446744073709551616, 4) * 50000) AS INTEGER)]), ' ') AS text
    FROM range(1000000) t(i), list`,
  /** 5 GB that hardly compress: 180 million rows, `k` of 10 million. */
  big: `SELECT CAST(hash(i) % 10000000 AS INTEGER) AS k, hash(i + 1) / 18446744073709551616 AS x,
      hash(i + 2) / 18446744073709551616 AS y, hash(i + 3) / 18446744073709551616 AS z FROM range(180000000) t(i)`,
} as const

/** The Parquet file of a table. */
export async function tableFile(name: keyof typeof tables): Promise<string> {
  const { cacheDir } = (await import(pathToFileURL(`${repositoryRoot}/tools/python-env.mjs`).href)) as {
    cacheDir: () => string
  }
  const folder = join(cacheDir(), 'bench-frame')
  const path = join(folder, `${name}.parquet`)
  if (existsSync(path)) return path
  console.log(`Making ${path} (once)`)
  mkdirSync(folder, { recursive: true })
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '2GiB', temp_directory: folder })
  const connection = await instance.connect()
  await connection.run(`COPY (${tables[name]}) TO '${path}.part' (FORMAT parquet, COMPRESSION snappy)`)
  connection.closeSync()
  instance.closeSync()
  renameSync(`${path}.part`, path)
  return path
}
