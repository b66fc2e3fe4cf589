/**
 * Rewrites references to the session's names inside a cell: `x` to `__names0.x`, wherever no inner scope shadows it.
 *
 * Edits go to a MagicString, so positions stay mapped. Text inserted before and after an expression is always appended to
 * what stands left of it, closers after the walk of the inside: then nested insertions come out in the right order.
 */
import type { MagicString } from 'magic-string'
import {
  type ArrowFunctionExpression,
  type FunctionNode,
  type Node,
  bindingNames,
  blockNames,
  children,
  hoistedVars,
} from '../syntax.js'

/** Names that shadow the session's, innermost first. */
export interface Scope {
  readonly names: ReadonlySet<string>
  readonly parent: Scope | undefined
}

type Declaration = Extract<Node, { type: 'VariableDeclaration' }>

/** What stands for the session's names in the script; `undefined` where a name is none of its. */
export interface Naming {
  reference(name: string): string | undefined
  /** Instead of the reference where the cell assigns the name after its declaration. */
  target(name: string): string | undefined
}

export class ReferenceRewriter {
  /** Names of the session that were met. */
  readonly used = new Set<string>()
  private readonly enums = new Set<string>()
  private readonly out: MagicString
  private readonly naming: Naming
  /** How many functions the walk is inside of: `await` and `var` belong to the cell only at depth 0. */
  private depth = 0

  constructor(out: MagicString, naming: Naming) {
    this.out = out
    this.naming = naming
  }

  /** `const a = 1, { b } = c` becomes `(__names0.a = 1), ({ b: __names0.b } = c)`. */
  assignments(declaration: Declaration, scope: Scope | undefined): void {
    const first = declaration.declarations[0]!
    this.out.remove(declaration.start, first.start)
    for (const declarator of declaration.declarations) {
      const name = declarator.id.type === 'Identifier' ? declarator.id.name : undefined
      this.out.appendLeft(declarator.start, '(')
      this.pattern(declarator.id, scope)
      if (declarator.init !== null && declarator.init !== undefined) {
        const isAnonymous = name !== undefined && isAnonymousFunction(declarator.init)
        // A property gives a function its name as a declaration would; an assignment to a member does not.
        if (isAnonymous) this.out.appendLeft(declarator.init.start, `({ ${name}: `)
        if (!this.enumStart(name, declarator.init)) this.walk(declarator.init, scope)
        if (isAnonymous) this.out.appendLeft(declarator.init.end, ` }).${name}`)
      } else if (name !== undefined) {
        this.out.appendLeft(
          declarator.end,
          declaration.kind === 'var' ? ` = ${this.naming.reference(name)}` : ' = void 0',
        )
      }
      this.out.appendLeft(declarator.end, ')')
    }
  }

  /**
   * An enum is emitted as `var E = function(E) {…}(E || {})`: an earlier cell's `E` must not leak into it, while a
   * second part in the same cell does extend the first. Returns true when `init` was one and is dealt with.
   */
  private enumStart(name: string | undefined, init: Node): boolean {
    if (name === undefined || init.type !== 'CallExpression') return false
    const argument = init.arguments[0]
    if (argument?.type !== 'LogicalExpression' || argument.left.type !== 'Identifier') return false
    if (argument.left.name !== name || init.callee.type !== 'FunctionExpression') return false
    this.walk(init.callee, undefined)
    const isFirst = !this.enums.has(name)
    this.enums.add(name)
    this.out.overwrite(
      argument.left.start,
      argument.left.end,
      isFirst ? 'void 0' : (this.naming.reference(name) ?? name),
    )
    return true
  }

  /** Rewrites the names that a pattern declares, or assigns where `isTarget`, and the expressions inside it. */
  private pattern(target: Node | null, scope: Scope | undefined, isTarget = false): void {
    switch (target?.type) {
      case undefined:
        return
      case 'Identifier':
        return this.reference(target, scope, isTarget ? this.naming.target(target.name) : undefined)
      case 'ArrayPattern':
        return target.elements.forEach((element) => this.pattern(element, scope, isTarget))
      case 'AssignmentPattern':
        this.pattern(target.left, scope, isTarget)
        return this.walk(target.right, scope)
      case 'RestElement':
        return this.pattern(target.argument, scope, isTarget)
      case 'ObjectPattern':
        for (const property of target.properties) {
          if (property.type === 'RestElement') this.pattern(property.argument, scope, isTarget)
          else this.patternProperty(property, scope, isTarget)
        }
        return
      default:
        this.walk(target, scope)
    }
  }

  private patternProperty(
    property: Extract<Node, { type: 'Property' }>,
    scope: Scope | undefined,
    isTarget: boolean,
  ): void {
    if (property.computed) this.walk(property.key, scope)
    if (!property.shorthand) return this.pattern(property.value, scope, isTarget)
    const [name] = bindingNames(property.value)
    if (name !== undefined && this.isSession(name, scope)) this.out.appendLeft(property.start, `${name}: `)
    this.pattern(property.value, scope, isTarget)
  }

  private isSession(name: string, scope: Scope | undefined): boolean {
    for (let at = scope; at !== undefined; at = at.parent) if (at.names.has(name)) return false
    return this.naming.reference(name) !== undefined
  }

  /** Writes `text`, or else what stands for the name, in the place of a name of the session. */
  private reference(node: Extract<Node, { type: 'Identifier' }>, scope: Scope | undefined, text?: string): void {
    if (!this.isSession(node.name, scope)) return
    this.used.add(node.name)
    this.out.overwrite(node.start, node.end, text ?? this.naming.reference(node.name) ?? node.name)
  }

  walk(node: Node | null | undefined, scope: Scope | undefined): void {
    if (node === null || node === undefined) return
    switch (node.type) {
      case 'Identifier':
        return this.reference(node, scope)
      case 'MemberExpression':
        this.walk(node.object, scope)
        return node.computed ? this.walk(node.property, scope) : undefined
      case 'CallExpression':
        this.callee(node.callee, scope)
        return node.arguments.forEach((argument) => this.walk(argument, scope))
      case 'TaggedTemplateExpression':
        this.callee(node.tag, scope)
        return this.walk(node.quasi, scope)
      case 'Property':
        return this.property(node, scope)
      case 'MethodDefinition':
      case 'PropertyDefinition':
      case 'AccessorProperty':
        if (node.computed) this.walk(node.key, scope)
        return this.inFunction(() => this.walk(node.value, scope))
      case 'LabeledStatement':
        return this.walk(node.body, scope)
      case 'BreakStatement':
      case 'ContinueStatement':
        return
      case 'MetaProperty':
        if (node.meta.name === 'import') this.out.overwrite(node.start, node.end, '__cell.meta')
        return
      case 'AwaitExpression':
        if (this.depth === 0) this.out.appendLeft(node.argument.start, '__cell.wait(')
        this.walk(node.argument, scope)
        if (this.depth === 0) this.out.appendLeft(node.argument.end, ')')
        return
      case 'AssignmentExpression':
        this.pattern(node.left, scope, true)
        return this.walk(node.right, scope)
      case 'UpdateExpression':
        return this.pattern(node.argument, scope, true)
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        return this.inFunction(() => this.functionLike(node, scope))
      case 'ClassDeclaration':
      case 'ClassExpression': {
        const inner = node.id === null ? scope : { names: new Set([node.id.name]), parent: scope }
        this.walk(node.superClass, inner)
        return node.body.body.forEach((member) => this.walk(member, inner))
      }
      case 'StaticBlock':
        return this.inFunction(() => this.block(node.body, node, scope))
      case 'BlockStatement':
        return this.block(node.body, undefined, scope)
      case 'SwitchStatement':
        this.walk(node.discriminant, scope)
        return this.switchCases(node.cases, scope)
      case 'CatchClause': {
        const inner = { names: new Set(bindingNames(node.param)), parent: scope }
        this.pattern(node.param, inner)
        return this.walk(node.body, inner)
      }
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
        return this.loop(node, scope)
      case 'VariableDeclaration':
        if (node.kind === 'var' && this.depth === 0) return this.assignments(node, scope)
        return node.declarations.forEach((declarator) => {
          this.pattern(declarator.id, scope)
          this.walk(declarator.init, scope)
        })
      default:
        return children(node).forEach((child) => this.walk(child, scope))
    }
  }

  private callee(callee: Node, scope: Scope | undefined): void {
    if (callee.type === 'Identifier') this.reference(callee, scope, `(0, ${this.naming.reference(callee.name)})`)
    else this.walk(callee, scope)
  }

  private property(node: Extract<Node, { type: 'Property' }>, scope: Scope | undefined): void {
    if (node.computed) this.walk(node.key, scope)
    if (node.shorthand && node.value.type === 'Identifier' && this.isSession(node.value.name, scope)) {
      this.out.appendLeft(node.start, `${node.value.name}: `)
    }
    this.walk(node.value, scope)
  }

  private functionLike(node: ArrowFunctionExpression | FunctionNode, scope: Scope | undefined): void {
    const names = new Set(node.params.flatMap((parameter) => bindingNames(parameter)))
    if (node.type !== 'ArrowFunctionExpression') names.add('arguments')
    if (node.type === 'FunctionExpression' && node.id !== null) names.add(node.id.name)
    if (node.body !== null) for (const name of hoistedVars(node.body)) names.add(name)
    const inner = { names, parent: scope }
    node.params.forEach((parameter) => this.pattern(parameter, inner))
    this.walk(node.body, inner)
  }

  /** A block's own names shadow; `owner` is given where `var`s of the block stay inside it. */
  private block(body: readonly Node[], owner: Node | undefined, scope: Scope | undefined): void {
    const names = blockNames(body)
    if (owner !== undefined) for (const name of body.flatMap(hoistedVars)) names.add(name)
    const inner = { names, parent: scope }
    body.forEach((statement) => this.walk(statement, inner))
  }

  private switchCases(cases: readonly Extract<Node, { type: 'SwitchCase' }>[], scope: Scope | undefined): void {
    const inner = { names: blockNames(cases.flatMap((one) => one.consequent)), parent: scope }
    for (const one of cases) {
      this.walk(one.test, inner)
      one.consequent.forEach((statement) => this.walk(statement, inner))
    }
  }

  private loop(
    node: Extract<Node, { type: 'ForStatement' | 'ForInStatement' | 'ForOfStatement' }>,
    scope: Scope | undefined,
  ): void {
    const head = node.type === 'ForStatement' ? node.init : node.left
    const isDeclaration = head?.type === 'VariableDeclaration'
    const isHoisted = isDeclaration && head.kind === 'var' && this.depth === 0
    const names = isDeclaration && !isHoisted ? head.declarations.flatMap((one) => bindingNames(one.id)) : []
    const inner = { names: new Set(names), parent: scope }
    if (node.type === 'ForStatement') {
      this.walk(head, inner)
      this.walk(node.test, inner)
      this.walk(node.update, inner)
    } else {
      if (isHoisted) {
        this.out.remove(head.start, head.declarations[0]!.start)
        this.pattern(head.declarations[0]!.id, inner)
      } else if (isDeclaration) this.pattern(head.declarations[0]!.id, inner)
      else this.pattern(head ?? null, inner, true)
      const isAwaited = node.type === 'ForOfStatement' && node.await && this.depth === 0
      if (isAwaited) this.out.appendLeft(node.right.start, '__cell.each(')
      this.walk(node.right, inner)
      if (isAwaited) this.out.appendLeft(node.right.end, ')')
    }
    this.walk(node.body, inner)
  }

  private inFunction(inside: () => void): void {
    this.depth++
    inside()
    this.depth--
  }
}

function isAnonymousFunction(node: Node): boolean {
  if (node.type === 'ArrowFunctionExpression') return true
  return (node.type === 'FunctionExpression' || node.type === 'ClassExpression') && node.id === null
}
