/** What the user's own tsconfig says about how cells are checked: the nearest one above the notebook. */
import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Aliases } from '../../local-modules.js'

type Options = Readonly<Record<string, unknown>>

/** What is checked is the user's choice; what runs (module system, target, output) is the kernel's. */
const respected: ReadonlySet<string> = new Set(
  `strict alwaysStrict noImplicitAny noImplicitThis strictNullChecks strictFunctionTypes strictBindCallApply
  strictPropertyInitialization strictBuiltinIteratorReturn useUnknownInCatchVariables noUncheckedIndexedAccess
  exactOptionalPropertyTypes noImplicitOverride noImplicitReturns noFallthroughCasesInSwitch skipLibCheck
  noPropertyAccessFromIndexSignature allowUnreachableCode allowUnusedLabels allowUmdGlobalAccess erasableSyntaxOnly
  lib types customConditions`.split(/\s+/),
)

export interface UserConfig {
  readonly options: Options
  readonly typeRoots: readonly string[]
  readonly paths: Aliases
}

export interface UserConfigFile {
  readonly file: string
  /** The time of its last change. */
  readonly mtimeMs: number
}

/** The nearest tsconfig.json at or above `folder`. */
export function findUserConfig(folder: string): UserConfigFile | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, 'tsconfig.json')
    const stat = statSync(file, { throwIfNoEntry: false })
    if (stat?.isFile() === true) return { file, mtimeMs: stat.mtimeMs }
    if (dirname(at) === at) return undefined
  }
}

/** Reads a tsconfig with all that it extends, as the compiler at `tsc` understands it. */
export async function readUserConfig(file: string, tsc: string): Promise<UserConfig> {
  const { stdout } = await promisify(execFile)(tsc, ['-p', file, '--showConfig'])
  const { compilerOptions = {} } = JSON.parse(stdout) as { compilerOptions?: Options }
  const folder = dirname(file)
  const base = resolve(folder, String(compilerOptions['baseUrl'] ?? '.'))
  const typeRoots = (compilerOptions['typeRoots'] ?? []) as readonly string[]
  const paths = (compilerOptions['paths'] ?? {}) as Readonly<Record<string, readonly string[]>>
  return {
    options: Object.fromEntries(Object.entries(compilerOptions).filter(([name]) => respected.has(name))),
    typeRoots: typeRoots.map((root) => resolve(folder, root)),
    paths: Object.fromEntries(
      Object.entries(paths).map(([alias, targets]) => [alias, targets.map((target) => resolve(base, target))]),
    ),
  }
}
