/**
 * The names that cells leave to later ones, as modules which every cell imports and which export all cells.
 *
 * TypeScript takes a new text of one file in a millisecond as long as no file's list of imported modules changes, and looks
 * at the whole program anew otherwise. So cells never import each other: each imports all modules of names, and these name
 * all cells that there is room for, used or not. A module of names holds a fixed number of cells: what is sent for a cell
 * does not grow with the notebook. An export carries the number of its cell (`x_3`), so a name that is declared anew leaves
 * the types of earlier cells as they were.
 */
import type { CellModule, NameKind } from './cells.js'

/** A name of an earlier cell. */
export interface CellName {
  readonly kind: NameKind
  /** Where the cell's declaration is exported, and under which name. */
  readonly declared: Export
  /** The same of a declaration with the static type that its value told after a cell ran. */
  readonly told?: Export
}

interface Export {
  readonly name: string
  /** The number of the module of names. */
  readonly module: number
}

/** So many cells share a module of names; files for so many are made at a time. */
export const cellsPerModule = 32

export class Names {
  /** What the next cell may use. */
  readonly known = new Map<string, CellName>()
  /** How many numbers of cells are in use or were. */
  private taken = 0
  /** Numbers of cells that were refused. */
  private readonly free: number[] = []
  /** By cell, its exports. */
  private readonly exports: (readonly string[])[] = []
  /** By module, what values told. */
  private readonly told: string[][] = []

  /** The number of a new cell. */
  take(): number {
    return this.free.pop() ?? this.taken++
  }

  /** The cell with this number was refused: another may have it. */
  giveBack(cell: number): void {
    this.free.push(cell)
  }

  /**
   * Takes over what a cell declared.
   *
   * @param defined - the names that have a value; types always stay
   * @param types - static types that values told
   */
  accept({ cell, declared }: CellModule, defined: ReadonlySet<string>, types: Readonly<Record<string, string>>): void {
    const module = moduleOf(cell)
    const own: string[] = []
    for (const [name, kind] of declared) {
      if (kind !== 'type' && !defined.has(name)) continue
      own.push(`${name} as ${name}_${cell}`)
      this.known.set(name, { kind, declared: { name: `${name}_${cell}`, module } })
    }
    this.exports[cell] = own
    const told = (this.told[module] ??= [])
    for (const [name, type] of Object.entries(types)) {
      const known = this.known.get(name)
      if (known === undefined || known.kind === 'type') continue
      told.push(`export declare const ${name}_told_${cell}: ${type.replace(/\s+/g, ' ')};`)
      this.known.set(name, { ...known, told: { name: `${name}_told_${cell}`, module } })
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

/** The import statements of a cell, in one line: of every module of names, whether or not it takes something of it. */
export function importNames(cell: number, wanted: readonly { readonly from: Export; readonly as?: string }[]): string {
  const imports = Array.from({ length: moduleOf(cell) + 1 }, (): string[] => [])
  for (const { from, as } of wanted) imports[from.module]!.push(as === undefined ? from.name : `${from.name} as ${as}`)
  return imports.map((list, module) => `import { ${list.join(', ')} } from './__cell_names_${module}'; `).join('')
}

/** A cell's file before it has a text. */
export function emptyCell(cell: number): string {
  return `${importNames(cell, [])}\nexport {}`
}

/** The number of the module that exports a cell's names. */
export function moduleOf(cell: number): number {
  return Math.floor(cell / cellsPerModule)
}
