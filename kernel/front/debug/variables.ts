/**
 * Values of the session as the debug adapter protocol shows them: a name, a text, a type, and a number by which a client
 * asks for what is inside. The numbers hold until the session goes on.
 */
import type { Inspector, RemoteObject } from './inspector.js'

export interface Variable {
  readonly name: string
  readonly value: string
  readonly type: string
  readonly variablesReference: number
  readonly evaluateName?: string
}

interface Property {
  readonly name: string
  readonly enumerable?: boolean
  readonly value?: RemoteObject
  readonly get?: RemoteObject
}

/** So many elements of a long array are shown. */
const shownElements = 100
const shownChars = 200

/** What the kernel adds to a cell's code. */
const ownNames = /^__(names|cell)\d*$/

export class Variables {
  private readonly inspector: Inspector
  private readonly objects = new Map<number, readonly RemoteObject[]>()
  private lastReference = 0

  constructor(inspector: Inspector) {
    this.inspector = inspector
  }

  /** A number for the variables that these objects have together. */
  refer(objects: readonly RemoteObject[]): number {
    this.objects.set(++this.lastReference, objects)
    return this.lastReference
  }

  /** The variables behind a number; none where it holds no longer. */
  async of(reference: number): Promise<Variable[]> {
    const objects = this.objects.get(reference) ?? []
    return (await Promise.all(objects.map((object) => this.members(object)))).flat()
  }

  /** One value under a name. */
  variable(name: string, object: RemoteObject): Variable {
    const type = object.subtype === 'null' ? 'null' : (object.className ?? object.type)
    return {
      name,
      value: textOf(object),
      type,
      variablesReference: object.objectId === undefined ? 0 : this.refer([object]),
      evaluateName: name,
    }
  }

  private async members(object: RemoteObject): Promise<Variable[]> {
    if (object.objectId === undefined) return []
    const isLong = Number(/\((\d+)\)$/.exec(object.description ?? '')?.[1]) > shownElements
    const isList = object.subtype === 'array' || object.subtype === 'typedarray'
    const shown = isLong && isList ? await this.beginning(object.objectId) : object.objectId
    const { result, internalProperties = [] } = await this.inspector.post<{
      result: readonly Property[]
      internalProperties?: readonly Property[]
    }>('Runtime.getProperties', { objectId: shown, ownProperties: true, generatePreview: false })
    const inside = internalProperties.filter(({ name }) => name === '[[Entries]]' || name === '[[PromiseResult]]')
    return [...result.filter(({ enumerable }) => enumerable !== false), ...inside]
      .filter(({ name }) => !ownNames.test(name))
      .map(({ name, value, get }) =>
        this.variable(name, value ?? { type: 'accessor', description: get === undefined ? 'not set yet' : 'getter' }),
      )
  }

  private async beginning(objectId: string): Promise<string> {
    const { result } = await this.inspector.post<{ result: Required<RemoteObject> }>('Runtime.callFunctionOn', {
      objectId,
      functionDeclaration: `function () { return this.slice(0, ${shownElements}) }`,
    })
    return result.objectId
  }
}

/** A value in one line. */
export function textOf({ type, value, unserializableValue, description }: RemoteObject): string {
  if (type === 'string') return cut(JSON.stringify(value))
  const text = description ?? unserializableValue ?? String(value)
  return cut(type === 'function' ? text.split('\n')[0]! : text)
}

function cut(text: string): string {
  return text.length > shownChars ? `${text.slice(0, shownChars)}…` : text
}
