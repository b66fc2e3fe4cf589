/** tfjs-node's backend class and kernels, from the bundle that `tools/vendor-kernels.mjs` makes. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BackendValues, KernelBackend, Tensor, TensorInfo } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../../core/errors.js'
import type { OpAttribute } from './attributes.js'
import type { Binding, TensorMetadata } from './binding.js'

/** What we use of `NodeJSKernelBackend`. */
export interface NativeBackend extends KernelBackend {
  readonly binding: Binding
  /** Where a tensor's values are: here still, or on the binding. */
  readonly tensorMap: { get(dataId: object): { readonly id: number; readonly values: BackendValues | null } }
  /** Ids of the tensors on the binding; values that are not there yet are put there. */
  getInputTensorIds(tensors: readonly TensorInfo[]): number[]
  createOutputTensor(metadata: TensorMetadata): Tensor
  executeSingleOutput(operation: string, attributes: readonly OpAttribute[], inputs: readonly TensorInfo[]): Tensor
  executeMultipleOutputs(
    operation: string,
    attributes: readonly OpAttribute[],
    inputs: readonly TensorInfo[],
    outputs: number,
  ): Tensor[]
}

/** The name under which tfjs-node's kernels register themselves. */
export const nativeBackend = 'tensorflow'

/** Loads the bundle, which registers its kernels. */
export function createBackend(binding: Binding): NativeBackend {
  const { NodeJSKernelBackend } = createRequire(import.meta.url)(bundlePath()) as {
    NodeJSKernelBackend: new (binding: Binding, packageName: string) => NativeBackend
  }
  const backend = new NodeJSKernelBackend(binding, 'shardbook')
  backend.read = async (dataId) => {
    const { id, values } = backend.tensorMap.get(dataId)
    return values ?? ((await binding.tensorData(id)) as BackendValues)
  }
  return backend
}

function bundlePath(): string {
  const root = join(dirname(fileURLToPath(import.meta.url)), '../../..') // dist/ when built, the project when run from source
  const found = [root, join(root, 'dist')]
    .map((folder) => join(folder, 'vendor/tfjs-node-kernels.cjs'))
    .find(existsSync)
  if (found !== undefined) return found
  throw new ShardbookError('missing', `openEngine: expected the bundled kernels under ${root}, got none.`, {
    hint: 'Build the package: npm run build.',
  })
}
