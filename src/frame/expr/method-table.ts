/** The methods behind the typed interfaces of `methods.ts`: one for each function, which builds the node. */
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { parseType } from '../schema-spec.js'
import { literalNode } from './literal.js'
import {
  aggregateOps,
  scalarOps,
  type ExprNode,
  type OverExpr,
  type ScalarOp,
  type SortKey,
  type WindowFrame,
} from './node.js'
import { printExpr } from './print.js'
import type { CastSpec, Expr, SortExpr } from './types.js'

interface Self {
  readonly node: ExprNode
}

/** The prototype of expressions. */
export function methods(
  build: (node: ExprNode) => Expr,
  isExpr: (value: unknown) => value is Expr,
  isSortExpr: (value: unknown) => value is SortExpr,
): object {
  const argument = (op: string, value: unknown): ExprNode => {
    if (isExpr(value)) return value.node
    return literalNode(op, value instanceof RegExp ? patternOf(op, value) : value)
  }
  const call = (self: ExprNode, op: ScalarOp, args: readonly unknown[]): Expr => {
    const given = args.filter((arg) => arg !== undefined)
    return build({ kind: 'call', op, args: [self, ...given.map((arg) => argument(op, arg))] })
  }
  const table: Record<string, (this: Self, ...args: readonly unknown[]) => unknown> = {}

  const free: readonly ScalarOp[] = ['when', 'list', 'struct', 'vector', 'isIn']
  for (const op of scalarOps) {
    if (free.includes(op) || listOp(op) !== undefined) continue
    table[op] = function (...args) {
      return call(this.node, op, args)
    }
  }
  for (const op of aggregateOps) {
    table[op] = function () {
      return build({ kind: 'aggregate', op, input: this.node })
    }
  }
  for (const op of ['lag', 'lead'] as const) {
    table[op] = function (rows = 1) {
      return build({ kind: 'window', op, args: [this.node, literalNode(op, rows)] })
    }
  }
  table['isIn'] = function (values) {
    if (!Array.isArray(values)) throw new ShardbookError('argument', `isIn: expected an array, got ${show(values)}.`)
    return call(this.node, 'isIn', values)
  }
  table['between'] = function (low, high) {
    const bounds = [call(this.node, 'ge', [low]).node, call(this.node, 'le', [high]).node]
    return build({ kind: 'call', op: 'and', args: bounds })
  }
  for (const [name, lenient] of [
    ['cast', false],
    ['tryCast', true],
  ] as const) {
    table[name] = function (to) {
      const { type } = parseType(name, printExpr(this.node), to as CastSpec)
      return build({ kind: 'cast', input: this.node, to: type, ...(lenient ? { lenient } : {}) })
    }
  }
  table['over'] = function (window = {}) {
    return build(overNode(this.node, window as WindowOptions))
  }
  table['asc'] = function () {
    return Object.freeze({ sort: { expr: this.node, descending: false } })
  }
  table['desc'] = function () {
    return Object.freeze({ sort: { expr: this.node, descending: true } })
  }

  interface WindowOptions {
    readonly partitionBy?: unknown
    readonly orderBy?: unknown
    readonly frame?: WindowFrame
  }
  function overNode(input: ExprNode, { partitionBy = [], orderBy = [], frame }: WindowOptions): OverExpr {
    if (input.kind !== 'aggregate' && input.kind !== 'window') {
      throw new ShardbookError('column', `over: expected an aggregate or a window function, got ${printExpr(input)}.`, {
        hint: `Say which value of the window: .sum(), .mean(), .lag() …`,
      })
    }
    const keys = (value: unknown): readonly SortKey[] =>
      [value].flat().map((key): SortKey => {
        if (typeof key === 'string') return { expr: { kind: 'column', name: key }, descending: false }
        return isSortExpr(key) ? key.sort : { expr: argument('over', key), descending: false }
      })
    return {
      kind: 'over',
      input,
      partitionBy: keys(partitionBy).map(({ expr }) => expr),
      orderBy: keys(orderBy),
      frame: checkFrame(frame ?? null),
    }
  }

  const onLists = scalarOps.flatMap((op) => {
    const name = listOp(op)
    return name === undefined ? [] : [[name, op] as const]
  })
  return Object.freeze(
    Object.defineProperty(table, 'list', {
      get(this: Self) {
        const self = this.node
        return Object.fromEntries(
          onLists.map(([name, op]) => [name, (...args: readonly unknown[]) => call(self, op, args)]),
        )
      },
    }),
  )
}

/** `sum` for `listSum`. */
function listOp(op: ScalarOp): string | undefined {
  const name = /^list([A-Z]\w*)$/.exec(op)?.[1]
  return name === undefined ? undefined : `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`
}

function checkFrame(frame: WindowFrame | null): WindowFrame | null {
  if (frame === null) return null
  const [from, to] = frame
  const isBound = (bound: unknown): boolean => bound === null || Number.isInteger(bound)
  if (frame.length === 2 && isBound(from) && isBound(to) && (from === null || to === null || from <= to))
    return [from, to]
  throw new ShardbookError(
    'argument',
    `over: expected a frame [from, to] of whole rows, from <= to, got ${show(frame)}.`,
  )
}

/** A pattern as RE2 takes it: flags in front. */
function patternOf(op: string, { source, flags }: RegExp): string {
  if (/[^gimsu]/.test(flags)) {
    throw new ShardbookError('argument', `${op}: expected a pattern with the flags g, i, m, s or u, got ${flags}.`)
  }
  const kept = flags.replaceAll(/[gu]/g, '')
  return kept === '' ? source : `(?${kept})${source}`
}
