/** The only door to oxc-parser: ESTree of a cell, and the walks over it that both processes need. */
import {
  type ArrowFunctionExpression,
  type Function as FunctionNode,
  type Node,
  type ParseResult,
  type Program,
  parseSync,
  visitorKeys,
} from 'oxc-parser'

export type { ArrowFunctionExpression, FunctionNode, Node, Program }
export type SyntaxProblem = ParseResult['errors'][number]

/** Parses a cell; offsets are UTF-16 units. The program is empty where the text cannot be parsed. */
export function parseCell(code: string, lang: 'ts' | 'tsx' | 'js'): { program: Program; problems: SyntaxProblem[] } {
  const result = parseSync(`cell.${lang}`, code, { lang, sourceType: 'module', preserveParens: false })
  return { program: result.program, problems: result.errors }
}

/** The specifiers that a module imports or re-exports from, without `import()`. */
export function importedModules(code: string): string[] {
  const { module } = parseSync('cell.ts', code, { lang: 'ts', sourceType: 'module' })
  const exported = module.staticExports.flatMap(({ entries }) =>
    entries.map(({ moduleRequest }) => moduleRequest?.value),
  )
  const all = [...module.staticImports.map(({ moduleRequest }) => moduleRequest.value), ...exported]
  return [...new Set(all.filter((specifier) => specifier !== undefined && specifier !== null))]
}

/** The names that a module exports, types too. */
export function exportedNames(code: string): string[] {
  const { module } = parseSync('module.d.ts', code, { lang: 'dts', sourceType: 'module' })
  return module.staticExports.flatMap(({ entries }) => entries.flatMap(({ exportName }) => exportName.name ?? []))
}

/** Where a cell has JSX, of which TypeScript would only say that brackets are missing. */
export function findJsx(code: string): number | undefined {
  if (parseCell(code, 'ts').problems.length === 0) return undefined
  const { program, problems } = parseCell(code, 'tsx')
  if (problems.length > 0) return undefined
  const find = (node: Node): number | undefined => {
    if (node.type === 'JSXElement' || node.type === 'JSXFragment') return node.start
    for (const child of children(node)) {
      const found = find(child)
      if (found !== undefined) return found
    }
    return undefined
  }
  return find(program)
}

/** Whether more text could complete what parses no further. */
export function isIncomplete(code: string): boolean {
  const problem = parseCell(code, 'ts').problems[0]
  if (problem === undefined) return false
  // What the parser misses at the very end may still come; anything before it cannot be mended by more lines.
  const start = problem.labels[0]?.start ?? 0
  const isText = /^Unterminated (string|multiline)/.test(problem.message)
  return isText ? /^[`/]/.test(code.slice(start)) : start >= code.trimEnd().length
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** The child nodes in source order of fields. */
export function children(node: Node): Node[] {
  const fields = node as unknown as Record<string, unknown>
  return (visitorKeys[node.type] ?? []).flatMap((key) => {
    const value = fields[key]
    return Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : []
  })
}

/** Names that a pattern (or a plain identifier) binds. */
export function bindingNames(pattern: Node | null | undefined): string[] {
  switch (pattern?.type) {
    case undefined:
      return []
    case 'Identifier':
      return [pattern.name]
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) =>
        bindingNames(property.type === 'RestElement' ? property : property.value),
      )
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => bindingNames(element))
    case 'AssignmentPattern':
      return bindingNames(pattern.left)
    case 'RestElement':
      return bindingNames(pattern.argument)
    case 'TSParameterProperty':
      return bindingNames(pattern.parameter)
    default:
      return []
  }
}

/** True for nodes with a `var` scope of their own. */
function isFunctionLike(node: Node): boolean {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression' ||
    node.type === 'StaticBlock' ||
    node.type === 'PropertyDefinition' ||
    node.type === 'AccessorProperty' ||
    node.type === 'TSModuleBlock'
  )
}

/** Names that `var` declarations anywhere below `node` hoist out of it. */
export function hoistedVars(node: Node): string[] {
  if (isFunctionLike(node)) return []
  const own =
    node.type === 'VariableDeclaration' && node.kind === 'var'
      ? node.declarations.flatMap((declarator) => bindingNames(declarator.id))
      : []
  return [...own, ...children(node).flatMap(hoistedVars)]
}

/** Names that the statements of a block declare for themselves. */
export function blockNames(body: readonly Node[]): Set<string> {
  return new Set(
    body.flatMap((statement) => {
      if (statement.type === 'VariableDeclaration') {
        return statement.kind === 'var' ? [] : statement.declarations.flatMap((one) => bindingNames(one.id))
      }
      const isNamed = statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration'
      return isNamed && statement.id !== null ? [statement.id.name] : []
    }),
  )
}
