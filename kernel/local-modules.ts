/**
 * The user's own modules: files that a notebook imports by path, and the files that those import.
 *
 * When one of them has changed on disk, the next cell that imports it gets the new text, types and values alike.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { importedModules } from './syntax.js'

interface Parsed {
  readonly mtimeMs: number
  /** The files that it imports by path. */
  readonly imports: readonly string[]
}

const parsed = new Map<string, Parsed>()

export function isPath(specifier: string): boolean {
  return /^\.\.?\/|^\//.test(specifier)
}

/** The file that an import by path means: TypeScript lets one leave out the ending or write `.js`. */
export function findModule(specifier: string, folder: string): string | undefined {
  const path = resolve(folder, specifier)
  const candidates = [path.replace(/\.(m?)js$/, '.$1ts'), path, `${path}.ts`, `${path}/index.ts`]
  return candidates.find((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
}

/** A module and all that it imports by path, directly or not, each with the time of its last change. */
export function moduleTimes(file: string, times = new Map<string, number>()): ReadonlyMap<string, number> {
  if (times.has(file) || !existsSync(file)) return times
  const { mtimeMs } = statSync(file)
  times.set(file, mtimeMs)
  let known = parsed.get(file)
  if (known?.mtimeMs !== mtimeMs) {
    known = { mtimeMs, imports: /\.[cm]?[jt]sx?$/.test(file) ? importsOf(file) : [] }
    parsed.set(file, known)
  }
  for (const one of known.imports) moduleTimes(one, times)
  return times
}

function importsOf(file: string): string[] {
  const specifiers = importedModules(readFileSync(file, 'utf8'))
  return specifiers.filter(isPath).flatMap((specifier) => findModule(specifier, dirname(file)) ?? [])
}
