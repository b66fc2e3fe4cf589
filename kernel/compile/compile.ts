/**
 * A cell's text to the script that the session runs: magics and `using` expanded, types removed, names rewritten.
 *
 * It happens in the front: the session, where a cell may have put anything in the place of `JSON` or `Array`, only runs
 * the result, which is plain data.
 */
import type { SourceMapPayload } from 'node:module'
import { emit } from './emit.js'
import { expand } from './expand.js'
import type { Magic } from './magics.js'
import type { NotebookNames } from './names.js'
import { rewrite } from './rewrite.js'

/** A compiled cell. */
export interface Script {
  /** `Cell[3]` */
  readonly label: string
  /** The file that the session's stack frames name; it lies in the notebook's folder and does not exist. */
  readonly filename: string
  /** What the user wrote. */
  readonly source: string
  readonly code: string
  /** Source maps from the script back to the user's text, outermost first. */
  readonly maps: readonly SourceMapPayload[]
  /** Names that the cell declares, each with how many top-level statements must have ended for it to have a value. */
  readonly declared: readonly (readonly [name: string, statements: number])[]
  /** Names of the notebook that the cell declares or uses, each with its place. */
  readonly used: readonly (readonly [name: string, place: number])[]
}

/**
 * Compiles a cell over the notebook's `names`.
 *
 * @throws SyntaxError where the text is not TypeScript
 */
export function compile(
  source: string,
  {
    label,
    filename,
    names,
    magics,
  }: Pick<Script, 'label' | 'filename'> & {
    readonly names: NotebookNames
    readonly magics: readonly Magic[]
  },
): Script {
  const expanded = expand(source, magics)
  const emitted = emit(filename, expanded.code)
  const rewritten = rewrite(emitted.code, names)
  return {
    label,
    filename,
    source,
    code: rewritten.code,
    maps: [rewritten.map, emitted.map, ...(expanded.map === undefined ? [] : [expanded.map])],
    declared: [...rewritten.declared],
    used: [...rewritten.used].map((name) => [name, names.placeOf(name)]),
  }
}
