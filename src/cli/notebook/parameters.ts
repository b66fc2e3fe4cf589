/** `--param NAME=JSON`: values given from outside, injected as a cell of their own (papermill's convention). */
import { nearest } from '../../core/check.js'
import { UsageError } from '../command.js'
import { type CodeCell, hasTag, type Notebook } from './notebook.js'

export type Parameters = ReadonlyMap<string, unknown>

const injectedTag = 'injected-parameters'

/**
 * The parameters that `NAME=JSON` words stand for.
 *
 * @throws UsageError when a name is not an identifier or a value is not JSON.
 */
export function parseParameters(words: readonly string[]): Parameters {
  const parameters = new Map<string, unknown>()
  for (const word of words) {
    const split = word.indexOf('=')
    const name = split === -1 ? word : word.slice(0, split)
    if (split === -1 || !/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)) {
      throw new UsageError(`shardbook run: expected --param NAME=JSON, got ${JSON.stringify(word)}.`)
    }
    const value = word.slice(split + 1)
    try {
      parameters.set(name, JSON.parse(value))
    } catch (error) {
      const hint = `A text needs quotes: --param '${name}=${JSON.stringify(value)}'.`
      throw new UsageError(`shardbook run: expected JSON as the value of ${name}, got ${value}.`, {
        hint,
        cause: error,
      })
    }
  }
  return parameters
}

/**
 * The notebook with a cell that sets the parameters: after the one tagged `parameters`, else at the top. A cell that an
 * earlier run injected is replaced.
 */
export function injectParameters(notebook: Notebook, parameters: Parameters): Notebook {
  if (parameters.size === 0) return notebook
  const cells = notebook.cells.filter((cell) => !hasTag(cell, injectedTag))
  const tagged = cells.findIndex((cell) => hasTag(cell, 'parameters'))
  const assignments = [...parameters].map(([name, value]) => `let ${name} = ${JSON.stringify(value)}`)
  const cell: CodeCell = {
    cell_type: 'code',
    ...(notebook.nbformat_minor >= 5 ? { id: injectedTag } : {}),
    metadata: { tags: [injectedTag] },
    source: ['// Parameters of this run', ...assignments].join('\n'),
    outputs: [],
    execution_count: null,
  }
  return { ...notebook, cells: cells.toSpliced(tagged + 1, 0, cell) }
}

/**
 * Parameters that the cell tagged `parameters` doesn't declare, each as a sentence for the user: likely misspelt, but
 * legal, since a later cell may use the name. Nothing when there is no such cell.
 */
export function undeclaredParameters(notebook: Notebook, parameters: Parameters): string[] {
  const source = notebook.cells.find((cell) => hasTag(cell, 'parameters'))?.source
  if (source === undefined) return []
  const declarations = source.matchAll(/^[ \t]*(?:const|let|var)\s+([\p{ID_Start}$_][\p{ID_Continue}$]*)/gmu)
  const declared = [...declarations].map((match) => match[1]!)
  return [...parameters.keys()]
    .filter(
      (name) =>
        !new RegExp(`(?<![\\p{ID_Continue}$])${name.replaceAll('$', '\\$')}(?![\\p{ID_Continue}$])`, 'u').test(source),
    )
    .map((name) => {
      const near = nearest(name, declared)
      return `the cell tagged parameters doesn't mention ${name}.${near === undefined ? '' : ` Did you mean ${near}?`}`
    })
}
