/** Builds a TensorFlow graph node by node, each computation once, and a function of it. */
import { ShardbookError } from '../../core/errors.js'
import { type OpAttribute, attributeTypes, int64s, setAttributes } from './attributes.js'
import { type TensorFlow, dataTypes } from './c-api.js'

/** One output of a node. */
export interface NodeOutput {
  readonly output: { readonly pointer: number; readonly index: number }
  readonly shape: readonly number[]
  readonly dtype: number
}

export class GraphBuilder {
  /** Functions that this graph's nodes call: they live as long as its own. */
  readonly functions: string[] = []
  /** The tensor list of each value that was stacked from one, by the value's node: a loop over its rows needs no copy. */
  readonly lists = new Map<number, NodeOutput>()
  private readonly graph: number
  /** Whether a node chooses what runs. */
  branches = false
  private nodes = 0
  /** Nodes by what they compute. */
  private readonly computed = new Map<string, NodeOutput[]>()
  private readonly tensorFlow: TensorFlow

  constructor(tensorFlow: TensorFlow) {
    this.tensorFlow = tensorFlow
    this.graph = tensorFlow.api.TF_NewGraph()
  }

  placeholder(shape: readonly number[], dtype: number): NodeOutput {
    const { TF_ATTR_SHAPE, TF_ATTR_TYPE } = attributeTypes
    const attributes = [
      { name: 'dtype', type: TF_ATTR_TYPE, value: dtype },
      { name: 'shape', type: TF_ATTR_SHAPE, value: shape },
    ]
    return this.node('Placeholder', attributes, [])[0]!
  }

  /** A constant with the values of a `TF_Tensor`, which stays the caller's; small ones are told apart by `values`. */
  constant(tensor: number, shape: readonly number[], dtype: number, values: unknown): NodeOutput {
    const key = keyOfConstant(shape, dtype, values)
    return this.once(key, () => {
      const { api, status, check } = this.tensorFlow
      const node = this.start('Const')
      api.TF_SetAttrTensor(node, 'value', tensor, status)
      check('Const')
      api.TF_SetAttrType(node, 'dtype', dtype)
      return [{ output: { pointer: this.finish('Const', node), index: 0 }, shape, dtype }]
    })[0]!
  }

  /** What a key stands for, made when it is first asked for; without a key always anew. */
  private once(key: string | undefined, make: () => NodeOutput[]): NodeOutput[] {
    const before = key === undefined ? undefined : this.computed.get(key)
    if (before !== undefined) return before
    const made = make()
    if (key !== undefined) this.computed.set(key, made)
    return made
  }

  /** Adds a node that runs after those of `controls`. */
  node(
    operation: string,
    attributes: readonly OpAttribute[],
    inputs: readonly NodeOutput[],
    controls: readonly number[] = [],
  ): NodeOutput[] {
    const key = isPure(operation, inputs, controls) ? keyOf(operation, attributes, inputs) : undefined
    return this.once(key, () => {
      const pointer = this.operation(operation, attributes, inputs, controls)
      const { api } = this.tensorFlow
      return Array.from({ length: api.TF_OperationNumOutputs(pointer) }, (_, index) => {
        const output = { pointer, index }
        return { output, shape: this.shapeOf(operation, output), dtype: api.TF_OperationOutputType(output) }
      })
    })
  }

  /** The value of a variable of known shape. */
  readVariable(variable: NodeOutput, shape: readonly number[], dtype: number): NodeOutput {
    const { api, status, check } = this.tensorFlow
    const attributes = [{ name: 'dtype', type: attributeTypes.TF_ATTR_TYPE, value: dtype }]
    const output = { pointer: this.operation('ReadVariableOp', attributes, [variable]), index: 0 }
    api.TF_GraphSetTensorShape(this.graph, output, int64s(shape), shape.length, status)
    check('ReadVariableOp')
    return { output, shape, dtype }
  }

  /** Adds a node; its pointer. */
  operation(
    operation: string,
    attributes: readonly OpAttribute[],
    inputs: readonly NodeOutput[],
    controls: readonly number[] = [],
  ): number {
    const { api } = this.tensorFlow
    if (operation === 'Switch' || operation === 'StatelessWhile') this.branches = true
    const node = this.start(operation)
    for (const control of controls) api.TF_AddControlInput(node, control)
    // An operation with the attribute N takes its first N inputs as one list, from whose length the graph infers N.
    const listed = (attributes.find(({ name }) => name === 'N')?.value as number | undefined) ?? 0
    if (listed > 0) api.TF_AddInputList(node, packOutputs(inputs.slice(0, listed)), listed)
    for (const { output } of inputs.slice(listed)) api.TF_AddInput(node, output)
    setAttributes(
      this.tensorFlow,
      'node',
      node,
      attributes.filter(({ name }) => listed === 0 || name !== 'N'),
    )
    return this.finish(operation, node)
  }

  /** Makes the graph a function that the eager context can execute by name; it runs the nodes of `controls` too. */
  addFunction(
    name: string,
    inputs: readonly NodeOutput[],
    outputs: readonly NodeOutput[],
    controls: readonly number[] = [],
  ): void {
    const { api, status, context, check } = this.tensorFlow
    const definition = api.TF_GraphToFunctionWithControlOutputs(
      this.graph,
      name,
      0,
      -1,
      null,
      inputs.length,
      packOutputs(inputs),
      outputs.length,
      packOutputs(outputs),
      null,
      controls.length,
      BigUint64Array.from(controls, BigInt),
      null,
      0,
      '',
      status,
    )
    check('TF_GraphToFunction')
    api.TFE_ContextAddFunction(context, definition, status)
    api.TF_DeleteFunction(definition)
    check('TFE_ContextAddFunction')
  }

  dispose(): void {
    this.tensorFlow.api.TF_DeleteGraph(this.graph)
  }

  private start(operation: string): number {
    return this.tensorFlow.api.TF_NewOperation(this.graph, operation, `${operation}_${this.nodes++}`)
  }

  private finish(operation: string, node: number): number {
    const { api, status, check } = this.tensorFlow
    const pointer = api.TF_FinishOperation(node, status)
    check(operation)
    return pointer
  }

  private shapeOf(operation: string, output: NodeOutput['output']): number[] {
    const { api, status, check } = this.tensorFlow
    const rank = api.TF_GraphGetTensorNumDims(this.graph, output, status)
    check(operation)
    const dims = int64s(Array.from({ length: Math.max(rank, 0) }, () => 0))
    if (rank > 0) api.TF_GraphGetTensorShape(this.graph, output, dims, rank, status)
    check(operation)
    const shape = Array.from(dims, Number)
    if (rank >= 0 && shape.every((d) => d >= 0)) return shape
    throw new ShardbookError(
      'engine',
      `load: expected every shape to be known, got ${operation} -> ${rank < 0 ? '?' : `[${shape.join(', ')}]`}.`,
    )
  }
}

/** Whether a node is nothing but a function of its inputs: of no variable or list that is written in place; not there for its own sake. */
function isPure(operation: string, inputs: readonly NodeOutput[], controls: readonly number[]): boolean {
  const stateful = [dataTypes.TF_RESOURCE, dataTypes.TF_VARIANT] as readonly number[]
  return (
    controls.length === 0 &&
    inputs.length > 0 &&
    !/^TensorList|While$|^Random|^Identity$/.test(operation) &&
    inputs.every(({ dtype }) => !stateful.includes(dtype))
  )
}

function keyOf(operation: string, attributes: readonly OpAttribute[], inputs: readonly NodeOutput[]): string {
  const given = attributes.map(({ name, value }) => [name, value])
  return JSON.stringify([operation, given, inputs.map(({ output }) => [output.pointer, output.index])])
}

function keyOfConstant(shape: readonly number[], dtype: number, values: unknown): string | undefined {
  const isList = Array.isArray(values) || (ArrayBuffer.isView(values) && !(values instanceof DataView))
  if (!isList || dtype === dataTypes.TF_STRING) return undefined
  const list = values as ArrayLike<unknown>
  return list.length > 16
    ? undefined
    : JSON.stringify([dtype, shape, Array.from(list, (value) => [String(value), Object.is(value, -0)])])
}

/** An array of `TF_Output`. */
export function packOutputs(outputs: readonly Pick<NodeOutput, 'output'>[]): Uint8Array {
  const bytes = new ArrayBuffer(outputs.length * 16)
  const view = new DataView(bytes)
  for (const [i, { output }] of outputs.entries()) {
    view.setBigUint64(i * 16, BigInt(output.pointer), true)
    view.setInt32(i * 16 + 8, output.index, true)
  }
  return new Uint8Array(bytes)
}
