/** What a pool tells about its workers, as a table in text and HTML. */
import { displaySymbol, type Displayable, type MimeBundle } from '../core/display.js'
import type { WorkerReport } from './messages.js'

export type PoolState = 'open' | 'closed' | 'failed'

export class PoolStatus implements Displayable {
  readonly name: string
  readonly state: PoolState
  readonly workers: readonly WorkerReport[]

  constructor(name: string, state: PoolState, workers: readonly WorkerReport[]) {
    this.name = name
    this.state = state
    this.workers = workers
  }

  toString(): string {
    const rows = [headings, ...this.workers.map(cells)]
    const widths = headings.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
    const lines = rows.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    return [this.#title(), ...lines].join('\n')
  }

  [displaySymbol](): MimeBundle {
    const row = (tag: string, texts: readonly string[]): string =>
      `<tr>${texts.map((text) => `<${tag} style="text-align:left">${escapeHtml(text)}</${tag}>`).join('')}</tr>`
    const table = `<table><thead>${row('th', headings)}</thead><tbody>${this.workers.map((worker) => row('td', cells(worker))).join('')}</tbody></table>`
    return { 'text/plain': this.toString(), 'text/html': `<div><b>${escapeHtml(this.#title())}</b>${table}</div>` }
  }

  #title(): string {
    if (this.state !== 'open') return `Pool ${this.name}: ${this.state}`
    return `Pool ${this.name}: ${this.workers.length} worker${this.workers.length === 1 ? '' : 's'}`
  }
}

const headings = ['rank', 'pid', 'engine', 'memory', 'state', 'replaced']

function cells(worker: WorkerReport): string[] {
  const memory = worker.memoryBytes === undefined ? '' : `${Math.round(worker.memoryBytes / 2 ** 20)} MB`
  return [String(worker.rank), String(worker.pid ?? ''), worker.engine, memory, worker.state, String(worker.replaced)]
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
