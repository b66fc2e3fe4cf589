/**
 * Magics: lines of a cell that are not TypeScript. `%name …` and `!command` are lines, `%%name …` as a cell's first line
 * takes the whole cell.
 *
 * They are found before the type check, which sees blanks in their place: lines and columns of everything else stay.
 * A line is a magic only where a statement may begin, so text in templates and comments is left alone. `!` also begins an
 * expression of TypeScript (`!done`): it is one where its first word is a name of the notebook and it parses as one.
 */
import { nearest } from '../../src/core/check.js'
import { ShardbookError } from '../../src/core/errors.js'
import { isIncomplete, parseCell } from '../syntax.js'
import { magicKinds, magicWords } from './magic-kinds.js'

/** A magic of a cell; offsets are UTF-16 units of the cell's text. */
export interface Magic {
  readonly name: string
  /** What follows the name: text, or TypeScript for those that take code. */
  readonly argument: string
  readonly start: number
  /** Where the argument begins. */
  readonly argumentStart: number
  readonly end: number
  /** Why it cannot run. */
  readonly problem?: ShardbookError
  /** It has run already: nothing is left of it. */
  readonly isDone?: boolean
}

/**
 * The magics of a cell, in order; one that is unknown or stands where it may not has a `problem`.
 *
 * @param isName - whether the notebook has a name already
 */
export function findMagics(code: string, isName: (name: string) => boolean): Magic[] {
  if (!/^[%!]/m.test(code)) return []
  const found: Magic[] = []
  const skipped = new Set(code.match(/^.*$/gm)?.filter((line) => /^[%!]/.test(line)))
  for (const { 0: line, index } of code.matchAll(/^[%!].*$/gm)) {
    const last = found.at(-1)
    if (last !== undefined && index < last.end) continue
    const [, form = '', word = ''] = /^(%%|%|!)([A-Za-z]*)/.exec(line)!
    if (form === '!' ? !isCommand(line, code, skipped, isName) : word === '') continue
    const before = blankMagics(code.slice(0, index), found)
    if (isIncomplete(before)) continue
    const name = form === '!' ? 'shell' : word
    const isFirst = found.length === 0 && isBlank(before)
    const problem = form === '!' ? undefined : problemOf(form, word, isFirst)
    const head = line.slice(form.length + (form === '!' ? 0 : word.length))
    const end = form === '%%' ? code.length : index + line.trimEnd().length
    const argumentStart = Math.min(end, index + line.length - head.trimStart().length)
    const place = { start: index, argumentStart, end }
    found.push({
      name,
      argument: code.slice(argumentStart, end),
      ...place,
      ...(problem === undefined ? {} : { problem }),
    })
  }
  const isOnly = found.length === 1 && isBlank(blankMagics(code, found))
  return found.map((magic) => {
    if (isOnly || magic.problem !== undefined || magicKinds[magic.name]?.isAlone !== true) return magic
    return { ...magic, problem: misplaced(`%${magic.name}`, 'to be alone in its cell') }
  })
}

/** The cell with blanks in the place of magics, as TypeScript sees it: every offset stays. */
export function blankMagics(code: string, magics: readonly Magic[]): string {
  let text = ''
  let end = 0
  for (const magic of magics) {
    const stop = magicKinds[magic.name]?.takesCode === true ? magic.argumentStart : magic.end
    text += code.slice(end, magic.start) + code.slice(magic.start, stop).replace(/[^\n]/g, ' ')
    end = stop
  }
  return text + code.slice(end)
}

/** Whether a text holds only comments and blanks. */
export function isBlank(code: string): boolean {
  const { program, problems } = parseCell(code, 'ts')
  return problems.length === 0 && program.body.length === 0
}

function isCommand(
  line: string,
  code: string,
  skipped: ReadonlySet<string>,
  isName: (name: string) => boolean,
): boolean {
  if (!/^![\w./~$-]/.test(line)) return false
  const word = /^!([\p{ID_Start}$_][\p{ID_Continue}$]*)/u.exec(line)?.[1]
  if (word === undefined) return true
  const isOwn = (): boolean =>
    code
      .split('\n')
      .filter((one) => !skipped.has(one))
      .some((one) => one.match(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu)?.includes(word))
  const isKeyword = ['true', 'false', 'null', 'undefined', 'typeof', 'await', 'this', 'new', 'void'].includes(word)
  if (!isKeyword && !isName(word) && !isOwn()) return true
  return parseCell(line, 'ts').problems.length > 0
}

function problemOf(form: string, word: string, isFirst: boolean): ShardbookError | undefined {
  const written = `${form}${word}`
  const kind = word === 'shell' ? undefined : magicKinds[word]
  if (kind === undefined) {
    const near = nearest(written, magicWords)
    return new ShardbookError('argument', `${written}: expected a magic, got an unknown one.`, {
      hint: `${near === undefined ? '' : `Did you mean ${near}? `}%help lists them.`,
    })
  }
  if (!kind.forms.includes(form as '%')) return misplaced(written, `to be written ${kind.usage}`)
  return form === '%%' && !isFirst ? misplaced(written, 'to stand on the first line of its cell') : undefined
}

function misplaced(written: string, expected: string): ShardbookError {
  return new ShardbookError('argument', `${written}: expected ${expected}, got something else.`)
}
