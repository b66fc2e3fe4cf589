/** TypeScript to JavaScript, through oxc. The only door to oxc-transform. */
import type { SourceMapPayload } from 'node:module'
import { transformSync } from 'oxc-transform'

export interface Emitted {
  readonly code: string
  readonly map: SourceMapPayload
}

/**
 * The JavaScript of a TypeScript module. Imports that are not `import type` stay, used or not: a later cell may use them.
 *
 * @throws SyntaxError with the first problem's text and frame
 */
export function emit(filename: string, code: string): Emitted {
  const result = transformSync(filename, code, {
    lang: 'ts',
    sourceType: 'module',
    sourcemap: true,
    target: 'es2022',
    typescript: { onlyRemoveTypeImports: true },
    // No version of Node has decorators of its own, and oxc lowers those of `experimentalDecorators`.
    decorator: { legacy: true },
  })
  const problem = result.errors[0]
  if (problem !== undefined || result.map === undefined) {
    throw new SyntaxError(`${problem?.message ?? 'not a TypeScript module'}${problem?.codeframe ?? ''}`)
  }
  return { code: result.code, map: result.map as unknown as SourceMapPayload }
}
