/** The errors that the front itself gives cells: what the checker found, and how a session ended. */
import type { CellError } from '../channel.js'
import { codeFrame, errorTitle } from '../code-frame.js'
import type { Problem } from './language/notebook.js'

export function simpleError(ename: string, evalue: string): CellError {
  return { ename, evalue, traceback: [errorTitle(ename, evalue)] }
}

export function deathError(reason: string): CellError {
  return simpleError(
    'SessionEnded',
    `The session ended: ${reason}. All variables are lost; the next cell starts a new one.`,
  )
}

/** At most so many problems are shown in full: the first ones are usually the cause of the others. */
const shownProblems = 10

export function problemsError(code: string, label: string, problems: readonly Problem[]): CellError {
  const first = problems[0]!
  const place = (problem: Problem): string => `${label}:${problem.start.line}:${problem.start.column}`
  const blocks = problems.slice(0, shownProblems).map((problem) => {
    const title = errorTitle(`${place(problem)} - ${problem.code}`, problem.message)
    return `${title}\n${codeFrame(code, problem.start, problem.end)}`
  })
  const more = problems.length - blocks.length
  return {
    ename: 'TypeScriptError',
    evalue: `${place(first)} - ${first.code}: ${first.message}`,
    traceback: [...blocks, ...(more > 0 ? [`… and ${more} more`] : [])],
  }
}
