/** A session that stands at a breakpoint: its frames, with the user's lines, and what they see. */
import { packageRoot } from '../package-root.js'
import type { CallFrame, Evaluated, Inspector, RemoteObject } from './inspector.js'
import type { DebuggedScript, Scripts } from './scripts.js'
import { Variables } from './variables.js'

const kernelFolder = `${packageRoot}dist/kernel/`

interface Frame {
  readonly call: CallFrame
  readonly cell: DebuggedScript | undefined
  readonly file: string
  readonly isOwn: boolean
  readonly line: number
  readonly column: number
}

type Scope = CallFrame['scopeChain'][number]

export class Stopped {
  readonly variables: Variables
  /** How many frames there are. */
  readonly depth: number
  private readonly inspector: Inspector
  private readonly frames: readonly Frame[]

  constructor(inspector: Inspector, calls: readonly CallFrame[], scripts: Scripts) {
    this.inspector = inspector
    this.variables = new Variables(inspector)
    this.depth = calls.length
    this.frames = calls.flatMap((call) => frameOf(call, scripts) ?? [])
  }

  /** The line of the cell, or of the user's module, where it stands; absent where it stands in other code. */
  get line(): number | undefined {
    const [top] = this.frames
    return top?.isOwn === true ? top.line : undefined
  }

  stack(): Readonly<Record<string, unknown>>[] {
    return this.frames.map(({ call, cell, file, line, column }, id) => {
      const path = cell?.path ?? file
      const name = call.functionName === '' ? (cell?.label ?? '(anonymous)') : call.functionName
      return { id, name, source: { name: cell?.label ?? file, path }, line, column }
    })
  }

  /** The variables around a frame, the nearest first; `names` are the notebook's. */
  async scopes(frame: number | undefined, names: RemoteObject): Promise<Readonly<Record<string, unknown>>[]> {
    const scopes: Readonly<Record<string, unknown>>[] = []
    for (const [name, isOf] of groups) {
      const objects = this.around(frame, isOf)
      const reference = this.variables.refer(objects)
      const isEmpty = (await this.variables.of(reference)).length === 0
      if (!isEmpty) scopes.push({ name, variablesReference: reference, expensive: false })
    }
    return [...scopes, { name: 'Notebook', variablesReference: this.variables.refer([names]), expensive: false }]
  }

  /** Evaluates in a frame what `code` makes of the names that the frame sees. */
  async evaluate(frame: number, code: (locals: ReadonlySet<string>) => string): Promise<Evaluated> {
    const all = this.around(frame, () => true)
    const locals = await this.variables.of(this.variables.refer(all))
    return this.inspector.post('Debugger.evaluateOnCallFrame', {
      callFrameId: this.frames[frame]?.call.callFrameId ?? '',
      expression: code(new Set(locals.map(({ name }) => name))),
    })
  }

  private around(frame = 0, isOf: (scope: Scope) => boolean): RemoteObject[] {
    const chain = this.frames[frame]?.call.scopeChain ?? []
    return chain
      .filter((scope) => scope.type !== 'global' && scope.type !== 'script' && isOf(scope))
      .map(({ object }) => object)
  }
}

const groups: readonly (readonly [string, (scope: Scope) => boolean])[] = [
  ['Locals', ({ type }) => type !== 'closure'],
  ['Closure', ({ type }) => type === 'closure'],
]

/** A frame of the user's: the kernel's own and Node's are nobody's business. */
function frameOf(call: CallFrame, scripts: Scripts): Frame | undefined {
  const at = { line: call.location.lineNumber + 1, column: (call.location.columnNumber ?? 0) + 1 }
  const found = scripts.find(call.location.scriptId, at)
  if (found === undefined || found.file.startsWith(kernelFolder)) return undefined
  const { place, ...rest } = found
  return { call, ...rest, ...place }
}
