/**
 * What TypeScript knows of a notebook: checks of cells before they run, completions and hovers, and the names that
 * accepted cells leave to later ones.
 */
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CellModule, CellName } from './cells.js'
import { cellModule } from './cells.js'
import { offsetAt, positionAt } from './position.js'
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

interface CompletionItem {
  readonly label: string
  readonly kind?: number
  readonly detail?: string
  readonly sortText?: string
  readonly filterText?: string
  readonly insertText?: string
}

/** Overloads and merged declarations have several. */
const shownDefinitions = 3

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
  private readonly names = new Map<string, CellName>()
  private lastFile = -1
  private isReady: Promise<void> | undefined
  /** The files of cells that were checked: in subshells, several may be under way. */
  private readonly files = new WeakMap<CellModule, string>()
  /** Files of cells that were refused. */
  private readonly free: string[] = []
  /** What is being written: completions and hovers look at it. */
  private readonly draft: string

  constructor(folder: string) {
    this.folder = folder
    this.draft = join(folder, '__cell_draft.ts')
    this.server = new LanguageServer(folder)
  }

  /** Starts the server and loads the standard library, so that the first cell does not wait for it. */
  prepare(): Promise<void> {
    this.isReady ??= (async () => {
      await this.server.write(join(this.folder, 'tsconfig.json'), projectConfig(this.folder, '__cell_*.ts'), 'json')
      await this.server.write(this.draft, 'export {}')
      await this.server.ask('textDocument/diagnostic', this.draft)
    })()
    return this.isReady
  }

  /** The module of a cell, as later cells will see it. */
  moduleOf(code: string): CellModule {
    return cellModule(code, this.names)
  }

  /** The errors of a cell, before it runs. */
  async check(code: string, module: CellModule): Promise<Problem[]> {
    await this.prepare()
    const file = this.free.pop() ?? this.nextFile()
    this.files.set(module, file)
    await this.server.write(file, module.text)
    const report = await this.server.ask<{ items?: readonly Diagnostic[] }>('textDocument/diagnostic', file)
    const problems = (report.items ?? [])
      .filter((one) => (one.severity ?? 1) === 1 && one.range.start.line > 0 && !tolerated.has(String(one.code)))
      .map((one) => problemOf(one, code))
    if (problems.length > 0) this.free.push(file)
    return problems
  }

  /**
   * Leaves a checked cell's names to later cells.
   *
   * @param defined - the names that have a value; types always stay
   * @param types - static types that values told
   */
  accept(module: CellModule, defined: ReadonlySet<string>, types: Readonly<Record<string, string>>): void {
    const specifier = `./${basename(this.files.get(module) ?? this.nextFile(), '.ts')}`
    for (const [name, kind] of module.declared) {
      if (kind === 'type' || defined.has(name)) this.names.set(name, { kind, module: specifier })
    }
    for (const [name, selfType] of Object.entries(types)) {
      const known = this.names.get(name)
      if (known !== undefined && known.kind !== 'type') this.names.set(name, { ...known, selfType })
    }
  }

  /** Forgets all names: the session that had their values is gone. */
  forget(): void {
    this.names.clear()
  }

  /** What could stand at `offset` (UTF-16) of a cell, and the offset where it would begin. */
  async complete(code: string, offset: number): Promise<{ start: number; items: Completion[] }> {
    await this.prepare()
    const { text, shift } = await this.show(code)
    const list = await this.server.ask<{ items: readonly CompletionItem[] } | null>(
      'textDocument/completion',
      this.draft,
      { position: positionAt(text, offset + shift) },
    )
    const prefix = /[\p{ID_Continue}$]*$/u.exec(code.slice(0, offset))![0]
    const wanted = prefix.toLowerCase()
    const items = (list?.items ?? [])
      .filter((item) => (item.filterText ?? item.label).toLowerCase().startsWith(wanted))
      .sort((a, b) => compare(a.sortText ?? a.label, b.sortText ?? b.label) || compare(a.label, b.label))
      .map((item) => ({
        text: item.insertText ?? item.label,
        kind: kinds[item.kind ?? 0] ?? 'text',
        signature: item.detail ?? '',
      }))
    return { start: offset - prefix.length, items }
  }

  /**
   * Markdown about what stands at `offset` (UTF-16) of a cell, if anything does.
   *
   * @param detail - 1 adds the source of its definition
   */
  async inspect(code: string, offset: number, detail: 0 | 1 = 0): Promise<string | undefined> {
    await this.prepare()
    const { text, shift } = await this.show(code)
    const ask = (at: number): Promise<{ contents: { value: string } } | null> =>
      this.server.ask('textDocument/hover', this.draft, { position: positionAt(text, at + shift) })
    // The cursor may stand behind the word.
    let at = offset
    let hover = await ask(at)
    if (hover === null && offset > 0) hover = await ask(--at)
    // Of a name that does not exist the server says nothing but `any`.
    if (hover === null || hover.contents.value.trim() === '```typescript\nany\n```') return undefined
    if (detail === 0) return hover.contents.value
    const links = await this.server.ask<readonly DefinitionLink[] | null>('textDocument/definition', this.draft, {
      position: positionAt(text, at + shift),
    })
    const sources = await Promise.all((links ?? []).slice(0, shownDefinitions).map((link) => this.source(link)))
    return [hover.contents.value, ...sources.map((source) => `\`\`\`typescript\n${source}\n\`\`\``)].join('\n\n')
  }

  private async source({ targetUri, targetRange }: DefinitionLink): Promise<string> {
    const path = fileURLToPath(targetUri)
    const text = this.server.read(path) ?? (await readFile(path, 'utf8'))
    return text.slice(offsetAt(text, targetRange.start), offsetAt(text, targetRange.end))
  }

  close(): void {
    this.server.close()
  }

  private async show(code: string): Promise<{ text: string; shift: number }> {
    const { text } = cellModule(code, this.names, true)
    await this.server.write(this.draft, text)
    return { text, shift: offsetAt(text, { line: 1, character: 0 }) }
  }

  private nextFile(): string {
    return join(this.folder, `__cell_${++this.lastFile}.ts`)
  }
}

/** The header is line 0 of the server's file, so its lines are the user's when counted from 1. */
function problemOf({ code, message, range }: Diagnostic, text: string): Problem {
  const lines = text.split('\n')
  // What is missing at the end of the cell is noticed in the footer.
  const place = ({ line, character }: LspPosition): Problem['start'] =>
    line <= lines.length ? { line, column: character + 1 } : { line: lines.length, column: lines.at(-1)!.length + 1 }
  return { code: `TS${code ?? ''}`, message, start: place(range.start), end: place(range.end) }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
