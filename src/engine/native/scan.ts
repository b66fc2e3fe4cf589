/**
 * `Scan` in a graph: a `StatelessWhile` over a condition and a body, each a function of its own. Rows come from and go to
 * tensor lists, which TensorFlow reads without a copy and writes in place; rows that one loop stacks another takes as the same list.
 *
 * Loop variables, in this order: the number of runs done, carried values, lists of scanned rows, lists of stacked rows, shared
 * values.
 */
import type { KernelFunc, Tensor } from '@tensorflow/tfjs-core'
import { runTrace } from '../run-call.js'
import { scanKernel } from '../scan.js'
import { tfCore } from '../tf.js'
import type { ScanAttributes, Trace, ValueSpec } from '../trace.js'
import { attributeTypes } from './attributes.js'
import { type NativeBackend, nativeBackend } from './backend.js'
import type { Binding } from './binding.js'
import { type TensorFlow, dataTypes } from './c-api.js'
import { GraphBuilder, type NodeOutput } from './graph.js'
import { dataTypeOf, typeAttribute } from './kernels.js'

let functions = 0

/** Registers the kernel: run by run where operations are executed, as a loop where a graph is built. */
export function registerScan(tensorFlow: TensorFlow): void {
  const kernelFunc: KernelFunc = (params) => {
    const backend = params.backend as NativeBackend
    const outer = backend.binding.graph
    if (outer === undefined) return scanKernel(params)
    const attrs = params.attrs as unknown as ScanAttributes & { readonly body: Trace }
    return buildScan(new LoopBuilder(backend, tensorFlow, outer), params.inputs as unknown as Tensor[], attrs)
  }
  tfCore().registerKernel({ kernelName: 'Scan', backendName: nativeBackend, kernelFunc })
}

type Scan = ScanAttributes & { readonly body: Trace }

function buildScan(loop: LoopBuilder, inputs: readonly Tensor[], scan: Scan): Tensor[] {
  const { count, carried, scanned, reverse, body } = scan
  const { outer } = loop
  const specs = body.inputs.map(({ value }) => body.values[value]!)
  const rows = specs.slice(carried, carried + scanned)
  const stacked = body.outputs.slice(carried).map(({ value }) => body.values[value]!)
  const given = inputs.map((tensor) => loop.nodeOf(tensor))
  const variables = [
    loop.integer(outer, 0),
    ...given.slice(0, carried),
    ...rows.map((row, i) => {
      const stack = given[carried + i]!
      const list = outer.lists.get(stack.output.pointer)
      return list ?? outer.node('TensorListFromTensor', listOf(row), [stack, loop.shape(outer, row)])[0]!
    }),
    ...stacked.map(
      (row) => outer.node('TensorListReserve', listOf(row), [loop.shape(outer, row), loop.integer(outer, count)])[0]!,
    ),
    ...given.slice(carried + scanned),
  ]
  const condition = loop.define(variables, (graph, [runs]) =>
    graph.node('Less', [int32('T')], [runs!, loop.integer(graph, count)]),
  )
  const step = loop.define(variables, (graph, [runs, ...others]) => {
    const row = reverse ? graph.node('Sub', [int32('T')], [loop.integer(graph, count - 1), runs!])[0]! : runs!
    const lists = others.slice(carried, carried + scanned + stacked.length)
    const items = rows.map((spec, i) =>
      loop.reshaped(
        graph,
        graph.node('TensorListGetItem', itemOf(spec), [lists[i]!, row, loop.shape(graph, spec)])[0]!,
        spec,
      ),
    )
    const shared = others.slice(carried + lists.length)
    const results = loop.run(body, [...others.slice(0, carried), ...items, ...shared])
    const filled = stacked.map(
      (spec, i) => graph.node('TensorListSetItem', itemOf(spec), [lists[scanned + i]!, row, results[carried + i]!])[0]!,
    )
    const next = graph.node('AddV2', [int32('T')], [runs!, loop.integer(graph, 1)])[0]!
    return [next, ...results.slice(0, carried), ...lists.slice(0, scanned), ...filled, ...shared]
  })
  const ends = outer.node(
    'StatelessWhile',
    [
      { name: 'cond', type: attributeTypes.TF_ATTR_FUNC, value: condition },
      { name: 'body', type: attributeTypes.TF_ATTR_FUNC, value: step },
      { name: 'output_shapes', type: attributeTypes.TF_ATTR_SHAPE, value: variables.map(({ shape }) => shape) },
      { name: '_lower_using_switch_merge', type: attributeTypes.TF_ATTR_BOOL, value: true },
      { name: 'N', type: attributeTypes.TF_ATTR_INT, value: variables.length },
    ],
    variables,
  )
  const stacks = stacked.map((row, i) => {
    const attributes = [...itemOf(row), { name: 'num_elements', type: attributeTypes.TF_ATTR_INT, value: count }]
    const list = ends[1 + carried + scanned + i]!
    const stack = outer.node('TensorListStack', attributes, [list, loop.shape(outer, row)])[0]!
    outer.lists.set(stack.output.pointer, list)
    return stack
  })
  return [...ends.slice(1, 1 + carried), ...stacks].map((node) => loop.tensorOf(node))
}

/** Makes the functions of a loop beside the graph that runs it. */
class LoopBuilder {
  readonly outer: GraphBuilder
  private readonly backend: NativeBackend
  private readonly binding: Binding
  private readonly tensorFlow: TensorFlow

  constructor(backend: NativeBackend, tensorFlow: TensorFlow, outer: GraphBuilder) {
    this.outer = outer
    this.backend = backend
    this.binding = backend.binding
    this.tensorFlow = tensorFlow
  }

  /** A function of loop variables; its name. */
  define(
    variables: readonly NodeOutput[],
    build: (graph: GraphBuilder, parameters: NodeOutput[]) => NodeOutput[],
  ): string {
    const graph = new GraphBuilder(this.tensorFlow)
    const name = `shardbook_loop_${functions++}`
    try {
      this.binding.building(graph, () => {
        const parameters = variables.map(({ shape, dtype }) => graph.placeholder(shape, dtype))
        const results = build(graph, parameters)
        // A function cannot hand out a parameter itself.
        graph.addFunction(
          name,
          parameters,
          results.map((result) =>
            parameters.includes(result)
              ? graph.node('Identity', [{ ...typeAttribute('T', 'float32'), value: result.dtype }], [result])[0]!
              : result,
          ),
        )
      })
      this.outer.functions.push(name, ...graph.functions)
      return name
    } finally {
      graph.dispose()
    }
  }

  run(body: Trace, inputs: readonly NodeOutput[]): NodeOutput[] {
    let results: NodeOutput[] = []
    tfCore().tidy(() => {
      results = runTrace(
        body,
        inputs.map((node) => this.tensorOf(node)),
      ).map((tensor) => this.nodeOf(tensor))
    })
    return results
  }

  tensorOf(node: NodeOutput): Tensor {
    return this.backend.createOutputTensor(this.binding.addNode(node))
  }

  nodeOf(tensor: Tensor): NodeOutput {
    return this.binding.nodeAt(this.backend.getInputTensorIds([tensor])[0]!, 'Scan')
  }

  integer(graph: GraphBuilder, value: number): NodeOutput {
    return this.binding.building(graph, () =>
      this.binding.nodeAt(this.binding.createTensor([], dataTypes.TF_INT32, Int32Array.of(value)), 'Scan'),
    )
  }

  shape(graph: GraphBuilder, { shape }: ValueSpec): NodeOutput {
    return this.binding.building(graph, () =>
      this.binding.nodeAt(
        this.binding.createTensor([shape.length], dataTypes.TF_INT32, Int32Array.from(shape)),
        'Scan',
      ),
    )
  }

  reshaped(graph: GraphBuilder, item: NodeOutput, spec: ValueSpec): NodeOutput {
    void graph
    return { ...item, shape: spec.shape }
  }
}

function int32(name: string) {
  return typeAttribute(name, 'int32')
}

function itemOf({ dtype }: ValueSpec) {
  return [{ name: 'element_dtype', type: attributeTypes.TF_ATTR_TYPE, value: dataTypeOf[dtype] }]
}

function listOf(row: ValueSpec) {
  return [...itemOf(row), int32('shape_type')]
}
