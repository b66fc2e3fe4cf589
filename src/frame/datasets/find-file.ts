/** Where a data set's file is: the user's data folder, the cache, or a download into the cache. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir, dataDir } from '../../core/paths.js'
import { download, type Pin } from '../../store/index.js'

export interface DatasetFile {
  readonly name: string
  readonly pin: Pin
  /** Addresses of the file. */
  readonly mirrors: readonly string[]
}

/** The path of a file of a data set. @throws `missing` when it is nowhere and cannot be downloaded */
export async function findFile(dataset: string, { name, pin, mirrors }: DatasetFile): Promise<string> {
  const own = dataDir()
  const candidates = own === undefined ? [] : [join(own, dataset, name)]
  for (const path of candidates) if (existsSync(path)) return path
  const cached = cacheDir('datasets', dataset, name)
  await download(cached, { mirrors, pin })
  return cached
}
