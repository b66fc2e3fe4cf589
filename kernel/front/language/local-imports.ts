/** The user's own modules that cells import: which of them have changed since somebody asked last. */
import type { Aliases } from '../../local-modules.js'
import { findLocal, moduleTimes } from '../../local-modules.js'
import { importedModules } from '../../syntax.js'

export class LocalImports {
  private readonly folder: string
  private readonly imported = new Set<string>()
  /** When those and what they import changed last. */
  private times: ReadonlyMap<string, number> = new Map()

  constructor(folder: string) {
    this.folder = folder
  }

  /** Takes in what a cell imports; returns the modules that are other than they were. */
  changes(code: string, aliases: Aliases): { readonly path: string; readonly isNew: boolean }[] {
    for (const specifier of importedModules(code)) {
      const file = findLocal(specifier, this.folder, aliases)
      if (file !== undefined) this.imported.add(file)
    }
    const before = this.times
    const times = new Map<string, number>()
    for (const file of this.imported) moduleTimes(file, aliases, times)
    this.times = times
    const changed = [...times].filter(([file, time]) => before.get(file) !== time)
    return changed.map(([path]) => ({ path, isNew: !before.has(path) }))
  }
}
