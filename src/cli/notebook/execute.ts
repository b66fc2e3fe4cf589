/**
 * Runs the code cells of a notebook in order, in a kernel without sockets, and gathers their outputs.
 *
 * One time limit holds for the whole run. A cell that runs into it is interrupted and counts as failed; open trainings that
 * do are left behind, their charts as they then stand.
 */
import { type HeadlessReply, startHeadless } from '../../../kernel/front/headless.js'
import { type CodeCell, hasTag, type Notebook } from './notebook.js'
import { collectOutputs } from './outputs.js'

export interface CellFailure {
  /** Which code cell, from 1, empty ones not counted: the number that Jupyter shows beside it. */
  readonly number: number
  readonly error: { readonly ename: string; readonly evalue: string; readonly traceback: readonly string[] }
}

export interface CellProgress {
  readonly number: number
  readonly count: number
  readonly cell: CodeCell
  /** Absent while the cell runs. */
  readonly ended?: { readonly status: 'ok' | 'error'; readonly ms: number }
}

export interface ExecuteOptions {
  /** Working folder of the cells. */
  readonly cwd: string
  /** Limit for the whole run, in milliseconds. */
  readonly timeoutMs?: number
  /** Goes on after a cell that failed. */
  readonly allowErrors: boolean
  /** Ends the run early: the running cell is interrupted, its outputs are kept. */
  readonly signal?: AbortSignal
  onCell(progress: CellProgress): void
  /** Called once when all cells are done and background work is still open. */
  onWait(labels: readonly string[]): void
}

export interface ExecuteReport {
  /** Cells that raised, without those tagged `raises-exception`. */
  readonly failures: readonly CellFailure[]
  /** Background work that was still open at the time limit. */
  readonly unsettled: readonly string[]
}

/** How long an interrupted cell has to answer before the session is ended under it. */
const graceMs = 10_000

/** Executes `notebook` in place: outputs and execution counts are replaced. */
export async function executeNotebook(notebook: Notebook, options: ExecuteOptions): Promise<ExecuteReport> {
  const cells = [...notebook.cells.entries()].flatMap(([index, cell]) => {
    if (cell.cell_type !== 'code') return []
    Object.assign(cell, { outputs: [], execution_count: null })
    return cell.source.trim() === '' ? [] : [{ index, cell }]
  })
  const deadline = options.timeoutMs === undefined ? Infinity : Date.now() + options.timeoutMs
  const failures: CellFailure[] = []
  const collect = collectOutputs(notebook)
  const kernel = await startHeadless({ cwd: options.cwd, onMessage: collect })

  /** The cell's reply; at the time limit or on abort the cell is interrupted, and has `graceMs` to say so. */
  const execute = async (index: number, source: string): Promise<HeadlessReply> => {
    let why: string | undefined
    let giveUp = (): void => {}
    const gaveUp = new Promise<undefined>((resolve) => (giveUp = () => resolve(undefined)))
    let [grace, again]: (NodeJS.Timeout | undefined)[] = []
    const stop = (reason: string): void => {
      if (why !== undefined) return
      why = reason
      grace = setTimeout(giveUp, graceMs)
      // An interrupt that comes before the cell's own code runs has nothing to stop: it is repeated until there is an answer.
      again = setInterval(() => void kernel.interrupt().catch(giveUp), 200)
      kernel.interrupt().catch(giveUp)
    }
    const stopLate = (): void => stop(`the time limit of ${options.timeoutMs! / 1000} s for the run was reached`)
    const stopAborted = (): void => stop('the run was interrupted')
    const limit = deadline === Infinity ? undefined : setTimeout(stopLate, Math.max(0, deadline - Date.now()))
    options.signal?.addEventListener('abort', stopAborted)
    if (options.signal?.aborted === true) stopAborted()
    try {
      const reply = await Promise.race([kernel.execute(index, source), gaveUp])
      if (why === undefined && reply !== undefined) return reply
      const evalue = reply?.error === undefined ? why! : `${why} (${reply.error.ename}: ${reply.error.evalue})`
      const error = { ename: 'Stopped', evalue, traceback: reply?.error?.traceback ?? [] }
      if (reply?.error === undefined) collect({ type: 'error', content: error, cell: index })
      return { status: 'error', executionCount: reply?.executionCount ?? 0, error }
    } finally {
      clearTimeout(limit)
      clearTimeout(grace)
      clearInterval(again)
      options.signal?.removeEventListener('abort', stopAborted)
    }
  }

  try {
    for (const [position, { index, cell }] of cells.entries()) {
      const progress = { number: position + 1, count: cells.length, cell }
      options.onCell(progress)
      const started = performance.now()
      const reply = await execute(index, cell.source)
      cell.execution_count = position + 1
      options.onCell({ ...progress, ended: { status: reply.status, ms: performance.now() - started } })
      if (reply.status === 'ok' || hasTag(cell, 'raises-exception')) continue
      const error = reply.error ?? { ename: 'Error', evalue: 'the cell failed', traceback: [] }
      failures.push({ number: position + 1, error })
      if (!options.allowErrors || error.ename === 'Stopped') return { failures, unsettled: [] }
    }
    const open = kernel.openWork()
    if (open.length > 0) options.onWait(open)
    const settled = await kernel.settled(Math.min(Math.max(0, deadline - Date.now()), 2 ** 31 - 1))
    return { failures, unsettled: settled ? [] : kernel.openWork() }
  } finally {
    // The outputs are complete: a kernel that doesn't end in time must not keep them from being written.
    let timer: NodeJS.Timeout | undefined
    const late = new Promise((resolve) => (timer = setTimeout(resolve, graceMs)))
    await Promise.race([kernel.close(), late])
    clearTimeout(timer)
  }
}
