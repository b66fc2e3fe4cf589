/**
 * Turns the JavaScript of a cell into an async function over the session's names.
 *
 * Every top-level name becomes a property of one object (`__names.x`), so that later cells see it, closures see
 * reassignments, and redeclaring is legal. Everything else keeps its meaning:
 * - a call `f(x)` of such a name has no receiver: `(0, __names.f)(x)`; functions keep their inferred names;
 * - imports become awaited dynamic ones, bound before anything else runs; function declarations are hoisted;
 * - a top-level `await x` becomes `await __cell.wait(x)`, which an interrupt rejects;
 * - the last expression statement is returned, wrapped, so that a promise as a value is not awaited;
 * - `__cell.done` counts finished top-level statements: it tells which names have a value when a cell fails.
 * Lines and columns are kept in the source map.
 */
import type { SourceMapPayload } from 'node:module'
import { MagicString } from 'magic-string'
import { type Node, type Program, bindingNames, hoistedVars, parseCell } from '../syntax.js'
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

/** Rewrites `js`; `known` tells which names the session has from earlier cells. */
export function rewrite(js: string, known: (name: string) => boolean): Rewritten {
  const { program, problems } = parseCell(js, 'js')
  const problem = problems[0]
  if (problem !== undefined) throw new SyntaxError(problem.message)
  return new Rewriter(js, program, known).run()
}

class Rewriter {
  private readonly out: MagicString
  private readonly declared = new Map<string, number>()
  private readonly references: ReferenceRewriter
  private readonly late: string[] = []
  private readonly js: string
  private readonly program: Program

  constructor(js: string, program: Program, known: (name: string) => boolean) {
    this.js = js
    this.program = program
    this.out = new MagicString(js)
    this.references = new ReferenceRewriter(this.out, (name) => this.declared.has(name) || known(name))
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
    const hoists = hoisted.map((name) => `__names.${name} = ${name};`).join('')
    this.out.prepend(`(async (__names, __cell) => { "use strict"; ${hoists}${this.late.join('')}`)
    this.out.append('\n})')
    const map = this.out.generateMap({ hires: 'boundary' }) as unknown as SourceMapPayload
    return { code: this.out.toString(), map, declared: this.declared, used }
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
      for (const name of names) this.declared.set(name, index + 1)
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
      this.out.appendLeft(inner.start, `__names.${inner.id.name} = `)
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
    const spec = Object.fromEntries(
      statement.specifiers.map((specifier) => {
        if (specifier.type === 'ImportNamespaceSpecifier') return [specifier.local.name, '*']
        if (specifier.type === 'ImportDefaultSpecifier') return [specifier.local.name, 'default']
        const imported = specifier.imported
        return [specifier.local.name, imported.type === 'Literal' ? imported.value : imported.name]
      }),
    )
    const attributes = statement.attributes.map((attribute) => this.js.slice(attribute.start, attribute.end)).join(', ')
    const options = attributes === '' ? '' : `, { with: { ${attributes} } }`
    const loaded = `await __cell.wait(import(${JSON.stringify(statement.source.value)}${options}))`
    const bound = `__cell.bind(${loaded}, ${JSON.stringify(spec)});`
    this.out.overwrite(statement.start, statement.end, isFirst ? bound : ';')
    if (!isFirst) this.late.push(bound)
  }
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
