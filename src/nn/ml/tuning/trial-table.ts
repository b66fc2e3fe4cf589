/** Trials as one table that changes in place: candidates by their mean score, the best one marked, what runs and what waits below. */
import { randomUUID } from 'node:crypto'
import { alignColumns } from '../../../core/align-columns.js'
import type { MimeBundle } from '../../../core/display.js'
import { host } from '../../../core/host.js'
import { escapeHtml } from '../../../core/html.js'
import { showParams, showValue } from './params.js'
import type { CandidateScore } from './trial.js'

/** A run of trials as it is shown. */
export interface TrialView {
  readonly name: string
  readonly metric: string
  readonly largerIsBetter: boolean
  readonly total: number
  readonly done: number
  /** Of those done, how many an earlier run did. */
  readonly resumed: number
  readonly seconds: number
  /** What goes on: `fitting the best on all rows`. */
  readonly phase: string
  readonly candidates: readonly CandidateRow[]
}

export interface CandidateRow {
  readonly candidate: number
  readonly params: Readonly<Record<string, unknown>>
  readonly state: 'waiting' | 'running' | 'done' | 'out'
  readonly score?: CandidateScore
  readonly resource?: number
}

/** Most updates a second are ten. */
const intervalMs = 100
const rowsShown = 40

/** One output for a run, updated at most ten times a second. */
export class TrialTable {
  readonly #id = randomUUID()
  readonly #shownIn = new Set<string | undefined>()
  #view: TrialView
  #timer: NodeJS.Timeout | undefined
  #sentAt = -Infinity
  #ended = false

  constructor(view: TrialView) {
    this.#view = view
    this.showHere()
  }

  get view(): TrialView {
    return this.#view
  }

  update(change: Partial<TrialView>): void {
    this.#view = { ...this.#view, ...change }
    if (this.#ended) return
    const wait = this.#sentAt + intervalMs - performance.now()
    this.#timer ??= setTimeout(() => this.#send(false), Math.max(0, wait)).unref()
  }

  end(change: Partial<TrialView>): void {
    this.#view = { ...this.#view, ...change }
    this.#ended = true
    this.#send(true)
  }

  /** Shows the table in the cell that runs, too; once a cell. */
  showHere(): void {
    const { cell } = host()
    if (cell !== undefined && this.#shownIn.has(cell)) return
    this.#shownIn.add(cell)
    host().publish(bundleOf(this.#view, this.#ended), { id: this.#id })
  }

  #send(whole: boolean): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sentAt = performance.now()
    host().update(this.#id, bundleOf(this.#view, whole))
  }
}

/** The table in HTML; in text a line while the run goes on, so that a terminal is not filled, and the table at its end. */
export function bundleOf(view: TrialView, whole: boolean): MimeBundle {
  const rows = sorted(view)
  const best = rows[0]?.score === undefined ? undefined : rows[0].candidate
  const names = [...new Set(view.candidates.flatMap(({ params }) => Object.keys(params)))]
  const resource = view.candidates.some((row) => row.resource !== undefined)
  // One score a candidate has no spread.
  const isFolded = view.candidates.some(({ score }) => score !== undefined && score.folds > 1)
  const folded = isFolded ? ['±', 'folds'] : []
  const headings = ['', ...names, ...(resource ? ['resource'] : []), view.metric, ...folded, '']
  const cells = rows.slice(0, rowsShown).map((row) => {
    const { params, score, state } = row
    return {
      isBest: row.candidate === best,
      texts: [
        row.candidate === best ? '★' : '',
        ...names.map((name) => (name in params ? showValue(params[name]) : '')),
        ...(resource ? [row.resource === undefined ? '' : String(row.resource)] : []),
        score === undefined ? '' : formatScore(score.mean),
        ...(isFolded ? spreadOf(score) : []),
        state === 'done' ? '' : state,
      ],
    }
  })
  const title = titleOf(view, rows[0])
  const hidden = rows.length > rowsShown ? [`and ${rows.length - rowsShown} more`] : []
  return {
    'text/plain': whole ? textOf([title, ...hidden], headings, cells) : title,
    'text/html': htmlOf([title, ...hidden], headings, cells),
  }
}

function spreadOf(score: CandidateRow['score']): string[] {
  if (score === undefined) return ['', '']
  return [score.folds < 2 ? '' : formatScore(score.deviation), String(score.folds)]
}

function titleOf(view: TrialView, first: CandidateRow | undefined): string {
  const { name, done, total, resumed, seconds, phase, metric } = view
  const best =
    first?.score === undefined ? '' : ` · best ${metric} ${formatScore(first.score.mean)}: ${showParams(first.params)}`
  const kept = resumed === 0 ? '' : `, ${resumed} of them kept`
  return `${name}: ${done} of ${total} trials${kept} · ${seconds.toFixed(seconds < 10 ? 1 : 0)} s${best}${phase === '' ? '' : ` · ${phase}`}`
}

/** Candidates with scores by their means, those in the most folds first where halving took some out; then the others. */
function sorted({ candidates, largerIsBetter }: TrialView): CandidateRow[] {
  const order = { done: 0, running: 0, waiting: 1, out: 2 } as const
  const sign = largerIsBetter ? -1 : 1
  const value = ({ score }: CandidateRow): number =>
    score === undefined || Number.isNaN(score.mean) ? Infinity : sign * score.mean
  return candidates.toSorted(
    (a, b) =>
      (a.score === undefined ? 1 : 0) - (b.score === undefined ? 1 : 0) ||
      (a.state === 'out' ? 1 : 0) - (b.state === 'out' ? 1 : 0) ||
      value(a) - value(b) ||
      order[a.state] - order[b.state] ||
      a.candidate - b.candidate,
  )
}

interface Cells {
  readonly isBest: boolean
  readonly texts: readonly string[]
}

function textOf(titles: readonly string[], headings: readonly string[], rows: readonly Cells[]): string {
  const lines = alignColumns([headings, ...rows.map(({ texts }) => texts)])
  return [titles[0], ...lines, ...titles.slice(1)].join('\n')
}

function htmlOf(titles: readonly string[], headings: readonly string[], rows: readonly Cells[]): string {
  const row = (tag: 'th' | 'td', texts: readonly string[], style: string): string =>
    `<tr style="${style}">${texts.map((text, i) => `<${tag} style="text-align:${i === 0 ? 'center' : 'right'};padding:.15em .7em">${escapeHtml(text)}</${tag}>`).join('')}</tr>`
  const body = rows.map(({ texts, isBest }) =>
    row('td', texts, isBest ? 'font-weight:bold;background:rgba(128,128,128,.15)' : ''),
  )
  const notes = titles.slice(1).map((text) => `<p style="opacity:.55;margin:.3em 0">${escapeHtml(text)}</p>`)
  return `<div style="overflow-x:auto"><p style="margin:.3em 0">${escapeHtml(titles[0]!)}</p><table style="border-collapse:collapse;font-variant-numeric:tabular-nums"><thead>${row('th', headings, 'border-bottom:1px solid rgba(128,128,128,.5)')}</thead><tbody>${body.join('')}</tbody></table>${notes.join('')}</div>`
}

function formatScore(value: number): string {
  return Number.isFinite(value) ? value.toFixed(4) : String(value)
}
