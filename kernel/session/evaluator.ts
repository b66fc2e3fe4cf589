/**
 * Runs cells in the main realm over one object of names.
 *
 * The object has no prototype and gets its properties by named stores only: V8 then keeps it in its fast form up to a
 * thousand names, which a cell's hot loops feel (8x). Relative imports resolve from the notebook's folder, since each
 * cell's script is named as a file there.
 */
import type { SourceMapPayload } from 'node:module'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import vm from 'node:vm'
import type { SelfTyped } from '../../src/core/display.js'
import { typeSymbol } from '../../src/core/display.js'
import { emit } from './emit.js'
import type { Rewritten } from './rewrite.js'
import { rewrite } from './rewrite.js'

/** A compiled cell: what is needed to find the user's own lines again. */
export interface CellSource {
  /** `Cell[3]` */
  readonly label: string
  readonly code: string
  /** Source maps from the script back to the user's text, outermost first. */
  readonly maps: readonly SourceMapPayload[]
}

/** What the rewritten code of one cell calls. */
interface CellScope extends Waits {
  done: number
  readonly meta: ImportMeta
  bind(namespace: Namespace, names: Readonly<Record<string, string>>): void
}

interface Waits {
  wait: Wait
  each(values: AsyncIterable<unknown> | Iterable<unknown>): AsyncIterable<unknown>
}

type Namespace = Readonly<Record<string, unknown>>
type Names = Record<string, unknown>
type Compiled = (names: Names, cell: CellScope) => Promise<{ value: unknown } | undefined>

/** What an awaited value goes through first. */
type Wait = (value: unknown) => unknown

/** One cell, ready to run. */
export interface Cell {
  /** The name of its script. */
  readonly filename: string
  readonly maps: CellSource['maps']
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

export class Evaluator {
  readonly names: Names = Object.setPrototypeOf({}, null) as Names
  /** Every cell by the file name that its stack frames carry. */
  readonly sources = new Map<string, CellSource>()
  private readonly cwd: string
  private serial = 0

  constructor(cwd: string) {
    this.cwd = cwd
  }

  /**
   * Compiles a cell.
   *
   * @throws SyntaxError where the text is not TypeScript
   */
  compile(code: string, label: string): Cell {
    const filename = join(this.cwd, `__cell_${++this.serial}.ts`)
    const emitted = emit(filename, code)
    const rewritten = rewrite(emitted.code, (name) => Object.hasOwn(this.names, name))
    this.sources.set(filename, { label, code, maps: [rewritten.map, emitted.map] })
    const script = new vm.Script(rewritten.code, {
      filename,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    })
    const compiled = script.runInThisContext() as Compiled
    const bound = new Set<string>()
    const scope = this.scope(filename, bound)
    return {
      filename,
      maps: [rewritten.map, emitted.map],
      run: (wait = (value) => value) => compiled(this.names, Object.assign(scope, waits(wait))),
      defined: () => definedNames(rewritten, scope.done, bound),
      types: () => this.types(rewritten.used),
    }
  }

  private scope(filename: string, bound: Set<string>): Omit<CellScope, keyof Waits> {
    return {
      done: 0,
      meta: importMeta(filename),
      bind: (namespace, spec) => {
        for (const [local, imported] of Object.entries(spec)) {
          this.bind(local, namespace, imported)
          bound.add(local)
        }
      },
    }
  }

  /** Binds an imported name live, as a module would; a CommonJS module's names may hide in its default export. */
  private bind(local: string, namespace: Namespace, imported: string): void {
    const own = { configurable: true, enumerable: true }
    if (imported === '*') {
      Object.defineProperty(this.names, local, { ...own, value: namespace, writable: true })
      return
    }
    const fallback = namespace['default'] as Namespace | null | undefined
    Object.defineProperty(this.names, local, {
      ...own,
      get: () => (imported in namespace ? namespace[imported] : fallback?.[imported]),
      // A later cell that declares the name anew replaces the import.
      set: (value: unknown) => {
        Object.defineProperty(this.names, local, { ...own, value, writable: true })
      },
    })
  }

  private types(used: ReadonlySet<string>): Record<string, string> {
    const types: Record<string, string> = {}
    for (const name of used) {
      const value = this.names[name] as Partial<SelfTyped> | null | undefined
      if (typeof value !== 'object' || value === null) continue
      try {
        const type = value[typeSymbol]?.()
        if (typeof type === 'string') types[name] = type
      } catch {
        // It does not know its type after all: the one that the checker infers stays.
        continue
      }
    }
    return types
  }
}

function definedNames(cell: Rewritten, done: number, bound: ReadonlySet<string>): string[] {
  return [...cell.declared].filter(([name, statements]) => statements <= done || bound.has(name)).map(([name]) => name)
}

function importMeta(filename: string): ImportMeta {
  const { resolve: resolveFrom } = createRequire(filename)
  return {
    dirname: join(filename, '..'),
    filename,
    url: pathToFileURL(filename).href,
    resolve: (specifier: string) => pathToFileURL(resolveFrom(specifier)).href,
  }
}

function waits(wait: Wait): Waits {
  return { wait, each: (values) => awaited(values, wait) }
}

/** `for await` over `values` whose waits an interrupt can reject. */
async function* awaited(values: AsyncIterable<unknown> | Iterable<unknown>, wait: Wait): AsyncIterable<unknown> {
  if (!(Symbol.asyncIterator in values)) {
    for (const value of values) yield await wait(value)
    return
  }
  const iterator = values[Symbol.asyncIterator]()
  let isOver = false
  try {
    for (;;) {
      const next = (await wait(iterator.next())) as IteratorResult<unknown>
      if (next.done === true) {
        isOver = true
        return
      }
      yield next.value
    }
  } finally {
    if (!isOver) void iterator.return?.()
  }
}
