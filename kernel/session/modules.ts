/**
 * Module hooks of the session (they run on Node's loader thread).
 *
 * - `shardbook` is the kernel's own copy, whoever imports it, so that objects of a cell and of the kernel are alike.
 * - A package that the notebook's folder lacks is looked for beside the kernel.
 * - Local TypeScript files are modules, also with the endings that TypeScript lets one leave out or write `.js`.
 * - Aliases of the user's tsconfig (`paths`) mean his files.
 * - Local modules are loaded anew after they, or what they import, have changed.
 * - `tslab` is the real package, whose displays go out through this kernel.
 */
import { readFile } from 'node:fs/promises'
import type { InitializeHook, LoadHook, ResolveFnOutput, ResolveHook } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { emit } from '../compile/emit.js'
import type { Aliases } from '../local-modules.js'
import { findAlias, findModule, isPath, moduleTimes } from '../local-modules.js'

const distFolder = new URL('../../', import.meta.url).href
// Named for the cells' sake: the kernel itself imports nothing of it but the core.
const root = new URL('src/index.js', distFolder).href
const tslabDoor = new URL('./tslab.js', import.meta.url).href

let aliases: Aliases = {}

export const initialize: InitializeHook<Aliases> = (data) => {
  aliases = data
}

export const resolve: ResolveHook = async (specifier, context, next) => {
  if (specifier === 'shardbook') return { url: root, format: 'module', shortCircuit: true }
  const file = context.parentURL?.includes('/node_modules/') === true ? undefined : findAlias(specifier, aliases)
  const found = await find(file === undefined ? specifier : pathToFileURL(file).href, context, next)
  if (specifier === 'tslab') {
    return { url: `${found.url}?displays`, format: 'module', shortCircuit: true }
  }
  return stamped(found)
}

const find: ResolveHook = async (specifier, context, next) => {
  try {
    return await next(specifier, context)
  } catch (error) {
    if (isPath(specifier) || specifier.startsWith('file:')) {
      const file = localFile(specifier, context.parentURL)
      if (file !== undefined) return { url: file, format: 'module', shortCircuit: true }
    } else if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') {
      try {
        return await next(specifier, { ...context, parentURL: root })
      } catch {
        // The first error names the user's own file.
        throw error
      }
    }
    throw error
  }
}

function localFile(specifier: string, parent: string | undefined): string | undefined {
  const path = specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier
  const folder = parent?.startsWith('file:') === true ? dirname(fileURLToPath(parent)) : process.cwd()
  const file = findModule(path, folder)
  return file !== undefined && /\.m?ts$/.test(file) ? pathToFileURL(file).href : undefined
}

function isOurs(url: string | undefined): boolean {
  return url?.startsWith(distFolder) === true
}

/** Gives a local module a URL of its own for each of its versions. */
function stamped(found: ResolveFnOutput): ResolveFnOutput {
  const { url, format } = found
  const isLocal = url.startsWith('file:') && !url.includes('/node_modules/') && !url.includes('?') && !isOurs(url)
  const isModule = format === 'module' || format === 'json' || /\.m?ts$/.test(url)
  if (!isLocal || !isModule) return found
  const version = Math.max(...moduleTimes(fileURLToPath(url), aliases).values())
  return { ...found, url: `${url}?v=${version}` }
}

export const load: LoadHook = async (url, context, next) => {
  const [address = '', query = ''] = url.split('?')
  if (query === 'displays') {
    const file = JSON.stringify(fileURLToPath(address))
    const source = `import { connect } from ${JSON.stringify(tslabDoor)}
connect(${file})
import tslab from ${JSON.stringify(address)}
export default tslab
export const { display, newDisplay, versions } = tslab`
    return { format: 'module', shortCircuit: true, source }
  }
  if (!address.startsWith('file:') || !/\.m?ts$/.test(address) || address.includes('/node_modules/')) {
    return next(url, context)
  }
  const path = fileURLToPath(address)
  return { format: 'module', shortCircuit: true, source: emit(path, await readFile(path, 'utf8')).code }
}
