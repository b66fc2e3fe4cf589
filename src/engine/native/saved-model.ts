/** Inference with a model that TensorFlow or Keras wrote as a SavedModel; it runs off the event loop. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkOneOf } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { type Memory, callInBackground } from '../../ffi/index.js'
import type { SavedModel, SavedModelOptions } from '../engine.js'
import { describe, sameShape } from '../errors.js'
import type { NativeBackend } from './backend.js'
import { type TensorFlow, dataTypes } from './c-api.js'
import { packOutputs } from './graph.js'
import { dataTypeOf } from './kernels.js'
import { type SignatureTensor, readSignatures } from './signature.js'

/** TensorFlow.js's dtype for each of TensorFlow's; values are converted where they differ. */
const dtypes: Readonly<Record<number, keyof typeof dataTypeOf>> = {
  [dataTypes.TF_FLOAT]: 'float32',
  [dataTypes.TF_DOUBLE]: 'float32',
  [dataTypes.TF_INT32]: 'int32',
  [dataTypes.TF_UINT8]: 'int32',
  [dataTypes.TF_INT64]: 'int32',
  [dataTypes.TF_STRING]: 'string',
  [dataTypes.TF_BOOL]: 'bool',
  [dataTypes.TF_COMPLEX64]: 'complex64',
}

export async function openSavedModel(
  folder: string,
  { tags = ['serve'], signature: wanted = 'serving_default' }: SavedModelOptions,
  backend: NativeBackend,
  tensorFlow: TensorFlow,
  memory: Memory,
): Promise<SavedModel> {
  const { api, status, check } = tensorFlow
  const { binding } = backend
  await stat(join(folder, 'saved_model.pb')).catch((cause: unknown) => {
    throw new ShardbookError('io', `loadSavedModel: expected saved_model.pb in ${folder}, got none.`, { cause })
  })
  const options = api.TF_NewSessionOptions()
  api.TF_SetConfig(options, tensorFlow.config, tensorFlow.config.length, status)
  const graph = api.TF_NewGraph()
  const buffer = api.TF_NewBuffer()
  const session = api.TF_LoadSessionFromSavedModel(options, 0, folder, [...tags], tags.length, graph, buffer, status)
  api.TF_DeleteSessionOptions(options)
  const metaGraph = readBuffer(memory, buffer)
  api.TF_DeleteBuffer(buffer)
  const free = (): void => {
    api.TF_CloseSession(session, status)
    api.TF_DeleteSession(session, status)
    api.TF_DeleteGraph(graph)
  }
  if (session === 0) api.TF_DeleteGraph(graph)
  check(`loadSavedModel: ${folder}`)

  try {
    const signatures = readSignatures(metaGraph)
    checkOneOf('loadSavedModel', 'signature', wanted, Object.keys(signatures))
    const { inputs, outputs } = signatures[wanted]!
    const outputOf = ({ name }: SignatureTensor): { output: { pointer: number; index: number } } => {
      const [node = '', index = '0'] = name.split(':')
      return { output: { pointer: api.TF_GraphOperationByName(graph, node), index: Number(index) } }
    }
    const [feeds, fetches] = [inputs, outputs].map((specs) => packOutputs(Object.values(specs).map(outputOf)))
    let disposed = false
    let runs = 0

    return {
      inputs: specsOf(inputs),
      outputs: specsOf(outputs),
      async predict(given) {
        if (disposed) throw new ShardbookError('state', 'predict: expected a live model, got a disposed one.')
        const names = Object.keys(inputs)
        checkNames(names, given)
        const values = BigUint64Array.from(names, (name) => BigInt(toModel(given[name]!, name, inputs[name]!)))
        const results = new BigUint64Array(Object.keys(outputs).length)
        const own = api.TF_NewStatus()
        runs++
        try {
          await callInBackground(
            api.TF_SessionRun,
            ...([session, 0, feeds!, values, values.length, fetches!, results, results.length, 0, 0, 0, own] as const),
          )
          if (api.TF_GetCode(own) !== 0) throw new ShardbookError('engine', `predict: ${api.TF_Message(own)}`)
        } finally {
          for (const tensor of values) api.TF_DeleteTensor(Number(tensor))
          api.TF_DeleteStatus(own)
          runs--
          if (disposed && runs === 0) free()
        }
        return Object.fromEntries(
          Object.entries(outputs).map(([name, spec], i) => [name, fromModel(Number(results[i]), spec)]),
        )
      },
      dispose() {
        if (disposed) return
        disposed = true
        if (runs === 0) free()
      },
    }
  } catch (error) {
    free()
    throw error
  }

  /** A new `TF_Tensor` of the model's dtype. */
  function toModel(tensor: Tensor, name: string, spec: SignatureTensor): number {
    const shape = spec.shape.map((size, axis) => size ?? tensor.shape[axis] ?? 0)
    const expected = { dtype: dtypes[spec.dtype] ?? `dtype ${spec.dtype}`, shape }
    if (tensor.isDisposed || tensor.dtype !== expected.dtype || !sameShape(tensor.shape, shape)) {
      const got = `${tensor.isDisposed ? 'disposed ' : ''}${describe(tensor)}`
      throw new ShardbookError('argument', `predict: expected input "${name}" to be ${describe(expected)}, got ${got}.`)
    }
    const id = backend.getInputTensorIds([tensor])[0]!
    const own = dataTypeOf[tensor.dtype]!
    if (own === spec.dtype) return binding.resolve(id)
    const cast = binding.cast(id, own, spec.dtype)
    const resolved = binding.resolve(cast)
    binding.deleteTensor(cast)
    return resolved
  }

  function fromModel(tensor: number, { dtype }: SignatureTensor): Tensor {
    const id = binding.adopt(tensor)
    const own = dataTypeOf[dtypes[dtype]!]!
    if (own === dtype) return backend.createOutputTensor(binding.metadata(id))
    const cast = binding.cast(id, dtype, own)
    binding.deleteTensor(id)
    return backend.createOutputTensor(binding.metadata(cast))
  }
}

function specsOf(tensors: Readonly<Record<string, SignatureTensor>>): SavedModel['inputs'] {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape }]) => {
      const own = dtypes[dtype]
      if (own !== undefined) return [name, { dtype: own, shape }]
      throw new ShardbookError('engine', `loadSavedModel: expected tensors of known dtypes, got "${name}" of ${dtype}.`)
    }),
  )
}

function checkNames(names: readonly string[], given: Readonly<Record<string, unknown>>): void {
  const got = Object.keys(given)
  if (got.length === names.length && names.every((name) => name in given)) return
  throw new ShardbookError(
    'argument',
    `predict: expected the inputs ${names.join(', ')}, got ${got.join(', ') || 'none'}.`,
  )
}

/** A `TF_Buffer`: address and length, and how it is freed. */
function readBuffer(memory: Memory, buffer: number): Uint8Array {
  const header = new BigUint64Array(2)
  memory.read(buffer, new Uint8Array(header.buffer))
  const bytes = new Uint8Array(Number(header[1]))
  memory.read(Number(header[0]), bytes)
  return bytes
}
