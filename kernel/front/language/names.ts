/**
 * The names that cells leave to later ones, as modules that export all cells, and one module, which every cell imports, that
 * exports those.
 *
 * TypeScript takes a new text of one file in a millisecond as long as no file's list of imported modules changes, and looks
 * at the whole program anew otherwise. So cells never import each other, and the modules of names export all cells that
 * there is room for, used or not. A module of names holds a fixed number of cells: what is sent for a cell does not grow with
 * the notebook. An export carries the number of its cell (`x_3`), so a name that is declared anew leaves the types of
 * earlier cells as they were.
 */
import type { CellModule, NameKind } from './cells.js'

/** A name of an earlier cell. */
export interface CellName {
  readonly kind: NameKind
  /** What the cell's declaration is exported as. */
  readonly declared: string
  /** The same of a declaration with the static type that its value told after a cell ran. */
  readonly told?: string
}

/** So many cells share a module of names. */
export const cellsPerModule = 32

export class Names {
  /** What the next cell may use. */
  readonly known = new Map<string, CellName>()
  /** How many numbers of cells are in use or were. */
  taken = 0
  /** Numbers of cells that were refused or left nothing. */
  private readonly free: number[] = []
  /** By cell, its exports. */
  private readonly exports: (readonly string[])[] = []
  /** By module, what values told. */
  private readonly told: string[][] = []

  /** The number of a new cell. */
  take(): number {
    return this.free.pop() ?? this.taken++
  }

  /** Nobody needs the cell with this number: another may have it. */
  giveBack(cell: number): void {
    this.free.push(cell)
  }

  /**
   * Takes over what a cell declared.
   *
   * @param defined - the names that have a value; types always stay
   * @param types - static types that values told
   */
  accept(
    { cell, declared, text }: CellModule,
    defined: ReadonlySet<string>,
    types: Readonly<Record<string, string>>,
  ): void {
    const own: string[] = []
    for (const [name, kind] of declared) {
      if (kind !== 'type' && !defined.has(name)) continue
      own.push(`${name} as ${name}_${cell}`)
      this.known.set(name, { kind, declared: `${name}_${cell}` })
    }
    this.exports[cell] = own
    if (own.length === 0 && !/\bdeclare\s+(?:global|module)\b/.test(text)) this.giveBack(cell)
    const told = (this.told[moduleOf(cell)] ??= [])
    for (const [name, type] of Object.entries(types)) {
      const known = this.known.get(name)
      if (known === undefined || known.kind === 'type') continue
      told.push(`export declare const ${name}_told_${cell}: ${type.replace(/\s+/g, ' ')};`)
      this.known.set(name, { ...known, told: `${name}_told_${cell}` })
    }
  }

  /** The text of a module of names, where there is room for so many cells. */
  text(module: number, room: number): string {
    const first = module * cellsPerModule
    const cells = Array.from({ length: Math.min(cellsPerModule, room - first) }, (_, i) => first + i)
    const lines = cells.map((cell) => `export { ${this.exports[cell]?.join(', ') ?? ''} } from './__cell_${cell}';`)
    return [...lines, ...(this.told[module] ?? [])].join('\n')
  }
}

/** The text of the module that all cells import, where there is room for so many cells. */
export function allNames(room: number): string {
  const modules = Array.from(
    { length: moduleOf(room - 1) + 1 },
    (_, module) => `export * from './__cell_names_${module}'`,
  )
  return modules.join('\n')
}

/** The import statement of a cell, whether or not it takes something. */
export function importNames(wanted: readonly string[]): string {
  return `import { ${wanted.join(', ')} } from './__cell_names'; `
}

/** A cell's file before it has a text. */
export function emptyCell(): string {
  return `${importNames([])}\nexport {}`
}

/** The number of the module that exports a cell's names. */
export function moduleOf(cell: number): number {
  return Math.floor(cell / cellsPerModule)
}
