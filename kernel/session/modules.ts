/**
 * Module hooks of the session (they run on Node's loader thread).
 *
 * - `shardbook` is the kernel's own copy, whoever imports it, so that objects of a cell and of the kernel are alike.
 * - A package that the notebook's folder lacks is looked for beside the kernel.
 * - Local TypeScript files are modules, also with the endings that TypeScript lets one leave out or write `.js`.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { LoadHook, ResolveHook } from 'node:module'
import { fileURLToPath } from 'node:url'
import { emit } from '../compile/emit.js'

// Named for the cells' sake: the kernel itself imports nothing of it but the core.
const root = new URL('src/index.js', new URL('../../', import.meta.url)).href

export const resolve: ResolveHook = async (specifier, context, next) => {
  if (specifier === 'shardbook') return { url: root, format: 'module', shortCircuit: true }
  try {
    return await next(specifier, context)
  } catch (error) {
    if (/^\.\.?\/|^file:|^\//.test(specifier)) {
      const found = typescriptFile(specifier, context.parentURL)
      if (found !== undefined) return { url: found, format: 'module', shortCircuit: true }
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

function typescriptFile(specifier: string, parent: string | undefined): string | undefined {
  const base = new URL(specifier, parent).href
  const candidates = [base.replace(/\.(m?)js$/, '.$1ts'), `${base}.ts`, `${base}/index.ts`]
  return candidates.find((url) => /\.m?ts$/.test(url) && existsSync(fileURLToPath(url)))
}

export const load: LoadHook = async (url, context, next) => {
  if (!url.startsWith('file:') || !/\.m?ts$/.test(url) || url.includes('/node_modules/')) return next(url, context)
  const path = fileURLToPath(url)
  return { format: 'module', shortCircuit: true, source: emit(path, await readFile(path, 'utf8')).code }
}
