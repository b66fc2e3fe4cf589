/**
 * What an installed engine looks like on disk: a folder `<cache>/engines/<name>-<version>` with the libraries and a manifest.
 * The folder appears by one rename, when it is complete. At load sizes are compared with the manifest; checksums, which
 * take seconds, when engines are listed.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { cacheDir } from '../../core/paths.js'
import type { InstallableEngine, Wheel } from './catalog.js'

export interface Manifest {
  readonly engine: string
  readonly version: string
  /** Checksum of the wheel that the files are from. */
  readonly wheel: string
  /** Checksums of the wheels for GPUs. */
  readonly gpuWheels?: readonly string[]
  /** The first is the one to load. */
  readonly files: readonly { readonly name: string; readonly sizeBytes: number; readonly sha256: string }[]
}

export type Installation =
  | { readonly state: 'installed'; readonly folder: string; readonly version: string; readonly libraries: Libraries }
  | { readonly state: 'absent'; readonly folder: string; readonly reason: string }
  | { readonly state: 'damaged'; readonly folder: string; readonly reason: string }

/** What to load of an installed engine. */
export interface Libraries {
  readonly main: string
  /** To be loaded before it, in this order: it asks for them by their names. */
  readonly gpu: readonly string[]
}

export function enginesDir(...parts: readonly string[]): string {
  return cacheDir('engines', ...parts)
}

/** Looks at an engine's folder; `checksums` reads every byte of it, `gpu` wants the libraries for GPUs too. */
export async function inspect(
  engine: InstallableEngine,
  wheel: Wheel,
  options: { checksums?: boolean; gpu?: boolean } = {},
): Promise<Installation> {
  const folder = enginesDir(`${engine}-${wheel.version}`)
  const damaged = (reason: string): Installation => ({ state: 'damaged', folder, reason })
  let text: string
  try {
    text = await readFile(join(folder, 'manifest.json'), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { state: 'absent', folder, reason: 'not installed' }
    return damaged(`its manifest cannot be read (${(error as Error).message})`)
  }
  let manifest: Partial<Manifest>
  try {
    manifest = JSON.parse(text) as Partial<Manifest>
  } catch {
    return damaged('its manifest is not JSON')
  }
  if (manifest.wheel !== wheel.sha256) return damaged('it is from another wheel')
  const library = manifest.files?.[0]?.name
  if (manifest.files === undefined || library === undefined) return damaged('its manifest lists no files')
  if (options.gpu === true && manifest.gpuWheels === undefined) return damaged('it lacks the libraries for GPUs')
  for (const file of manifest.files) {
    const path = join(folder, file.name)
    const size = await stat(path).then(
      (found) => found.size,
      () => undefined,
    )
    if (size !== file.sizeBytes) {
      return damaged(`${file.name} should have ${file.sizeBytes} bytes and has ${size ?? 'gone'}`)
    }
    if (options.checksums === true && (await sha256(path)) !== file.sha256) return damaged(`${file.name} has changed`)
  }
  const own = wheel.libraries.length
  const paths = manifest.files.map(({ name }) => join(folder, name))
  return { state: 'installed', folder, version: wheel.version, libraries: { main: paths[0]!, gpu: paths.slice(own) } }
}

/** Checksum of a file, in hex. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash)
  return hash.digest('hex')
}
