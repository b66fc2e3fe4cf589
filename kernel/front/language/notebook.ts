/**
 * What TypeScript knows of a notebook: checks of cells before they run, completions and hovers, and the names that
 * accepted cells leave to later ones.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { magicKinds, magicWords } from '../../compile/magic-kinds.js'
import { blankMagics, findMagics } from '../../compile/magics.js'
import type { Magic } from '../../compile/magics.js'
import type { Aliases } from '../../local-modules.js'
import { findJsx } from '../../syntax.js'
import type { CellModule } from './cells.js'
import { cellModule } from './cells.js'
import { hintFor } from './hints.js'
import { LocalImports } from './local-imports.js'
import type { Completion, CompletionItem, SignatureHelp } from './lsp-text.js'
import { completionOf, signatureText } from './lsp-text.js'
import { moduleOf, Names } from './names.js'
import { offsetAt, positionAt } from './position.js'
import type { LoadedConfig, OpenProject } from './project.js'
import { cellFile, loadProject, openProject } from './project.js'
import { Room } from './room.js'
import type { LanguageServer, LspPosition, LspRange } from './server.js'
import { findUserConfig } from './user-config.js'

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

interface DefinitionLink {
  readonly targetUri: string
  readonly targetRange: LspRange
}

/** Overloads and merged declarations have several. */
const shownDefinitions = 3

/** A module without types is used as `any`: the run can still tell what is wrong. */
const tolerated = new Set(['7016'])

export class NotebookLanguage {
  private readonly folder: string
  private readonly server: LanguageServer
  private readonly names = new Names()
  private readonly room: Room
  /** Ends when the server knows the names of the last cell. */
  private shared: Promise<void> = Promise.resolve()
  private isReady: Promise<void> | undefined
  private config: LoadedConfig | undefined
  private loaded: OpenProject['loaded']
  private readonly imports: LocalImports
  /** What is being written: completions and hovers look at it. */
  private readonly draft: string

  constructor(folder: string, { server, loaded }: OpenProject = openProject(folder)) {
    this.folder = folder
    this.draft = cellFile(folder, 'draft')
    this.imports = new LocalImports(folder)
    this.server = server
    this.room = new Room(server, folder, this.names)
    this.loaded = loaded
  }

  /** Resolves when the server has the standard library, for which the first cell would wait. */
  prepare(): Promise<void> {
    this.isReady ??= this.loaded.then((config) => {
      this.config = config
      this.room.growAtLeisure()
    })
    return this.isReady
  }

  /** The aliases of modules that the user's tsconfig has. */
  get aliases(): Aliases {
    return this.config?.aliases ?? {}
  }

  /** The module of a cell, as later cells will see it. */
  moduleOf(code: string): CellModule {
    return cellModule(code, this.names, this.names.take())
  }

  /** The errors of a cell, before it runs. */
  async check(module: CellModule): Promise<Problem[]> {
    const config = findUserConfig(this.folder)
    if (this.isReady !== undefined && config?.mtimeMs !== this.config?.file?.mtimeMs) await this.reload()
    await this.prepare()
    await this.shared
    await this.room.reach(module.cell)
    const changes = this.imports.changes(module.text, this.aliases)
    if (changes.length > 0) await this.server.noteFiles(changes)
    const file = cellFile(this.folder, module.cell)
    await this.server.write(file, module.text)
    const report = await this.server.ask<{ items?: readonly Diagnostic[] }>('textDocument/diagnostic', file)
    const problems = (report.items ?? [])
      .filter((one) => (one.severity ?? 1) === 1 && one.range.start.line > 0 && !tolerated.has(String(one.code)))
      .map((one) => problemOf(one, module.text))
    if (problems.length === 0) return problems
    this.names.giveBack(module.cell)
    const jsx = findJsx(module.text)
    return jsx === undefined ? problems : [jsxProblem(positionAt(module.text, jsx))]
  }

  /**
   * Leaves a checked cell's names to later cells.
   *
   * @param defined - the names that have a value; types always stay
   * @param types - static types that values told
   */
  accept(module: CellModule, defined: ReadonlySet<string>, types: Readonly<Record<string, string>>): void {
    this.names.accept(module, defined, types)
    // A server that ended gets all texts anew, and is told of by the next check.
    this.shared = this.shared.then(() => this.share(module.cell)).catch(() => {})
  }

  /** Forgets all names: the session that had their values is gone. */
  forget(): void {
    this.names.known.clear()
  }

  /** Reads the notebook's folder anew: packages have come or gone. */
  async reload(): Promise<void> {
    this.isReady = undefined
    this.server.restart()
    this.loaded = loadProject(this.server, this.folder)
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
    // Of several, clients ask for the documentation of the chosen one (`inspect`).
    const detailed = items.length === 1 ? [await this.server.resolve('completionItem/resolve', items[0]!)] : items
    return { start: offset - wanted.length, items: detailed.map(completionOf) }
  }

  /**
   * Markdown about what stands at `offset` (UTF-16) of a cell, or about the call whose arguments it lies in.
   *
   * @param detail - 1 adds the source of its definition
   */
  async inspect(code: string, offset: number, detail: 0 | 1 = 0): Promise<string | undefined> {
    const { plain, magic } = this.look(code, offset)
    const kind = magic === undefined ? undefined : magicKinds[magic.name]
    if (kind !== undefined) return `\`${kind.usage}\` ${kind.summary}.`
    await this.prepare()
    const file = await this.show(plain)
    const ask = <T>(method: string, at: number): Promise<T | null> =>
      this.server.ask(method, file, { position: cellPosition(plain, at) })
    // The cursor may stand behind the word.
    for (const at of offset > 0 ? [offset, offset - 1] : [offset]) {
      const hover = await ask<{ contents: { value: string } }>('textDocument/hover', at)
      // Of a name that does not exist the server says nothing but `any`.
      if (hover === null || hover.contents.value.trim() === '```typescript\nany\n```') continue
      if (detail === 0) return hover.contents.value
      const links = (await ask<readonly DefinitionLink[]>('textDocument/definition', at)) ?? []
      const sources = await Promise.all(links.slice(0, shownDefinitions).map((link) => this.source(link)))
      return [hover.contents.value, ...sources.map((source) => `\`\`\`typescript\n${source}\n\`\`\``)].join('\n\n')
    }
    const help = await ask<SignatureHelp>('textDocument/signatureHelp', offset)
    return help === null ? undefined : signatureText(help)
  }

  private async source({ targetUri, targetRange }: DefinitionLink): Promise<string> {
    const path = fileURLToPath(targetUri)
    const text = this.server.read(path) ?? (await readFile(path, 'utf8'))
    return text.slice(offsetAt(text, targetRange.start), offsetAt(text, targetRange.end))
  }

  close(): void {
    this.server.close()
  }

  /** The cell as TypeScript sees it, and the magic that holds `offset` without being TypeScript there. */
  private look(code: string, offset: number): { plain: string; magic: Magic | undefined } {
    const magics = findMagics(code, (name) => this.names.known.has(name))
    const magic = magics.find(({ name, start, argumentStart, end }) => {
      return offset >= start && offset <= (magicKinds[name]?.takesCode === true ? argumentStart - 1 : end)
    })
    return { plain: blankMagics(code, magics), magic }
  }

  /** Gives the cell to the server, with the names that it uses and those that begin with `prefix`. */
  private async show(plain: string, prefix?: string): Promise<string> {
    await this.shared
    await this.server.write(this.draft, cellModule(plain, this.names, 0, prefix).text)
    return this.draft
  }

  /** Tells the server the names of a cell that was accepted. */
  private async share(cell: number): Promise<void> {
    await this.room.reach(cell + 1)
    await this.room.share(moduleOf(cell))
    this.room.growAtLeisure()
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
