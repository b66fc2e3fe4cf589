/**
 * Turns the JavaScript of a cell into an async function over the session's names.
 *
 * Every top-level name becomes a property of one of the session's objects (`__names0.x`), so that later cells see it, closures see
 * reassignments, and redeclaring is legal. Everything else keeps its meaning:
 * - a call `f(x)` of such a name has no receiver: `(0, __names0.f)(x)`; functions keep their inferred names;
 * - imports become awaited dynamic ones, bound before anything else runs; function declarations are hoisted;
 * - a top-level `await x` becomes `await __cell.wait(x)`, which an interrupt rejects;
 * - the last expression statement is returned, wrapped, so that a promise as a value is not awaited;
 * - an assignment to a `const` of the cell throws as it would in a module;
 * - `__cell.done` counts finished top-level statements: it tells which names have a value when a cell fails.
 * Lines and columns are kept in the source map.
 */
import type { SourceMapPayload } from 'node:module'
import { MagicString } from 'magic-string'
import { type Node, type Program, bindingNames, hoistedVars, parseCell } from '../syntax.js'
import type { NotebookNames } from './names.js'
import { ReferenceRewriter } from './references.js'

export interface Rewritten {
  readonly code: string
  readonly map: SourceMapPayload
  /**
   * Top-level names of the cell, each with how many top-level statements must have ended for it to have a value.
   * Imported names have infinity: `__cell.bind` tells.
   */
  readonly declared: ReadonlyMap<string, number>
  /** Names of the session that the cell declares or uses. */
  readonly used: ReadonlySet<string>
}

type Import = Extract<Node, { type: 'ImportDeclaration' }>

/** Rewrites `js`, a cell that comes after those that left `names`. */
export function rewrite(js: string, names: NotebookNames): Rewritten {
  const { program, problems } = parseCell(js, 'js')
  const problem = problems[0]
  if (problem !== undefined) throw new SyntaxError(problem.message)
  return new Rewriter(js, program, names).run()
}

class Rewriter {
  private readonly out: MagicString
  private readonly declared = new Map<string, number>()
  private readonly constants = new Set<string>()
  private readonly references: ReferenceRewriter
  private readonly late: string[] = []
  private readonly js: string
  private readonly program: Program

  private readonly names: NotebookNames

  constructor(js: string, program: Program, names: NotebookNames) {
    this.js = js
    this.program = program
    this.out = new MagicString(js)
    this.names = names
    this.references = new ReferenceRewriter(this.out, {
      reference: (name) => (this.declared.has(name) || names.has(name) ? this.reference(name) : undefined),
      target: (name) => (this.constants.has(name) ? `__cell.constants.${name}` : undefined),
    })
  }

  run(): Rewritten {
    const body = this.program.body.filter((statement) => statement.type !== 'EmptyStatement')
    const hoisted: string[] = []
    body.forEach((statement, index) => this.declare(declarationOf(statement), index, hoisted))
    const firstOther = body.findIndex((statement) => statement.type !== 'ImportDeclaration')
    body.forEach((statement, index) => {
      if (statement.type === 'ImportDeclaration') this.importStatement(statement, firstOther < 0 || index < firstOther)
      else this.topLevel(statement, index, index === body.length - 1)
    })
    const used = new Set([...this.declared.keys(), ...this.references.used])
    const hoists = hoisted.map((name) => `${this.reference(name)} = ${name};`).join('')
    const last = Math.max(0, ...[...used].map((name) => this.names.placeOf(name)))
    const places = Array.from({ length: last + 1 }, (_, place) => `__names${place}`).join(', ')
    this.out.prepend(`(async (__cell, ${places}) => { "use strict"; ${hoists}${this.late.join('')}`)
    this.out.append('\n})')
    const map = this.out.generateMap({ hires: 'boundary' }) as unknown as SourceMapPayload
    return { code: this.out.toString(), map, declared: this.declared, used }
  }

  private reference(name: string): string {
    return `__names${this.names.placeOf(name)}.${name}`
  }

  /** Notes the names of a top-level statement. */
  private declare(statement: Node, index: number, hoisted: string[]): void {
    if (statement.type === 'ImportDeclaration') {
      for (const specifier of statement.specifiers) this.declared.set(specifier.local.name, Infinity)
    } else if (statement.type === 'FunctionDeclaration' && statement.id !== null) {
      this.declared.set(statement.id.name, 0)
      hoisted.push(statement.id.name)
    } else if (statement.type === 'ClassDeclaration' && statement.id !== null) {
      this.declared.set(statement.id.name, index + 1)
    } else {
      const names =
        statement.type === 'VariableDeclaration'
          ? statement.declarations.flatMap((declarator) => bindingNames(declarator.id))
          : hoistedVars(statement)
      const isConstant = statement.type === 'VariableDeclaration' && statement.kind === 'const'
      for (const name of names) {
        this.declared.set(name, index + 1)
        if (isConstant) this.constants.add(name)
      }
    }
  }

  private topLevel(statement: Node, index: number, isLast: boolean): void {
    const inner = declarationOf(statement)
    if (inner === statement && statement.type.startsWith('Export')) {
      this.out.remove(statement.start, statement.end)
      return
    }
    if (inner !== statement) this.out.remove(statement.start, inner.start)
    if (inner.type === 'VariableDeclaration') {
      this.references.assignments(inner, undefined)
    } else if (inner.type === 'ClassDeclaration' && inner.id !== null) {
      this.out.appendLeft(inner.start, `${this.reference(inner.id.name)} = `)
      this.references.walk(inner, undefined)
      this.out.appendLeft(inner.end, ';')
    } else if (isExpressionLike(inner)) {
      const end = this.js[inner.end - 1] === ';' ? inner.end - 1 : inner.end
      this.out.appendLeft(inner.start, isLast ? 'return { value: (' : '(')
      this.references.walk(inner, undefined)
      this.out.appendLeft(end, isLast ? ') }' : ')')
      if (isLast) return
    } else {
      this.references.walk(inner, undefined)
    }
    if (inner.type !== 'FunctionDeclaration') this.out.appendLeft(statement.end, ` __cell.done = ${index + 1};`)
  }

  /** Imports are bound before anything else runs, so one that stands below other statements moves up. */
  private importStatement(statement: Import, isFirst: boolean): void {
    const spec = statement.specifiers.map((specifier) => {
      const { name } = specifier.local
      return [this.names.placeOf(name), name, importedName(specifier)]
    })
    const attributes = statement.attributes.map((attribute) => this.js.slice(attribute.start, attribute.end)).join(', ')
    const options = attributes === '' ? '' : `, { with: { ${attributes} } }`
    const loaded = `await __cell.wait(import(${JSON.stringify(statement.source.value)}${options}))`
    const bound = `__cell.bind(${loaded}, ${JSON.stringify(spec)});`
    this.out.overwrite(statement.start, statement.end, isFirst ? bound : ';')
    if (!isFirst) this.late.push(bound)
  }
}

function importedName(specifier: Import['specifiers'][number]): string {
  if (specifier.type === 'ImportNamespaceSpecifier') return '*'
  if (specifier.type === 'ImportDefaultSpecifier') return 'default'
  const { imported } = specifier
  return imported.type === 'Literal' ? imported.value : imported.name
}

/** What an `export` declares, or the statement itself. */
function declarationOf(statement: Node): Node {
  if (statement.type === 'ExportNamedDeclaration') return statement.declaration ?? statement
  if (statement.type === 'ExportDefaultDeclaration') return statement.declaration
  return statement
}

/** An expression as a statement: by itself, or as a default export, which may be an unnamed function or class. */
function isExpressionLike(node: Node): boolean {
  if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') return node.id === null
  return node.type === 'ExpressionStatement' || !/(Statement|Declaration)$/.test(node.type)
}
