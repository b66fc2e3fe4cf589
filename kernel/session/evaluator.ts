/**
 * Runs compiled cells in the main realm over the notebook's names.
 *
 * The names are properties of a few objects without a prototype (`compile/names` says which lies where) that get them by
 * named stores only. Relative imports resolve from the notebook's folder, since each cell's script is named as a file there.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import vm from 'node:vm'
import type { SelfTyped } from '../../src/core/display.js'
import { typeSymbol } from '../../src/core/display.js'
import type { Script } from '../compile/compile.js'
import { Disposables } from './disposables.js'
import type { Magics } from './magics.js'
import type { Each, Wait } from './waits.js'
import { eachBy } from './waits.js'

/** What the rewritten code of one cell calls. */
interface CellScope {
  done: number
  readonly meta: ImportMeta
  readonly constants: object
  readonly magics: Magics
  bind(namespace: Namespace, names: readonly (readonly [place: number, local: string, imported: string])[]): void
  using<T>(value: T): T
  awaitUsing<T>(value: T): T
  wait: Wait
  each: Each
}

type Namespace = Readonly<Record<string, unknown>>
type Names = Record<string, unknown>
type Compiled = (cell: CellScope, ...names: Names[]) => Promise<{ value: unknown } | undefined>

/** One cell, ready to run. */
export interface Cell {
  /**
   * Runs it; resolves to the value of its last expression, wrapped so that a promise stays one.
   *
   * @param wait - stands in front of every top-level `await`
   */
  run(wait?: Wait): Promise<{ value: unknown } | undefined>
  /** Names it declares that have a value by now. */
  defined(): string[]
  /** Static types of the values (of names it used) that know theirs. */
  types(): Record<string, string>
}

/** Assigning a constant throws as it does in a module, whatever the type check was told to ignore. */
const constants = new Proxy(Object.freeze({}), {
  set: () => {
    throw new TypeError('Assignment to constant variable.')
  },
})

export class Evaluator {
  /** Every cell by the file name that its stack frames carry. */
  readonly scripts = new Map<string, Script>()
  private readonly magics: Magics
  private places: Names[] = []

  constructor(magics: Magics) {
    this.magics = magics
  }

  /** Makes a cell ready to run. */
  load(script: Script): Cell {
    const { filename, code, declared, used } = script
    this.scripts.set(filename, script)
    const compiled = new vm.Script(code, {
      filename,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    }).runInThisContext() as Compiled
    for (const [, place] of used) this.place(place)
    this.place(0)
    const { places } = this
    const bound = new Set<string>()
    const disposables = new Disposables()
    const plainly: Wait = (value) => value
    const scope: CellScope = {
      wait: plainly,
      each: eachBy(plainly),
      done: 0,
      meta: importMeta(filename),
      constants,
      magics: this.magics,
      bind: (namespace, names) => {
        for (const [place, local, imported] of names) {
          bind(places[place]!, local, namespace, imported)
          bound.add(local)
        }
      },
      using: (value) => disposables.use(value, false),
      awaitUsing: (value) => disposables.use(value, true),
    }
    return {
      run: (wait = plainly) => {
        scope.wait = wait
        scope.each = eachBy(wait)
        return disposables.around(() => compiled(scope, ...places))
      },
      defined: () => declared.filter(([name, count]) => count <= scope.done || bound.has(name)).map(([name]) => name),
      types: () => types(used, places),
    }
  }

  /** The names that have values, with them. */
  entries(): [name: string, value: unknown][] {
    return this.places.flatMap((names) => Object.entries(names))
  }

  /** The objects that hold the names. */
  objects(): readonly object[] {
    return this.places
  }

  /** Forgets all names. */
  reset(): void {
    this.places = []
  }

  private place(number: number): void {
    while (this.places.length <= number) this.places.push(Object.setPrototypeOf({}, null) as Names)
  }
}

/** Binds an imported name live, as a module would; a CommonJS module's names may hide in its default export. */
function bind(names: Names, local: string, namespace: Namespace, imported: string): void {
  const own = { configurable: true, enumerable: true }
  if (imported === '*') {
    Object.defineProperty(names, local, { ...own, value: namespace, writable: true })
    return
  }
  const fallback = namespace['default'] as Namespace | null | undefined
  Object.defineProperty(names, local, {
    ...own,
    get: () => (imported in namespace ? namespace[imported] : fallback?.[imported]),
    // A later cell that declares the name anew replaces the import.
    set: (value: unknown) => {
      Object.defineProperty(names, local, { ...own, value, writable: true })
    },
  })
}

function types(used: Script['used'], places: readonly Names[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, place] of used) {
    try {
      const value = places[place]![name] as Partial<SelfTyped> | null | undefined
      if (typeof value !== 'object' || value === null) continue
      const type = value[typeSymbol]?.()
      if (typeof type === 'string') found[name] = type
    } catch {
      // It does not know its type after all: the one that the checker infers stays.
      continue
    }
  }
  return found
}

function importMeta(filename: string): ImportMeta {
  return {
    dirname: join(filename, '..'),
    filename,
    url: pathToFileURL(filename).href,
    resolve: (specifier: string) => pathToFileURL(createRequire(filename).resolve(specifier)).href,
  }
}
