/**
 * What TypeScript knows of a notebook: checks of cells before they run, completions and hovers, and the names that
 * accepted cells leave to later ones.
 */
import { join } from 'node:path'
import { blankMagics, findMagics, magicKinds, magicWords } from '../../compile/magics.js'
import type { Magic } from '../../compile/magics.js'
import { findModule, isPath, moduleTimes } from '../../local-modules.js'
import { findJsx, importedModules } from '../../syntax.js'
import { CellFiles } from './cell-files.js'
import type { CellModule, CellName } from './cells.js'
import { cellModule } from './cells.js'
import { hintFor } from './hints.js'
import type { Completion, CompletionItem, SignatureHelp } from './lsp-text.js'
import { completionOf, detailedItems, signatureText } from './lsp-text.js'
import { positionAt } from './position.js'
import { projectConfig } from './project.js'
import type { LspPosition, LspRange } from './server.js'
import { compilerExecutable, LanguageServer } from './server.js'
import { findUserConfig, readUserConfig } from './user-config.js'

/** An error of a cell; 1-based lines and columns of the user's text. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly start: { readonly line: number; readonly column: number }
  readonly end: { readonly line: number; readonly column: number }
}

interface Diagnostic {
  readonly severity?: number
  readonly code?: number | string
  readonly message: string
  readonly range: LspRange
}

/** A module without types is used as `any`: the run can still tell what is wrong. */
const tolerated = new Set(['7016'])

export class NotebookLanguage {
  private readonly folder: string
  private readonly server: LanguageServer
  private readonly names = new Map<string, CellName>()
  private readonly files = new CellFiles()
  /** How many cells were accepted; the next one is the file with this number. */
  private accepted = 0
  private isReady: Promise<void> | undefined
  private config: ReturnType<typeof findUserConfig>
  /** The user's own modules that cells import, and when those and what they import changed last. */
  private readonly imported = new Set<string>()
  private times: ReadonlyMap<string, number> = new Map()

  constructor(folder: string) {
    this.folder = folder
    this.server = new LanguageServer(folder)
  }

  /** Starts the server and loads the standard library, so that the first cell does not wait for it. */
  prepare(): Promise<void> {
    this.isReady ??= (async () => {
      const found = (this.config = findUserConfig(this.folder))
      const user = found === undefined ? undefined : await readUserConfig(found.file, compilerExecutable())
      const config = projectConfig(this.folder, '__cell_*.ts', user)
      await this.server.write(join(this.folder, 'tsconfig.json'), config, 'json')
      await this.server.write(this.file(0), 'export {}')
      await this.server.ask('textDocument/diagnostic', this.file(0))
    })()
    return this.isReady
  }

  /** The module of a cell, as later cells will see it. */
  moduleOf(code: string): CellModule {
    return cellModule(code, this.names)
  }

  /** The errors of a cell, before it runs. */
  async check(module: CellModule): Promise<Problem[]> {
    const config = findUserConfig(this.folder)
    if (this.isReady !== undefined && config?.mtimeMs !== this.config?.mtimeMs) await this.reload()
    await this.prepare()
    await this.dropFiles()
    await this.noteChanges(module.text)
    await this.server.write(this.file(this.accepted), module.text)
    const report = await this.server.ask<{ items?: readonly Diagnostic[] }>(
      'textDocument/diagnostic',
      this.file(this.accepted),
    )
    const jsx = findJsx(module.text)
    if (jsx !== undefined) return [jsxProblem(positionAt(module.text, jsx))]
    return (report.items ?? [])
      .filter((one) => (one.severity ?? 1) === 1 && one.range.start.line > 0 && !tolerated.has(String(one.code)))
      .map((one) => problemOf(one, module.text))
  }

  /**
   * Leaves a checked cell's names to later cells.
   *
   * @param defined - the names that have a value; types always stay
   * @param types - static types that values told
   */
  accept(module: CellModule, defined: ReadonlySet<string>, types: Readonly<Record<string, string>>): void {
    const specifier = `./__cell_${this.accepted}`
    const left = [...module.declared].filter(([name, kind]) => kind === 'type' || defined.has(name))
    for (const [name, kind] of left) this.names.set(name, { kind, module: specifier })
    // A cell that leaves nothing leaves its file to the next one.
    if (left.length > 0) this.files.keep(this.accepted++, module.text)
    for (const [name, selfType] of Object.entries(types)) {
      const known = this.names.get(name)
      if (known !== undefined && known.kind !== 'type') this.names.set(name, { ...known, selfType })
    }
  }

  /** Forgets all names: the session that had their values is gone. */
  forget(): void {
    this.names.clear()
  }

  /** Reads the notebook's folder anew: packages have come or gone. */
  async reload(): Promise<void> {
    this.isReady = undefined
    this.server.restart()
    await this.prepare()
  }

  /** What could stand at `offset` (UTF-16) of a cell, and the offset where it would begin. */
  async complete(code: string, offset: number): Promise<{ start: number; items: Completion[] }> {
    const { plain, magic } = this.look(code, offset)
    const word = /(?:^|\n)(%{1,2}\w*)$/.exec(code.slice(0, offset))?.[1]
    if (word !== undefined) return { start: offset - word.length, items: completeMagic(word) }
    if (magic !== undefined) return { start: offset, items: [] }
    await this.prepare()
    const before = /([.]?)([\p{ID_Continue}$]*)$/u.exec(plain.slice(0, offset))!
    const wanted = before[2]!.toLowerCase()
    const file = await this.show(plain, before[1] === '' ? wanted : undefined)
    const list = await this.server.ask<{ items: readonly CompletionItem[] } | null>('textDocument/completion', file, {
      position: cellPosition(plain, offset),
    })
    const items = (list?.items ?? [])
      .filter((item) => (item.filterText ?? item.label).toLowerCase().startsWith(wanted))
      .sort((a, b) => compare(a.sortText ?? a.label, b.sortText ?? b.label) || compare(a.label, b.label))
    const detailed = await Promise.all(
      items.slice(0, detailedItems).map((item) => this.server.resolve('completionItem/resolve', item)),
    )
    return { start: offset - wanted.length, items: [...detailed, ...items.slice(detailedItems)].map(completionOf) }
  }

  /** Markdown about what stands at `offset` (UTF-16) of a cell, or about the call whose arguments it lies in. */
  async inspect(code: string, offset: number): Promise<string | undefined> {
    const { plain, magic } = this.look(code, offset)
    const kind = magic === undefined ? undefined : magicKinds[magic.name]
    if (kind !== undefined) return `\`${kind.usage}\` ${kind.summary}.`
    await this.prepare()
    const file = await this.show(plain)
    const hover = (at: number): Promise<{ contents: { value: string } } | null> =>
      this.server.ask('textDocument/hover', file, { position: cellPosition(plain, at) })
    // The cursor may stand behind the word.
    const found = (await hover(offset)) ?? (offset > 0 ? await hover(offset - 1) : null)
    if (found !== null) return found.contents.value
    const help = await this.server.ask<SignatureHelp | null>('textDocument/signatureHelp', file, {
      position: cellPosition(plain, offset),
    })
    return help === null ? undefined : signatureText(help)
  }

  close(): void {
    this.server.close()
  }

  private async dropFiles(): Promise<void> {
    const live = [...this.names.values()].map(({ module }) => Number(/\d+$/.exec(module)![0]))
    for (const number of this.files.drop(live)) await this.server.remove(this.file(number))
  }

  /** Tells the server which of the user's own modules have changed since the last check. */
  private async noteChanges(text: string): Promise<void> {
    for (const specifier of importedModules(text)) {
      const file = isPath(specifier) ? findModule(specifier, this.folder) : undefined
      if (file !== undefined) this.imported.add(file)
    }
    const times = new Map<string, number>()
    for (const file of this.imported) moduleTimes(file, times)
    const changed = [...times].filter(([file, time]) => this.times.get(file) !== time)
    if (changed.length > 0) {
      await this.server.noteFiles(changed.map(([path]) => ({ path, isNew: !this.times.has(path) })))
    }
    this.times = times
  }

  /** The cell as TypeScript sees it, and the magic that holds `offset` without being TypeScript there. */
  private look(code: string, offset: number): { plain: string; magic: Magic | undefined } {
    const magics = findMagics(code, (name) => this.names.has(name))
    const magic = magics.find(({ name, start, argumentStart, end }) => {
      return offset >= start && offset <= (magicKinds[name]?.takesCode === true ? argumentStart - 1 : end)
    })
    return { plain: blankMagics(code, magics), magic }
  }

  /** Gives the cell to the server, with the names that it uses and those that begin with `prefix`. */
  private async show(plain: string, prefix?: string): Promise<string> {
    const file = this.file(this.accepted)
    await this.server.write(file, cellModule(plain, this.names, prefix).text)
    return file
  }

  private file(number: number): string {
    return join(this.folder, `__cell_${number}.ts`)
  }
}

/** The header is line 0 of the server's file and the footer its last, so lines are the user's when counted from 1. */
function problemOf({ code, message, range }: Diagnostic, text: string): Problem {
  const lines = text.split('\n').slice(1, -1)
  // What is missing at the end of the cell is noticed in the footer.
  const place = ({ line, character }: LspPosition): Problem['start'] =>
    line <= lines.length ? { line, column: character + 1 } : { line: lines.length, column: lines.at(-1)!.length + 1 }
  const hint = hintFor(String(code), message)
  const whole = hint === undefined ? message : `${message} ${hint}`
  return { code: `TS${code ?? ''}`, message: whole, start: place(range.start), end: place(range.end) }
}

function jsxProblem({ line, character }: LspPosition): Problem {
  const start = { line, column: character + 1 }
  const message = 'Cells are TypeScript without JSX. Call the function that makes the element, such as createElement.'
  return { code: 'JSX', message, start, end: { line, column: character + 2 } }
}

/** The header is one line in front of the cell. */
function cellPosition(code: string, offset: number): LspPosition {
  const { line, character } = positionAt(code, offset)
  return { line: line + 1, character }
}

function completeMagic(word: string): Completion[] {
  return magicWords
    .filter((one) => one.startsWith(word))
    .map((one) => ({ text: one, kind: 'magic', signature: magicKinds[one.replace(/^%+/, '')]?.summary ?? '' }))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
