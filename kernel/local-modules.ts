/**
 * The user's own modules: files that a notebook imports by path or by an alias of its tsconfig, and the files that those
 * import.
 *
 * When one of them has changed on disk, the next cell that imports it gets the new text, types and values alike.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { importedModules } from './syntax.js'

interface Parsed {
  readonly mtimeMs: number
  readonly aliases: Aliases
  /** The user's own files that it imports. */
  readonly imports: readonly string[]
}

/** A tsconfig's `paths`, whose targets are absolute: `{ '@lib/*': ['/notebooks/lib/*'] }`. */
export type Aliases = Readonly<Record<string, readonly string[]>>

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

/**
 * The file that an import by an alias means: the alias without `*` goes first, then the one that leaves least to it.
 * Declarations only say what something else is.
 */
export function findAlias(specifier: string, aliases: Aliases): string | undefined {
  const fits = (alias: string): boolean => {
    const [start, end] = alias.split('*') as [string, string?]
    if (end === undefined) return specifier === alias
    return specifier.length >= start.length + end.length && specifier.startsWith(start) && specifier.endsWith(end)
  }
  const rank = (alias: string): number => (alias.includes('*') ? alias.indexOf('*') : Infinity)
  const [alias] = Object.keys(aliases)
    .filter(fits)
    .sort((a, b) => rank(b) - rank(a))
  if (alias === undefined) return undefined
  const star = alias.indexOf('*')
  const rest = star < 0 ? '' : specifier.slice(star, specifier.length - (alias.length - star - 1))
  const files = aliases[alias]!.map((target) =>
    findModule(
      target.replace('*', () => rest),
      '/',
    ),
  )
  return files.find((file) => file !== undefined && !/\.d\.[cm]?ts$/.test(file))
}

/** The user's own file that a module in `folder` imports, where it is one. */
export function findLocal(specifier: string, folder: string, aliases: Aliases): string | undefined {
  return isPath(specifier) ? findModule(specifier, folder) : findAlias(specifier, aliases)
}

/** A module and all of the user's own that it imports, directly or not, each with the time of its last change. */
export function moduleTimes(
  file: string,
  aliases: Aliases,
  times = new Map<string, number>(),
): ReadonlyMap<string, number> {
  if (times.has(file) || !existsSync(file)) return times
  const { mtimeMs } = statSync(file)
  times.set(file, mtimeMs)
  let known = parsed.get(file)
  if (known?.mtimeMs !== mtimeMs || known.aliases !== aliases) {
    known = { mtimeMs, aliases, imports: /\.[cm]?[jt]sx?$/.test(file) ? importsOf(file, aliases) : [] }
    parsed.set(file, known)
  }
  for (const one of known.imports) moduleTimes(one, aliases, times)
  return times
}

function importsOf(file: string, aliases: Aliases): string[] {
  const specifiers = importedModules(readFileSync(file, 'utf8'))
  return specifiers.flatMap((specifier) => findLocal(specifier, dirname(file), aliases) ?? [])
}
