/** Where a data set's file is: the user's data folder, the cache, or a download into the cache. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ShardbookError } from '../../core/errors.js'
import { cacheDir, dataDir } from '../../core/paths.js'
import { download, type Pin } from '../../store/index.js'

export interface DatasetFile {
  readonly name: string
  readonly pin: Pin
  /** Addresses of the file, tried in order. */
  readonly mirrors: readonly string[]
}

/** The path of a data set's file that is on this machine, if it is. */
export function localFile(dataset: string, name: string): string | undefined {
  const own = dataDir()
  const candidates = [...(own === undefined ? [] : [join(own, dataset, name)]), cacheDir('datasets', dataset, name)]
  return candidates.find((path) => existsSync(path))
}

/** The path of a data set's file. @throws `missing` when it is nowhere and cannot be downloaded */
export async function findFile(caller: string, dataset: string, file: DatasetFile): Promise<string> {
  const local = localFile(dataset, file.name)
  if (local !== undefined) return local
  const path = cacheDir('datasets', dataset, file.name)
  try {
    await download(path, file)
  } catch (cause) {
    if (!(cause instanceof ShardbookError) || cause.code !== 'missing') throw cause
    throw new ShardbookError(
      'missing',
      `${caller}: expected ${file.name} on this machine, and could not download it.`,
      {
        hint: `Put it into a folder '${dataset}' and set SHARDBOOK_DATA to the folder above, or use datasets.glyphs(), which needs neither files nor network.`,
        cause,
      },
    )
  }
  return path
}
