/**
 * What TypeScript knows of a notebook: checks of cells before they run, completions and hovers, and the names that
 * accepted cells leave to later ones.
 */
import { join } from 'node:path'
import { blankMagics, findMagics, magicKinds, magicWords } from '../../compile/magics.js'
import type { Magic } from '../../compile/magics.js'
import type { CellModule } from './cells.js'
import { cellModule } from './cells.js'
import { cellsPerModule, importNames, moduleOf, Names } from './names.js'
import { positionAt } from './position.js'
import { projectConfig } from './project.js'
import type { LspPosition, LspRange } from './server.js'
import { LanguageServer } from './server.js'

/** An error of a cell; 1-based lines and columns of the user's text. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly start: { readonly line: number; readonly column: number }
  readonly end: { readonly line: number; readonly column: number }
}

export interface Completion {
  readonly text: string
  readonly kind: string
  readonly signature: string
  readonly documentation?: string
}

interface Diagnostic {
  readonly severity?: number
  readonly code?: number | string
  readonly message: string
  readonly range: LspRange
}

interface CompletionItem {
  readonly label: string
  readonly kind?: number
  readonly detail?: string
  readonly sortText?: string
  readonly filterText?: string
  readonly insertText?: string
  readonly documentation?: string | { readonly value: string }
}

interface SignatureHelp {
  readonly activeSignature?: number
  readonly activeParameter?: number
  readonly signatures: readonly {
    readonly label: string
    readonly documentation?: string | { readonly value: string }
    readonly activeParameter?: number
    readonly parameters?: readonly {
      readonly label: string | readonly [number, number]
      readonly documentation?: string | { readonly value: string }
    }[]
  }[]
}

/** So many completions come with signature and documentation: the ones that a client shows at once. */
const detailedItems = 12

/** LSP's numbers of completion kinds, in the words of Jupyter's clients. */
const kinds = [
  'text text method function constructor field variable class interface module property unit value enum keyword snippet',
  'color file reference folder enum-member constant struct event operator type-parameter',
]
  .join(' ')
  .split(' ')

/** A module without types is used as `any`: the run can still tell what is wrong. */
const tolerated = new Set(['7016'])

export class NotebookLanguage {
  private readonly folder: string
  private readonly server: LanguageServer
  private readonly names = new Names()
  /** How many cells have a file: the modules of names export them before they have a text. */
  private room = 1
  /** Ends when the server knows the names of the last cell. */
  private shared: Promise<void> = Promise.resolve()
  private isReady: Promise<void> | undefined

  constructor(folder: string) {
    this.folder = folder
    this.server = new LanguageServer(folder)
  }

  /** Starts the server and loads the standard library, so that the first cell does not wait for it. */
  prepare(): Promise<void> {
    this.isReady ??= (async () => {
      await this.server.write(join(this.folder, 'tsconfig.json'), projectConfig(this.folder, '__cell_*.ts'), 'json')
      await this.shareNames()
      await this.server.write(this.nextFile(), cellModule('', this.names).text)
      await this.server.ask('textDocument/diagnostic', this.nextFile())
    })()
    return this.isReady
  }

  /** The module of a cell, as later cells will see it. */
  moduleOf(code: string): CellModule {
    return cellModule(code, this.names)
  }

  /** The errors of a cell, before it runs. */
  async check(module: CellModule): Promise<Problem[]> {
    await this.prepare()
    await this.shared
    await this.server.write(this.nextFile(), module.text)
    const report = await this.server.ask<{ items?: readonly Diagnostic[] }>('textDocument/diagnostic', this.nextFile())
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
    this.names.accept(module, defined, types)
    this.shared = this.share().catch(() => {}) // a server that ended gets all texts anew, and is told of by the next check
  }

  /** Forgets all names: the session that had their values is gone. */
  forget(): void {
    this.names.known.clear()
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
    const file = this.nextFile()
    await this.server.write(file, cellModule(plain, this.names, prefix).text)
    return file
  }

  /** Tells the server the names of the cell that was accepted last, while nothing else changes. */
  private async share(): Promise<void> {
    if (this.names.accepted >= this.room) {
      const room = (moduleOf(this.room) + 1) * cellsPerModule
      for (; this.room < room; this.room++)
        await this.server.write(this.file(this.room), `${importNames(this.room, [])}\nexport {}`)
      await this.shareNames(this.names.accepted)
    }
    await this.shareNames(this.names.accepted - 1)
  }

  private async shareNames(cell = this.names.accepted): Promise<void> {
    const file = this.file(`names_${moduleOf(cell)}`)
    await this.server.write(file, this.names.text(moduleOf(cell), this.room))
    await this.server.ask('textDocument/documentSymbol', file)
  }

  private nextFile(): string {
    return this.file(this.names.accepted)
  }

  private file(name: number | `names_${number}`): string {
    return join(this.folder, `__cell_${name}.ts`)
  }
}

/** The header is line 0 of the server's file and the footer its last, so lines are the user's when counted from 1. */
function problemOf({ code, message, range }: Diagnostic, text: string): Problem {
  const lines = text.split('\n').slice(1, -1)
  // What is missing at the end of the cell is noticed in the footer.
  const place = ({ line, character }: LspPosition): Problem['start'] =>
    line <= lines.length ? { line, column: character + 1 } : { line: lines.length, column: lines.at(-1)!.length + 1 }
  return { code: `TS${code ?? ''}`, message, start: place(range.start), end: place(range.end) }
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

function completionOf(item: CompletionItem): Completion {
  return {
    text: item.insertText ?? item.label,
    kind: kinds[item.kind ?? 0] ?? 'text',
    signature: item.detail ?? '',
    ...(item.documentation === undefined ? {} : { documentation: textOf(item.documentation) }),
  }
}

function signatureText({ signatures, activeSignature, activeParameter }: SignatureHelp): string | undefined {
  const signature = signatures[activeSignature ?? 0]
  if (signature === undefined) return undefined
  const parameter = signature.parameters?.[signature.activeParameter ?? activeParameter ?? 0]
  const documented =
    parameter?.documentation === undefined
      ? ''
      : `\n\n\`${String(parameter.label)}\` ${textOf(parameter.documentation)}`
  const more = signature.documentation === undefined ? '' : `\n\n${textOf(signature.documentation)}`
  return `\`\`\`typescript\n${signature.label}\n\`\`\`${documented}${more}`
}

function textOf(text: string | { readonly value: string }): string {
  return typeof text === 'string' ? text : text.value
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
