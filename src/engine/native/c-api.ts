/**
 * TensorFlow's C API (`tensorflow/c/c_api.h`, `tensorflow/c/eager/c_api.h`, version 2.21), the part that the engine uses,
 * and the status object that its functions report through.
 */
import { type Functions, openLibrary, systemLibrary, withoutStderr } from '../../ffi/index.js'
import { ShardbookError } from '../../core/errors.js'
import { field, varint } from './attributes.js'

const signatures = {
  TF_Version: ['string'],
  TF_NewStatus: ['pointer'],
  TF_DeleteStatus: ['void', 'pointer'],
  TF_GetCode: ['int', 'pointer'],
  TF_Message: ['string', 'pointer'],

  TFE_NewContextOptions: ['pointer'],
  TFE_ContextOptionsSetConfig: ['void', 'pointer', 'bytes', 'size', 'pointer'],
  TFE_DeleteContextOptions: ['void', 'pointer'],
  TFE_NewContext: ['pointer', 'pointer', 'pointer'],
  TFE_ContextListDevices: ['pointer', 'pointer', 'pointer'],
  TF_DeviceListCount: ['int', 'pointer'],
  TF_DeviceListType: ['string', 'pointer', 'int', 'pointer'],
  TF_DeleteDeviceList: ['void', 'pointer'],
  TFE_ContextAddFunction: ['void', 'pointer', 'pointer', 'pointer'],
  TFE_ContextRemoveFunction: ['void', 'pointer', 'string', 'pointer'],

  TFE_NewExecutor: ['pointer', 'bool', 'bool', 'int'], // asynchronous, streaming, at most so many in flight
  TFE_ContextGetExecutorForThread: ['pointer', 'pointer'],
  TFE_ContextSetExecutorForThread: ['void', 'pointer', 'pointer'],
  TFE_ExecutorWaitForAllPendingNodes: ['void', 'pointer', 'pointer'],
  TFE_ExecutorClearError: ['void', 'pointer'],

  TFE_NewOp: ['pointer', 'pointer', 'string', 'pointer'],
  TFE_DeleteOp: ['void', 'pointer'],
  TFE_OpAddInput: ['void', 'pointer', 'pointer', 'pointer'],
  TFE_OpAddInputList: ['void', 'pointer', 'pointers', 'int', 'pointer'],
  TFE_OpSetAttrType: ['void', 'pointer', 'string', 'int'],
  TFE_OpSetAttrBool: ['void', 'pointer', 'string', 'bool'],
  TFE_OpSetAttrInt: ['void', 'pointer', 'string', 'int64'],
  TFE_OpSetAttrIntList: ['void', 'pointer', 'string', 'int64s', 'int'],
  TFE_OpSetAttrFloat: ['void', 'pointer', 'string', 'float'],
  TFE_OpSetAttrFloatList: ['void', 'pointer', 'string', 'floats', 'int'],
  TFE_OpSetAttrString: ['void', 'pointer', 'string', 'bytes', 'size'],
  TFE_OpSetAttrShape: ['void', 'pointer', 'string', 'int64s', 'int', 'pointer'],
  TFE_Execute: ['void', 'pointer', 'pointers', 'int32s', 'pointer'],

  TFE_NewTensorHandle: ['pointer', 'pointer', 'pointer'],
  TFE_DeleteTensorHandle: ['void', 'pointer'],
  TFE_TensorHandleResolve: ['pointer', 'pointer', 'pointer'],
  TFE_TensorHandleDataType: ['int', 'pointer'],
  TFE_TensorHandleNumDims: ['int', 'pointer', 'pointer'],
  TFE_TensorHandleDim: ['int64', 'pointer', 'int', 'pointer'],

  TF_AllocateTensor: ['pointer', 'int', 'int64s', 'int', 'size'],
  TF_DeleteTensor: ['void', 'pointer'],
  TF_TensorData: ['pointer', 'pointer'],
  TF_TensorByteSize: ['size', 'pointer'],
  TF_StringInit: ['void', 'pointer'],
  TF_StringCopy: ['void', 'pointer', 'bytes', 'size'],
  TF_StringDealloc: ['void', 'pointer'],
  TF_StringGetDataPointer: ['pointer', 'pointer'],
  TF_StringGetSize: ['size', 'pointer'],

  TF_NewGraph: ['pointer'],
  TF_DeleteGraph: ['void', 'pointer'],
  TF_NewOperation: ['pointer', 'pointer', 'string', 'string'],
  TF_FinishOperation: ['pointer', 'pointer', 'pointer'],
  TF_AddInput: ['void', 'pointer', 'indexedPointer'],
  TF_AddControlInput: ['void', 'pointer', 'pointer'],
  TF_AddInputList: ['void', 'pointer', 'bytes', 'int'],
  TF_SetAttrType: ['void', 'pointer', 'string', 'int'],
  TF_SetAttrBool: ['void', 'pointer', 'string', 'bool'],
  TF_SetAttrInt: ['void', 'pointer', 'string', 'int64'],
  TF_SetAttrIntList: ['void', 'pointer', 'string', 'int64s', 'int'],
  TF_SetAttrFloat: ['void', 'pointer', 'string', 'float'],
  TF_SetAttrFloatList: ['void', 'pointer', 'string', 'floats', 'int'],
  TF_SetAttrString: ['void', 'pointer', 'string', 'bytes', 'size'],
  TF_SetAttrShape: ['void', 'pointer', 'string', 'int64s', 'int'],
  TF_SetAttrValueProto: ['void', 'pointer', 'string', 'bytes', 'size', 'pointer'],
  TF_SetAttrTensor: ['void', 'pointer', 'string', 'pointer', 'pointer'],
  TF_OperationNumOutputs: ['int', 'pointer'],
  TF_OperationOutputType: ['int', 'indexedPointer'],
  TF_GraphSetTensorShape: ['void', 'pointer', 'indexedPointer', 'int64s', 'int', 'pointer'],
  TF_GraphGetTensorNumDims: ['int', 'pointer', 'indexedPointer', 'pointer'],
  TF_GraphGetTensorShape: ['void', 'pointer', 'indexedPointer', 'int64s', 'int', 'pointer'],
  TF_GraphToFunctionWithControlOutputs: [
    'pointer',
    'pointer', // graph
    'string', // name
    'bool', // append a hash to the name
    'int', // operations: -1 for all
    'bytes',
    'int', // inputs
    'bytes',
    'int', // outputs
    'bytes',
    'bytes', // names of the outputs
    'int', // nodes that run besides
    'pointers',
    'bytes', // their names
    'pointer',
    'string', // description
    'pointer',
  ],
  TF_DeleteFunction: ['void', 'pointer'],
  TF_GraphOperationByName: ['pointer', 'pointer', 'string'],

  TF_NewBuffer: ['pointer'],
  TF_DeleteBuffer: ['void', 'pointer'],
  TF_NewSessionOptions: ['pointer'],
  TF_SetConfig: ['void', 'pointer', 'bytes', 'size', 'pointer'],
  TF_DeleteSessionOptions: ['void', 'pointer'],
  TF_LoadSessionFromSavedModel: [
    'pointer',
    'pointer', // options
    'pointer', // run options
    'string', // folder
    'strings', // tags
    'int',
    'pointer', // graph
    'pointer', // buffer for the MetaGraphDef
    'pointer',
  ],
  TF_SessionRun: [
    'void',
    'pointer', // session
    'pointer', // run options
    'bytes', // inputs
    'pointers',
    'int',
    'bytes', // outputs
    'pointers',
    'int',
    'pointer', // targets
    'int',
    'pointer', // metadata
    'pointer',
  ],
  TF_CloseSession: ['void', 'pointer', 'pointer'],
  TF_DeleteSession: ['void', 'pointer', 'pointer'],
} as const

/** `TF_DataType` */
export const dataTypes = {
  TF_FLOAT: 1,
  TF_DOUBLE: 2,
  TF_INT32: 3,
  TF_UINT8: 4,
  TF_STRING: 7,
  TF_COMPLEX64: 8,
  TF_INT64: 9,
  TF_BOOL: 10,
  TF_RESOURCE: 20,
  TF_VARIANT: 21,
  TF_UINT32: 22,
} as const

export interface TensorFlow {
  readonly api: Functions<typeof signatures>
  /** The status object to pass to a function that wants one; check it with `check` right after. */
  readonly status: number
  readonly context: number
  /** Operations that may run at once. */
  readonly threads: number
  /** The `ConfigProto` of the context, serialised. */
  readonly config: Uint8Array
  /** The types of the devices: `CPU`, `GPU`. */
  readonly devices: () => string[]
  /** TensorFlow's own message about the last call, in one line. */
  readonly message: () => string
  /** Raises TensorFlow's own message, prefixed with what was tried, when the last call failed. */
  readonly check: (what: string) => void
}

export interface TensorFlowOptions {
  /** Operations that may run at once. */
  readonly threads: number
  /** Threads of one operation: with one, results do not depend on the number of cores. */
  readonly threadsPerOperation: number
  /** Where to compute: on the processor, on the GPU of this number, or where TensorFlow puts things. */
  readonly device: 'cpu' | number | undefined
}

/** Loads the library and makes the one eager context of this process. */
export async function loadTensorFlow(path: string, settings: TensorFlowOptions): Promise<TensorFlow> {
  const api = await withSettings(() => openLibrary(path, signatures, { pinned: true }))
  const status = api.TF_NewStatus()
  const message = (): string => api.TF_Message(status).replace(/\s+/g, ' ').trim()
  const check = (what: string): void => {
    if (api.TF_GetCode(status) !== 0) throw new ShardbookError('engine', `${what}: ${message()}`)
  }
  const options = api.TFE_NewContextOptions()
  const config = configProto(settings)
  api.TFE_ContextOptionsSetConfig(options, config, config.length, status)
  check('TensorFlow configuration')
  const context = api.TFE_NewContext(options, status)
  check('TensorFlow context')
  api.TFE_DeleteContextOptions(options)
  const devices = (): string[] => {
    const list = api.TFE_ContextListDevices(context, status)
    check('TensorFlow devices')
    const types = Array.from({ length: api.TF_DeviceListCount(list) }, (_, i) => api.TF_DeviceListType(list, i, status))
    api.TF_DeleteDeviceList(list)
    return types
  }
  return { api, status, context, threads: settings.threads, config, devices, message, check }
}

/**
 * Loads the library with oneDNN and without its log. TensorFlow leaves oneDNN off on older x86 processors, where its own kernels
 * lack dilated depthwise convolutions and err in gradients of volumes. Failures come through the status; what the library logs
 * besides is noise in a notebook, and some of it comes before its log level applies. A user who set either keeps it. Both are
 * set by the C function, because `process.env` may be a copy.
 */
async function withSettings<T>(load: () => Promise<T>): Promise<T> {
  const { setenv } = await openLibrary(systemLibrary, { setenv: ['int', 'string', 'string', 'int'] })
  if (process.arch === 'x64') setenv('TF_ENABLE_ONEDNN_OPTS', '1', 0)
  setenv('TF_CPP_MIN_LOG_LEVEL', '3', 0)
  const level = process.env['TF_CPP_MIN_LOG_LEVEL']
  return level === '0' || level === '1' ? load() : withoutStderr(load)
}

/**
 * `ConfigProto { intra_op_parallelism_threads, inter_op_parallelism_threads, device_count: { GPU: 0 },
 * gpu_options: { visible_device_list } }`, serialised.
 */
function configProto({ threads, threadsPerOperation, device }: TensorFlowOptions): Uint8Array {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value)
  const integer = (number: number, value: number): number[] => [...varint(number << 3), ...varint(value)]
  const placement =
    device === undefined
      ? []
      : device === 'cpu'
        ? field(1, field(1, text('GPU')), Uint8Array.from(integer(2, 0)))
        : field(6, field(5, text(String(device))))
  return Uint8Array.from([...placement, ...integer(2, threadsPerOperation), ...integer(5, threads)])
}
