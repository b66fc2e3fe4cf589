/**
 * The binding under tfjs-node's kernels: what its C++ addon is there, over the C API. Operations run eagerly, except while
 * a graph is built: then they become nodes of it.
 *
 * Kernels know tensors by id. An id stands for an eager tensor handle, which this table owns until `deleteTensor`, or for
 * an output of a graph node, which lives as long as the graph is built.
 */
import { ShardbookError } from '../../core/errors.js'
import { callInBackground } from '../../ffi/index.js'
import { type OpAttribute, attributeTypes, setAttributes } from './attributes.js'
import { type TensorFlow, dataTypes } from './c-api.js'
import type { GraphBuilder, NodeOutput } from './graph.js'
import type { TensorStore, Values } from './tensors.js'
import { describeHandle, specOf } from './handles.js'

export interface TensorMetadata {
  readonly id: number
  readonly shape: number[]
  readonly dtype: number
}

const maxOutputs = 1024
/** Functions that may be under way; more would only hold more memory. */
const maxInFlight = 4

export class Binding {
  readonly TF_Version: string
  private readonly handles = new Map<number, number | NodeOutput>()
  private readonly outputs = new BigUint64Array(maxOutputs)
  private readonly outputCount = new Int32Array(1)
  /** Ids whose values are being read in the background, and whether they are to be deleted after it. */
  private readonly reads = new Map<number, { count: number; isDeleted: boolean }>()
  /** Executes operations at once; the other lets functions run while JavaScript goes on. */
  private readonly foreground: number
  private readonly background: number
  private nextId = 0
  private builder: GraphBuilder | undefined
  private readonly tensorFlow: TensorFlow
  private readonly store: TensorStore

  constructor(tensorFlow: TensorFlow, store: TensorStore) {
    this.tensorFlow = tensorFlow
    this.store = store
    const { api, context } = tensorFlow
    this.TF_Version = api.TF_Version()
    this.foreground = api.TFE_ContextGetExecutorForThread(context)
    this.background = api.TFE_NewExecutor(1, 0, maxInFlight)
    Object.assign(this, dataTypes, attributeTypes) // kernels read them off the binding
  }

  /** The graph that operations go into now, if they do. */
  get graph(): GraphBuilder | undefined {
    return this.builder
  }

  /** Runs `build` with operations going into `builder` instead of being executed, or into the graph before. */
  building<T>(builder: GraphBuilder, build: () => T): T {
    const before = this.builder
    this.builder = builder
    try {
      return build()
    } finally {
      this.builder = before
    }
  }

  createTensor(shape: readonly number[], dtype: number, values: unknown): number {
    const tensor = this.store.allocate(shape, dtype, values)
    try {
      if (this.builder !== undefined) return this.add(this.builder.constant(tensor, shape, dtype, values))
      const id = this.share(tensor)
      return dtype === dataTypes.TF_STRING ? this.copyStrings(id) : id
    } finally {
      this.store.release(tensor, dtype)
    }
  }

  /** TensorFlow never frees strings that it was given, but its own: so it gets a copy. Gives back the id of that one. */
  private copyStrings(id: number): number {
    const [start, length] = [0, 2 ** 31 - 1].map((n) => this.createTensor([], dataTypes.TF_INT32, Int32Array.of(n)))
    try {
      const type = { name: 'T', type: attributeTypes.TF_ATTR_TYPE, value: dataTypes.TF_INT32 }
      return this.executeOp('Substr', [type], [id, start!, length!], 1)[0]!.id
    } finally {
      for (const used of [id, start!, length!]) this.deleteTensor(used)
    }
  }

  /** Takes a `TF_Tensor` into the table. */
  adopt(tensor: number): number {
    try {
      return this.share(tensor)
    } finally {
      this.tensorFlow.api.TF_DeleteTensor(tensor)
    }
  }

  private share(tensor: number): number {
    const { api, status, check } = this.tensorFlow
    const handle = api.TFE_NewTensorHandle(tensor, status)
    check('createTensor')
    return this.add(handle)
  }

  /** The `TF_Tensor` of an id, once it is there; the caller deletes it. */
  resolve(id: number): number {
    const { api, status, check } = this.tensorFlow
    const tensor = api.TFE_TensorHandleResolve(this.handleAt(id), status)
    check('data')
    return tensor
  }

  cast(id: number, from: number, to: number): number {
    const type = attributeTypes.TF_ATTR_TYPE
    const attributes = Object.entries({ SrcT: from, DstT: to }).map(([name, value]) => ({ name, type, value }))
    return this.executeOp('Cast', attributes, [id], 1)[0]!.id
  }

  metadata(id: number): TensorMetadata {
    return { id, ...specOf(this.tensorFlow, this.handleAt(id)) }
  }

  deleteTensor(id: number): void {
    const reading = this.reads.get(id)
    if (reading !== undefined) {
      reading.isDeleted = true
      return
    }
    const handle = this.at(id)
    if (typeof handle === 'number') this.tensorFlow.api.TFE_DeleteTensorHandle(handle)
    this.handles.delete(id)
  }

  tensorDataSync(id: number): Values {
    const { api } = this.tensorFlow
    const tensor = this.resolve(id)
    try {
      return this.store.values(tensor, api.TFE_TensorHandleDataType(this.handleAt(id)))
    } finally {
      api.TF_DeleteTensor(tensor)
    }
  }

  /** As `tensorDataSync`, and the event loop goes on until the values are there. */
  async tensorData(id: number): Promise<Values> {
    return this.whenThere(id, (tensor, dtype) => this.store.values(tensor, dtype))
  }

  /** Copies the values of a tensor of numbers into `target`, once they are there. */
  async readInto(id: number, target: Float32Array): Promise<void> {
    await this.whenThere(id, (tensor) => this.store.readInto(tensor, target))
  }

  private async whenThere<T>(id: number, read: (tensor: number, dtype: number) => T): Promise<T> {
    const { api } = this.tensorFlow
    const handle = this.handleAt(id)
    const reading = this.reads.get(id) ?? { count: 0, isDeleted: false }
    this.reads.set(id, reading)
    reading.count++
    const status = api.TF_NewStatus() // of its own: the other one is in use meanwhile
    try {
      const tensor = await callInBackground(api.TFE_TensorHandleResolve, handle, status)
      if (api.TF_GetCode(status) !== 0) throw new ShardbookError('engine', `data: ${api.TF_Message(status)}`)
      try {
        return read(tensor, api.TFE_TensorHandleDataType(handle))
      } finally {
        api.TF_DeleteTensor(tensor)
      }
    } finally {
      api.TF_DeleteStatus(status)
      reading.count--
      if (reading.count === 0) {
        this.reads.delete(id)
        if (reading.isDeleted) this.deleteTensor(id)
      }
    }
  }

  executeOp(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    outputCount: number,
  ): TensorMetadata[] {
    if (this.builder !== undefined) {
      const nodes = inputs.map((id) => this.nodeAt(id, name))
      return this.builder.node(name, attributes, nodes).map((output) => this.addNode(output))
    }
    return this.execute(name, attributes, inputs, outputCount).map((handle) => ({
      id: this.add(handle),
      ...specOf(this.tensorFlow, handle),
    }))
  }

  /** Executes an operation or a function; the handles of its results, owned by the caller. */
  execute(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    outputCount: number,
    isFunction = false,
  ): number[] {
    const { api, status, context, check } = this.tensorFlow
    const operation = api.TFE_NewOp(context, name, status)
    check(name)
    try {
      const handles = inputs.map((id) => this.handleAt(id))
      // A function takes all at once, of which a step has dozens; an operation would take them for one of its lists.
      if (isFunction) api.TFE_OpAddInputList(operation, BigUint64Array.from(handles, BigInt), handles.length, status)
      else {
        for (const handle of handles) {
          api.TFE_OpAddInput(operation, handle, status)
          check(name)
        }
      }
      check(name)
      setAttributes(this.tensorFlow, 'eager', operation, attributes)
      this.outputCount[0] = Math.min(outputCount, maxOutputs)
      api.TFE_Execute(operation, this.outputs, this.outputCount, status)
      if (api.TF_GetCode(status) !== 0) throw this.failure(name, inputs)
      return Array.from(this.outputs.subarray(0, this.outputCount[0]), Number)
    } finally {
      api.TFE_DeleteOp(operation)
    }
  }

  /**
   * Starts a function and returns without waiting for it. Its results can be given to operations and functions at once;
   * reading them waits, and says when the function failed.
   */
  start(name: string, attributes: readonly OpAttribute[], inputs: readonly number[], outputCount: number): number[] {
    const { api, context } = this.tensorFlow
    api.TFE_ContextSetExecutorForThread(context, this.background)
    try {
      return this.execute(name, attributes, inputs, outputCount, true)
    } catch {
      // A function that was started before may have failed, which its results tell and which stops all others.
      this.finish()
      return this.execute(name, attributes, inputs, outputCount, true)
    } finally {
      api.TFE_ContextSetExecutorForThread(context, this.foreground)
    }
  }

  /** Waits for the functions that were started. */
  finish(): void {
    const { api, status } = this.tensorFlow
    api.TFE_ExecutorWaitForAllPendingNodes(this.background, status)
    api.TFE_ExecutorClearError(this.background)
  }

  /** Takes an eager handle, or a node's output, into the table. */
  add(handle: number | NodeOutput): number {
    const id = this.nextId++
    this.handles.set(id, handle)
    return id
  }

  addNode(output: NodeOutput): TensorMetadata {
    return { id: this.add(output), shape: [...output.shape], dtype: output.dtype }
  }

  nodeAt(id: number, operation: string): NodeOutput {
    const handle = this.at(id)
    if (typeof handle !== 'number') return handle
    throw new ShardbookError(
      'internal',
      `${operation}: expected values of the graph that is built, got an eager tensor.`,
    )
  }

  isUsingGpuDevice = (): boolean => this.tensorFlow.devices().includes('GPU')

  /** Tensor handles that are alive. */
  getNumOfTensors(): number {
    return this.handles.size
  }

  /** What TensorFlow said, with the operation and its inputs. */
  private failure(name: string, inputs: readonly number[]): ShardbookError {
    const message = this.tensorFlow.message()
    const described = inputs.map((id) => describeHandle(this.tensorFlow, this.handleAt(id)))
    return new ShardbookError('engine', `${name}(${described.join(', ')}): ${message}`)
  }

  private handleAt(id: number): number {
    const handle = this.at(id)
    if (typeof handle === 'number') return handle
    throw new ShardbookError('engine', 'load: expected kernels that do not read values, got one that reads its input.')
  }

  private at(id: number): number | NodeOutput {
    const handle = this.handles.get(id)
    if (handle !== undefined) return handle
    throw new ShardbookError('engine', `native engine: expected a live tensor, got a disposed one (${id}).`)
  }
}
