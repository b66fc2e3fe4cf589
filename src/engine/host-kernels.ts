/**
 * Kernels that an engine lacks, run on the host: TensorFlow.js's reference kernels (`tfjs-backend-cpu`) on values that are
 * read from the engine and written back to it. Slow for large tensors, and right.
 */
import { createRequire } from 'node:module'
import type { BackendValues, KernelBackend, KernelFunc, TensorInfo } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../core/errors.js'
import { tfCore } from './tf.js'

/** What we use of `MathBackendCPU`, the reference backend. */
interface Host extends KernelBackend {
  firstUse: boolean
  makeTensorInfo(shape: number[], dtype: string, values: BackendValues): TensorInfo
  disposeIntermediateTensorInfo(tensor: TensorInfo): void
  readSync(id: object): BackendValues
}

type Inputs = Readonly<Record<string, TensorInfo | readonly TensorInfo[] | undefined>> | readonly TensorInfo[]

/** Whether an engine's own kernel is not for these inputs and attributes. */
export type Refusal = (inputs: readonly TensorInfo[], attrs: Readonly<Record<string, unknown>>) => boolean

const fallbacks = new Map<string, Set<string>>()

/** The kernels that a backend has on the host only. */
export function hostFallbacks(backendName: string): Set<string> {
  const known = fallbacks.get(backendName) ?? new Set()
  fallbacks.set(backendName, known)
  return known
}

/** Registers a kernel that runs on the host: in place of one that the engine lacks, or for what the engine's own refuses. */
export function registerHostKernel(
  kernelName: string,
  backendName: string,
  refuses: Refusal = () => true,
  host: KernelFunc = hostKernel(kernelName),
): void {
  const tf = tfCore()
  const own = tf.getKernel(kernelName, backendName)
  if (own === undefined) {
    hostFallbacks(backendName).add(kernelName)
    tf.registerKernel({ kernelName, backendName, kernelFunc: host })
    return
  }
  tf.unregisterKernel(kernelName, backendName)
  const kernelFunc: KernelFunc = (given) =>
    (refuses(listInputs(given.inputs), given.attrs ?? {}) ? host : own.kernelFunc)(given)
  tf.registerKernel({ ...own, kernelFunc })
}

/** The kernel of that name as a kernel of any engine. */
function hostKernel(name: string): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const { host, kernel } = reference(name)
    const engine = backend as Host
    const borrowed: TensorInfo[] = []
    const take = (tensor: TensorInfo): TensorInfo => {
      borrowed.push(toHost(host, tensor, engine.readSync(tensor.dataId)))
      return borrowed.at(-1)!
    }
    const results = kernel({ inputs: mapInputs(inputs, take) as never, attrs: attrs!, backend: host })
    const given = [results].flat().map(({ dataId, shape, dtype }) => {
      const values = host.readSync(dataId)
      return { dataId: engine.write(values, shape, dtype), shape, dtype }
    })
    for (const tensor of [...borrowed, ...[results].flat()]) host.disposeIntermediateTensorInfo(tensor)
    return Array.isArray(results) ? given : given[0]!
  }
}

function reference(name: string): { host: Host; kernel: KernelFunc } {
  const tf = tfCore()
  if (tf.engine().findBackend('cpu') === null) createRequire(import.meta.url)('@tensorflow/tfjs-backend-cpu')
  const kernel = tf.getKernel(name, 'cpu')?.kernelFunc
  const host = tf.engine().findBackend('cpu') as Host
  host.firstUse = false // it would advertise tfjs-node
  if (kernel !== undefined) return { host, kernel }
  throw new ShardbookError('engine', `${name}: expected a kernel of TensorFlow.js, got an unknown one.`)
}

/** Complex numbers are pairs on an engine, and two tensors on the host. */
function toHost(host: Host, { shape, dtype }: TensorInfo, values: BackendValues): TensorInfo {
  if (dtype !== 'complex64') return host.makeTensorInfo(shape, dtype, values)
  const { real, imag } = tfCore().backend_util.splitRealAndImagArrays(values as Float32Array)
  const inputs = {
    real: host.makeTensorInfo(shape, 'float32', real),
    imag: host.makeTensorInfo(shape, 'float32', imag),
  }
  const result = reference('Complex').kernel({ inputs, backend: host }) as TensorInfo
  for (const part of Object.values(inputs)) host.disposeIntermediateTensorInfo(part)
  return result
}

function listInputs(inputs: Inputs): TensorInfo[] {
  return Object.values(inputs as Record<string, TensorInfo | TensorInfo[] | undefined>)
    .flat()
    .filter((tensor) => tensor != null)
}

function mapInputs(inputs: Inputs, take: (tensor: TensorInfo) => TensorInfo): unknown {
  if (Array.isArray(inputs)) return inputs.map(take)
  return Object.fromEntries(
    Object.entries(inputs as Exclude<Inputs, readonly TensorInfo[]>).map(([name, tensor]) => {
      if (tensor == null) return [name, tensor]
      return [name, Array.isArray(tensor) ? tensor.map(take) : take(tensor as TensorInfo)]
    }),
  )
}
