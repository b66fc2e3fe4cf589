/**
 * Turns what is not TypeScript, and what a cell means differently than a module, into TypeScript that the session can run:
 * magics become calls of `__cell.magics`, and a top-level `using` a constant that the end of the cell disposes.
 */
import type { SourceMapPayload } from 'node:module'
import { MagicString } from 'magic-string'
import { parseCell } from '../syntax.js'
import type { Magic } from './magics.js'
import { blankMagics } from './magics.js'

export interface Expanded {
  readonly code: string
  /** Back to the user's text; absent where nothing was expanded. */
  readonly map?: SourceMapPayload
}

/** Expands a cell whose magics have been found. */
export function expand(code: string, magics: readonly Magic[]): Expanded {
  const plain = blankMagics(code, magics)
  if (magics.length === 0 && !/\busing\b/.test(plain)) return { code }
  const out = new MagicString(code)
  for (const magic of magics) expandMagic(out, magic)
  expandUsing(out, plain)
  return { code: out.toString(), map: out.generateMap({ hires: 'boundary' }) as unknown as SourceMapPayload }
}

function expandMagic(out: MagicString, { name, argument, start, argumentStart, end, isDone }: Magic): void {
  if (isDone === true) {
    out.remove(start, end)
  } else if (name === 'time') {
    out.overwrite(start, argumentStart, '__cell.magics.start();')
    const { program } = parseCell(argument, 'ts')
    const last = program.body.at(-1)
    if (last?.type === 'ExpressionStatement') {
      out.appendLeft(argumentStart + last.expression.start, '__cell.magics.timed(')
      out.appendLeft(argumentStart + last.expression.end, ')')
    } else out.appendLeft(end, ';__cell.magics.timed();')
  } else if (name === 'timeit') {
    const keyword = /\bawait\b/.test(argument) ? 'async ' : ''
    out.overwrite(start, argumentStart, `await __cell.magics.timeit(${keyword}() => {`)
    out.appendLeft(end, '\n});')
  } else {
    out.overwrite(start, end, `await __cell.magics.${name}(${JSON.stringify(argument)});`)
  }
}

/** `using x = y` becomes `const x = __cell.using(y)`, `await using` takes a disposal that the end of the cell awaits. */
function expandUsing(out: MagicString, plain: string): void {
  for (const statement of parseCell(plain, 'ts').program.body) {
    if (statement.type !== 'VariableDeclaration') continue
    if (statement.kind !== 'using' && statement.kind !== 'await using') continue
    const first = statement.declarations[0]!
    out.overwrite(statement.start, first.start, 'const ')
    for (const { init } of statement.declarations) {
      if (init === null) continue
      out.appendLeft(init.start, statement.kind === 'using' ? '__cell.using(' : '__cell.awaitUsing(')
      out.appendLeft(init.end, ')')
    }
  }
}
