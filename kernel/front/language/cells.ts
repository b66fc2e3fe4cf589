/**
 * Cells as modules: each becomes a file of its own that imports what it uses of earlier cells and exports what it
 * declares. The imports are one line in front of the user's text, the exports one behind it, so positions shift by
 * exactly one line, and a name may be declared anew in a later cell. Variables are declared, since imports are read-only.
 */
import type { Node } from '../../syntax.js'
import { bindingNames, children, hoistedVars, parseCell } from '../../syntax.js'
import { importNames, type Names } from './names.js'

/** `let`: may be assigned by later cells; `value`: may not; `type`: has no value. */
export type NameKind = 'let' | 'value' | 'type'

export interface CellModule {
  /** The number of its file. */
  readonly cell: number
  /** The file's text: header line, the user's text, footer line. */
  readonly text: string
  /** What it declares. */
  readonly declared: ReadonlyMap<string, NameKind>
}

/**
 * The module of a cell, in file number `cell`, after earlier ones that left `names`.
 *
 * @param prefix - imports names that begin so in lower case, used or not, as completion wants it
 */
export function cellModule(code: string, names: Pick<Names, 'known'>, cell: number, prefix?: string): CellModule {
  const { program } = parseCell(code, 'ts')
  const { declared, exported } = declaredNames(program.body)
  const words = new Set(code.match(/[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/gu))
  const isWanted = (name: string): boolean =>
    !declared.has(name) && (words.has(name) || (prefix !== undefined && name.toLowerCase().startsWith(prefix)))
  let assigned: ReadonlySet<string> | undefined
  const isAssigned = (name: string): boolean => (assigned ??= assignedNames(program)).has(name)
  const imports: string[] = []
  let variables = ''
  for (const [name, { kind, declared: own, told }] of names.known) {
    if (!isWanted(name)) continue
    // A variable that this cell assigns keeps its declared type: what its last value told binds no later one.
    const from = told === undefined || (kind === 'let' && isAssigned(name)) ? own : told
    imports.push(kind === 'let' ? from : `${from} as ${name}`)
    if (kind === 'let') variables += `declare let ${name}: typeof ${from}; `
  }
  const header = importNames(imports) + variables
  const footer = [...declared.keys()].filter((name) => !exported.has(name))
  return { cell, text: `${header}\n${code}\nexport { ${footer.join(', ')} }`, declared }
}

/** The names that a module's statements declare, and those among them that it exports already. */
function declaredNames(body: readonly Node[]): { declared: Map<string, NameKind>; exported: Set<string> } {
  const declared = new Map<string, NameKind>()
  const exported = new Set<string>()
  const add = (name: string | undefined, kind: NameKind): void => {
    if (name === undefined) return
    // A value merges with a type of the same name and is then both.
    if (kind !== 'type' || !declared.has(name)) declared.set(name, kind)
  }
  for (const statement of body) {
    if (statement.type === 'ImportDeclaration') {
      for (const specifier of statement.specifiers) {
        const kinds = [statement.importKind, specifier.type === 'ImportSpecifier' ? specifier.importKind : 'value']
        add(specifier.local.name, kinds.includes('type') ? 'type' : 'value')
      }
      continue
    }
    const inner = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (inner === null) {
      if (statement.type !== 'ExportNamedDeclaration' || statement.source !== null) continue
      for (const { exported: name } of statement.specifiers) if (name.type === 'Identifier') exported.add(name.name)
      continue
    }
    const own = namesOf(inner)
    for (const [name, kind] of own) add(name, kind)
    if (inner !== statement) for (const [name] of own) exported.add(name)
  }
  return { declared, exported }
}

function namesOf(statement: Node): [string, NameKind][] {
  switch (statement.type) {
    case 'VariableDeclaration': {
      const kind = statement.kind === 'let' || statement.kind === 'var' ? 'let' : 'value'
      return statement.declarations.flatMap(({ id }) =>
        bindingNames(id).map((name) => [name, kind] as [string, NameKind]),
      )
    }
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
    case 'TSDeclareFunction':
      return statement.id === null ? [] : [[statement.id.name, 'value']]
    case 'TSEnumDeclaration':
    case 'TSImportEqualsDeclaration':
      return [[statement.id.name, 'value']]
    case 'TSModuleDeclaration':
      return statement.id.type === 'Identifier' && statement.kind !== 'global' ? [[statement.id.name, 'value']] : []
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
      return [[statement.id.name, 'type']]
    default:
      return hoistedVars(statement).map((name) => [name, 'let'])
  }
}

function assignedNames(node: Node, found = new Set<string>()): Set<string> {
  if (node.type === 'AssignmentExpression') for (const name of bindingNames(node.left)) found.add(name)
  for (const child of children(node)) assignedNames(child, found)
  return found
}
