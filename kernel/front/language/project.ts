/**
 * The TypeScript project that a notebook's cells belong to: a tsconfig that exists only in the server's memory.
 *
 * It lies in the notebook's folder, so relative imports and the folder's `node_modules` resolve as for any file there.
 * The user's own tsconfig decides how strictly cells are checked, and adds its paths and types.
 * `shardbook` maps to the kernel's own types; so do packages that the kernel has and the folder lacks, as at run time.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Aliases } from '../../local-modules.js'
import { packageRoot } from '../package-root.js'
import { emptyCell } from './names.js'
import { compilerExecutable, LanguageServer } from './server.js'
import type { UserConfig, UserConfigFile } from './user-config.js'
import { findUserConfig, readUserConfig } from './user-config.js'

interface Manifest {
  readonly types?: string
  readonly typings?: string
  readonly exports?: unknown
  readonly dependencies?: Readonly<Record<string, string>>
}

/** The user's own tsconfig that a project follows, where there is one, and its aliases. */
export interface LoadedConfig {
  readonly file: UserConfigFile | undefined
  readonly aliases: Aliases
}

/** A project that loads. */
export interface OpenProject {
  readonly server: LanguageServer
  readonly loaded: Promise<LoadedConfig>
}

/** Starts a server and lets it load the project of a notebook's folder. */
export function openProject(folder: string): OpenProject {
  const server = new LanguageServer(folder)
  // It starts while this process finds out what to tell it. Told by the first check.
  server.start().catch(() => {})
  const loaded = loadProject(server, folder)
  // Told by the first check.
  loaded.catch(() => {})
  return { server, loaded }
}

/** Lets the server load the project with the standard library; returns what it follows. */
export async function loadProject(server: LanguageServer, folder: string): Promise<LoadedConfig> {
  const found = findUserConfig(folder)
  const user = found === undefined ? undefined : await readUserConfig(found.file, compilerExecutable())
  await server.write(join(folder, 'tsconfig.json'), projectConfig(folder, '__cell_*.ts', user), 'json')
  // Each file costs a look at the whole program: the others come when the first cell runs.
  const first = cellFile(folder, 0)
  if (server.read(first) === undefined) await server.write(first, emptyCell())
  await server.ask('textDocument/diagnostic', first)
  return { file: found, aliases: user?.paths ?? {} }
}

/** The file of a cell (its number), of a module of names, or of what is being written. */
export function cellFile(folder: string, name: string | number): string {
  return join(folder, `__cell_${name}.ts`)
}

/** The text of the tsconfig for cells in `folder` whose files match `include`, with what the user's own says. */
function projectConfig(folder: string, include: string, user?: UserConfig): string {
  const own = moduleFolders(folder)
  const kernels = moduleFolders(packageRoot)
  const kernelTypes = findPackage(kernels, '@types/node')
  const paths: Record<string, string[]> = { shardbook: [join(packageRoot, 'dist/src/index.d.ts')] }
  for (const name of Object.keys(manifest(packageRoot).dependencies ?? {})) {
    if (findPackage(own, name) !== undefined) continue
    const types = typesEntry(findPackage(kernels, name))
    if (types !== undefined) paths[name] = [types]
  }
  const config = {
    compilerOptions: {
      target: 'esnext',
      module: 'esnext',
      moduleResolution: 'bundler',
      moduleDetection: 'force',
      lib: [libOfNode(), 'esnext.disposable'],
      types: ['node'],
      typeRoots: [
        ...(user?.typeRoots ?? []),
        ...own.map((one) => join(one, '@types')).filter((one) => existsSync(one)),
        ...(kernelTypes === undefined ? [] : [join(kernelTypes, '..')]),
      ],
      strict: true,
      skipLibCheck: true,
      ...user?.options,
      noEmit: true,
      resolveJsonModule: true,
      allowImportingTsExtensions: true,
      experimentalDecorators: true,
      paths: { ...paths, ...user?.paths },
    },
    include: [include],
  }
  return JSON.stringify(config)
}

/** The library that this Node implements. */
function libOfNode(): string {
  const major = Number(process.versions.node.split('.')[0])
  return major < 22 ? 'es2023' : major < 24 ? 'es2024' : 'esnext'
}

/** Where Node looks for packages that a module in `folder` imports, as far as there is such a folder. */
function moduleFolders(folder: string): string[] {
  const folders = createRequire(join(folder, 'noop.js')).resolve.paths('package') ?? []
  return folders.filter((one) => existsSync(one))
}

function findPackage(folders: readonly string[], name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find((folder) => existsSync(join(folder, 'package.json')))
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

function typesEntry(folder: string | undefined): string | undefined {
  if (folder === undefined) return undefined
  const { types, typings, exports } = manifest(folder)
  const root = typeof exports === 'object' && exports !== null ? (exports as Record<string, unknown>)['.'] : undefined
  const entry = typesOf(root) ?? types ?? typings
  return entry === undefined ? undefined : join(folder, entry)
}

/** The declaration file that an `exports` entry names for an import in Node. */
function typesOf(entry: unknown): string | undefined {
  if (typeof entry === 'string') return /\.d\.m?ts$/.test(entry) ? entry : undefined
  if (typeof entry !== 'object' || entry === null) return undefined
  const conditions = entry as Record<string, unknown>
  for (const condition of ['types', 'node', 'import', 'default']) {
    const found = typesOf(conditions[condition])
    if (found !== undefined) return found
  }
  return undefined
}
