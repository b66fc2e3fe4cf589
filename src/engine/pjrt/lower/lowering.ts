/** What the lowerings of kernels have in common: each is a function of a call's inputs and attributes. */
import { ShardbookError } from '../../../core/errors.js'
import type { Trace } from '../../trace.js'
import type { Builder, Value } from './builder.js'

/** A kernel call whose inputs are values of the program. */
export interface Given {
  readonly kernel: string
  readonly inputs: Readonly<Record<string, Value | readonly Value[] | undefined>>
  readonly attrs: Readonly<Record<string, unknown>>
  /** Of a loop: what it repeats. */
  readonly body?: Trace
}

export type Lowering = (builder: Builder, given: Given) => Value | readonly Value[]
export type Lowerings = Readonly<Record<string, Lowering>>

/** The input of that name. */
export function input({ kernel, inputs }: Given, name: string): Value {
  const value = inputs[name]
  if (value !== undefined && !Array.isArray(value)) return value as Value
  throw new ShardbookError('engine', `lower: expected ${kernel} to have the input "${name}", got none.`)
}

/** The inputs of a kernel that takes any number of them. */
export function listed({ inputs }: Given): readonly Value[] {
  return Object.values(inputs).flatMap<Value>((value) => value ?? [])
}
