/**
 * Which of the server's files of cells are still needed: those whose names later cells can use, and what those import.
 *
 * Every file costs each check a little. A cell that is run again and again, or that declares nothing, must leave none.
 */

export class CellFiles {
  /** Number of a kept file to the numbers of those that it imports. */
  private readonly imports = new Map<number, readonly number[]>()

  /** Keeps file `number`, a cell's module with this text. */
  keep(number: number, text: string): void {
    const [header = ''] = text.split('\n', 1)
    this.imports.set(
      number,
      [...header.matchAll(/"\.\/__cell_(\d+)"/g)].map(([, one]) => Number(one)),
    )
  }

  /** Forgets the files that none of those with the numbers `live` needs, and returns their numbers. */
  drop(live: Iterable<number>): number[] {
    const needed = new Set<number>()
    const visit = (number: number): void => {
      if (needed.has(number)) return
      needed.add(number)
      this.imports.get(number)?.forEach(visit)
    }
    for (const number of live) visit(number)
    const dropped = [...this.imports.keys()].filter((number) => !needed.has(number))
    for (const number of dropped) this.imports.delete(number)
    return dropped
  }
}
