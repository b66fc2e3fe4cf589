/** What the backend knows of a tensor: where its values are, or the call that will give them. */
import type { BackendValues, DataType } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../../core/errors.js'
import { describe } from '../errors.js'
import type { DeviceBuffer } from './device-buffer.js'
import { Builder, type Value, elementOf } from './lower/builder.js'
import { type LowerOptions, lowerCall } from './lower/index.js'
import type { Given } from './lower/lowering.js'

/** A tensor's values. */
export interface Entry {
  readonly shape: readonly number[]
  readonly dtype: DataType
  host?: BackendValues
  device?: DeviceBuffer
  deferred?: Deferred
  /** References of TensorFlow.js, and deferred calls that need it. */
  refs: number
  holds: number
}

/** A call to be computed. */
export interface Deferred {
  readonly given: Omit<Given, 'inputs'>
  readonly inputs: Readonly<Record<string, Entry | readonly Entry[] | undefined>>
  readonly outputs: readonly Entry[]
}

/** An error with the kernel, its inputs and its results. */
export function named(error: unknown, { given, inputs, outputs }: Deferred): unknown {
  if (!(error instanceof ShardbookError)) return error
  const list = (entries: readonly Entry[]): string => entries.map(describe).join(', ')
  const taken = list(Object.values(inputs).flatMap<Entry>((input) => input ?? []))
  const message = `${given.kernel}(${taken}) -> ${list(outputs)}: ${error.message}`
  return new ShardbookError(error.code, message, { cause: error })
}

export function dtypeOf(element: Value['element']): DataType {
  if (element === 'i1') return 'bool'
  return element === 'i32' ? 'int32' : 'float32'
}

/** What a call will give. */
export function shapesOf(
  given: Omit<Given, 'inputs'>,
  inputs: Deferred['inputs'],
  options: LowerOptions,
): readonly Value[] {
  const b = new Builder()
  const values = mapInputs(inputs, ({ shape, dtype }) => {
    if (dtype === 'string' || dtype === 'complex64') {
      throw new ShardbookError(
        'engine',
        `${given.kernel}: expected tensors of float32, int32 or bool on pjrt, got ${dtype}.`,
      )
    }
    return { name: b.fresh(), shape, element: elementOf[dtype] }
  })
  return lowerCall(b, { ...given, inputs: values }, options)
}

export function mapInputs<From, To>(
  inputs: Readonly<Record<string, From | readonly From[] | undefined>>,
  map: (input: From) => To,
): Record<string, To | readonly To[] | undefined> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [
      name,
      input == null ? undefined : Array.isArray(input) ? input.map(map) : map(input as From),
    ]),
  )
}
