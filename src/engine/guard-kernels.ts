/**
 * A kernel that is missing and inputs that are disposed are errors that name the kernel and its inputs. TensorFlow.js lets
 * disposed tensors through to the backend; so `runKernel` of its engine is replaced, on that one object.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../core/errors.js'
import { describe } from './errors.js'
import type { Tf } from './tf.js'

type Inputs = Readonly<Record<string, Tensor | readonly Tensor[] | null | undefined>>

/** The private parts of the TensorFlow.js engine that we use. */
interface Hooks {
  readonly state: { readonly tensorInfo: { has(dataId: object): boolean } }
  runKernel: (name: string, inputs: Inputs, attrs?: object) => unknown
}

let running: string | undefined

/** The kernel that runs now, for errors below it. */
export function runningKernel(): string | undefined {
  return running
}

/** Guards the kernels of TensorFlow.js's engine; once a process. */
export function guardKernels(tf: Tf): void {
  const hooks = tf.engine() as unknown as Hooks
  const original = hooks.runKernel.bind(hooks)
  hooks.runKernel = (name, inputs, attrs) => {
    const tensors = Object.values(inputs).flat()
    // The gradients of TensorFlow.js use disposed tensors whose values another one still holds.
    if (tensors.some((tensor) => tensor?.isDisposed === true && !hooks.state.tensorInfo.has(tensor.dataId))) {
      throw new ShardbookError('engine', `${name}: expected live tensors, got ${list(tensors)}.`, {
        hint: 'A tensor ends with dispose() and with the tidy() that it was made in; keep() and clone() make it live on.',
      })
    }
    if (tf.getKernel(name, tf.getBackend()) === undefined) {
      const calls = `${name}(${list(tensors)})`
      throw new ShardbookError('engine', `${calls}: expected a kernel registered for ${tf.getBackend()}, got none.`)
    }
    const outer = running
    running = name
    try {
      return original(name, inputs, attrs)
    } finally {
      running = outer
    }
  }
}

function list(tensors: readonly (Tensor | null | undefined)[]): string {
  return tensors
    .filter((tensor) => tensor != null)
    .map((tensor) => `${tensor.isDisposed ? 'disposed ' : ''}${describe(tensor)}`)
    .join(', ')
}
