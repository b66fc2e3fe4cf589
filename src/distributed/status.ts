/** What a pool tells about its workers, as a table in text and HTML. */
import { alignColumns } from '../core/align-columns.js'
import { displaySymbol, type Displayable, type MimeBundle } from '../core/display.js'
import { availableParallelism } from 'node:os'
import { escapeHtml } from '../core/html.js'
import type { TaskReport, WorkerReport } from './messages.js'

/** `detached`: this session has left it. */
export type PoolState = 'open' | 'closed' | 'failed' | 'detached'

export class PoolStatus implements Displayable {
  readonly name: string
  readonly state: PoolState
  readonly workers: readonly WorkerReport[]
  readonly tasks: readonly TaskReport[]

  constructor(name: string, state: PoolState, workers: readonly WorkerReport[], tasks: readonly TaskReport[]) {
    this.name = name
    this.state = state
    this.workers = workers
    this.tasks = tasks
  }

  toString(): string {
    return [this.#title(), ...this.#tables().map(textTable)].join('\n')
  }

  [displaySymbol](): MimeBundle {
    const tables = this.#tables().map(htmlTable).join('')
    return { 'text/plain': this.toString(), 'text/html': `<div><b>${escapeHtml(this.#title())}</b>${tables}</div>` }
  }

  #tables(): readonly Table[] {
    const all = { headings, rows: this.workers.map(cells) }
    const workers = this.workers.some(({ device }) => device !== undefined) ? all : without(all, 'device')
    const tasks = { headings: taskHeadings, rows: this.tasks.map(taskCells) }
    return [workers, tasks].filter(({ rows }) => rows.length > 0)
  }

  #title(): string {
    if (this.state !== 'open') return `Pool ${this.name}: ${this.state}`
    const count = this.workers.length
    const crowd = this.workers.some(({ device }) => device !== undefined) ? undefined : crowding(count)
    return `Pool ${this.name}: ${crowd ?? `${count} worker${count === 1 ? '' : 's'}`}`
  }
}

/** What is to be said of more workers than cores, if they are. */
export function crowding(workers: number): string | undefined {
  const cores = availableParallelism()
  if (workers <= cores) return undefined
  return `${workers} workers on ${cores} core${cores === 1 ? '' : 's'}: fewer would be as quick`
}

interface Table {
  readonly headings: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

function without({ headings: head, rows }: Table, heading: string): Table {
  const left = (row: readonly string[]): readonly string[] => row.filter((_, column) => head[column] !== heading)
  return { headings: left(head), rows: rows.map(left) }
}

function textTable({ headings: head, rows }: Table): string {
  return alignColumns([head, ...rows]).join('\n')
}

function htmlTable({ headings: head, rows }: Table): string {
  const row = (tag: string, texts: readonly string[]): string =>
    `<tr>${texts.map((text) => `<${tag} style="text-align:left">${escapeHtml(text)}</${tag}>`).join('')}</tr>`
  return `<table><thead>${row('th', head)}</thead><tbody>${rows.map((texts) => row('td', texts)).join('')}</tbody></table>`
}

const headings = ['rank', 'pid', 'device', 'engine', 'memory', 'state', 'replaced', 'rows/s', 'input', 'communication']

function cells(worker: WorkerReport): string[] {
  const { rank, pid, device, engine, memoryBytes, state, replaced, rowsPerSecond, inputShare, reduceShare } = worker
  const memory = memoryBytes === undefined ? '' : `${Math.round(memoryBytes / 2 ** 20)} MB`
  // What it did lately says nothing of one that does nothing now.
  const isBusy = state === 'busy' && rowsPerSecond !== undefined
  const load = isBusy
    ? [Math.round(rowsPerSecond).toLocaleString('en'), percent(inputShare), percent(reduceShare)]
    : ['', '', '']
  return [String(rank), String(pid ?? ''), String(device ?? ''), engine, memory, state, String(replaced), ...load]
}

const taskHeadings = ['task', 'kind', 'state', 'priority', 'step']
const kinds = { step: 'training', map: 'queue', transform: 'transform' } as const

function taskCells({ name, kind, state, priority, step }: TaskReport): string[] {
  return [name, kinds[kind], state, String(priority), kind === 'transform' ? '' : String(step)]
}

function percent(share: number | undefined): string {
  return share === undefined ? '' : `${Math.round(100 * share)} %`
}
