/**
 * The names that cells leave to later ones, as one module which every cell imports and which exports all cells.
 *
 * TypeScript takes a new text of one file in a millisecond as long as no file's list of imported modules changes, and looks
 * at the whole program anew otherwise. So cells never import each other: each imports this module alone, and this module
 * names all cells that there is room for, used or not. An export carries the number of its cell (`x_3`), so a name that is
 * declared anew leaves the types of earlier cells as they were.
 */
import type { CellModule, NameKind } from './cells.js'

/** A name of an earlier cell. */
export interface CellName {
  readonly kind: NameKind
  /** The name under which the cell's declaration is exported. */
  readonly exported: string
  /** The name of a declaration with the static type that its value told after a cell ran. */
  readonly told?: string
}

export const namesSpecifier = './__cell_names'

export class Names {
  /** What the next cell may use. */
  readonly known = new Map<string, CellName>()
  /** By cell, its exports. */
  private readonly exports: string[][] = []
  private readonly told: string[] = []

  /**
   * Takes over what a cell declared.
   *
   * @param defined - the names that have a value; types always stay
   * @param types - static types that values told
   */
  accept({ declared }: CellModule, defined: ReadonlySet<string>, types: Readonly<Record<string, string>>): void {
    const cell = this.exports.length
    const own: string[] = []
    for (const [name, kind] of declared) {
      if (kind !== 'type' && !defined.has(name)) continue
      const exported = `${name}_${cell}`
      own.push(`${name} as ${exported}`)
      this.known.set(name, { kind, exported })
    }
    this.exports.push(own)
    for (const [name, type] of Object.entries(types)) {
      const known = this.known.get(name)
      if (known === undefined || known.kind === 'type') continue
      const told = `${name}_told_${cell}`
      this.told.push(`export declare const ${told}: ${type.replace(/\s+/g, ' ')};`)
      this.known.set(name, { ...known, told })
    }
  }

  /** The module's text, with so many cells. */
  text(cells: number): string {
    const lines = Array.from(
      { length: cells },
      (_, i) => `export { ${this.exports[i]?.join(', ') ?? ''} } from './__cell_${i}';`,
    )
    return [...lines, ...this.told].join('\n')
  }
}
