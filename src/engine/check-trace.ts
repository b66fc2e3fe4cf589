/** The trace's checker: enforces the rules written in `trace.ts`, for traces of our own as for those from the wire. */
import { show } from '../core/check.js'
import { sizeOf } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'
import { allReduceKernel } from './all-reduce.js'
import { isAttribute } from './attributes.js'
import { describe, sameShape } from './errors.js'
import type { Trace, ValueSpec } from './trace.js'

/** Kernels that break rule 2: random, or with a result whose shape depends on values. */
const unfitKernels = new Set([
  'Multinomial',
  'NonMaxSuppressionV3',
  'NonMaxSuppressionV4',
  'NonMaxSuppressionV5',
  'SparseFillEmptyRows',
  'SparseReshape',
  'Unique',
  'Where',
  'FromPixels',
  'Draw',
])

const arrayTypes = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

/**
 * The given value as a trace, if it keeps every rule of the trace's specification.
 *
 * @throws ShardbookError `engine` naming the first rule that is broken and where.
 */
export function checkTrace(trace: unknown): Trace {
  return check(trace, false)
}

function check(trace: unknown, isBody: boolean): Trace {
  const root = record(trace, 'the trace')
  if (root['version'] !== 1) fail('version', '1', root['version'])
  const values = list(root['values'], 'values').map((value, i) => checkValue(value, `values[${i}]`))
  const defined = new Set<number>()
  const define = (id: unknown, where: string): ValueSpec => {
    const spec = valueAt(values, id, where)
    if (defined.has(id as number)) fail(where, 'a value that is not defined yet', id)
    defined.add(id as number)
    return spec
  }
  const use = (id: unknown, where: string): ValueSpec => {
    const spec = valueAt(values, id, where)
    if (!defined.has(id as number)) fail(where, 'a value defined before', id)
    return spec
  }

  let rows: number | undefined
  const names = new Set<unknown>()
  for (const [i, item] of list(root['inputs'], 'inputs').entries()) {
    const where = `inputs[${i}]`
    const input = record(item, where)
    checkName(input['name'], names, `${where}.name`)
    const { shape } = define(input['value'], `${where}.value`)
    if (typeof input['split'] !== 'boolean') fail(`${where}.split`, 'a boolean', input['split'])
    if (!input['split']) continue
    if (shape.length === 0) fail(where, 'a split input to have rows as first axis', 'a scalar')
    if (rows !== undefined && rows !== shape[0]) fail(where, `${rows} rows like the other split inputs`, shape[0])
    rows = shape[0]
  }

  for (const [i, item] of list(root['constants'], 'constants').entries()) {
    const where = `constants[${i}]`
    const constant = record(item, where)
    const spec = define(constant['value'], `${where}.value`)
    const data = record(constant['data'], `${where}.data`)
    const { shape, dtype } = checkValue(data, `${where}.data`)
    if (!sameShape(shape, spec.shape) || dtype !== spec.dtype) fail(where, describe(spec), describe({ shape, dtype }))
    const type = arrayTypes[dtype]
    const ok = data['values'] instanceof type && data['values'].length === sizeOf(shape)
    if (!ok) fail(`${where}.data.values`, `${type.name} of ${sizeOf(shape)}`, data['values'])
  }

  for (const [i, item] of list(root['calls'], 'calls').entries()) {
    const call = record(item, `calls[${i}]`)
    const kernel = call['kernel']
    if (typeof kernel !== 'string' || kernel === '') fail(`calls[${i}].kernel`, 'a kernel name', kernel)
    const where = `calls[${i}] (${kernel})`
    if (unfitKernels.has(kernel)) fail(where, 'a kernel whose results have static shapes and depend on inputs', kernel)
    for (const [name, input] of Object.entries(record(call['inputs'], `${where}.inputs`))) {
      if (input === null) continue
      for (const id of Array.isArray(input) ? (input as unknown[]) : [input]) use(id, `${where}.inputs.${name}`)
    }
    for (const [name, value] of Object.entries(record(call['attrs'], `${where}.attrs`))) {
      if (!isAttribute(value)) fail(`${where}.attrs.${name}`, 'JSON', value)
    }
    const outputs = list(call['outputs'], `${where}.outputs`)
    if (kernel === 'Scan' || call['body'] !== undefined) checkScan(call, values, where)
    if (kernel === allReduceKernel) checkAllReduce(call, values, where, isBody)
    if (outputs.length === 0) fail(`${where}.outputs`, 'at least one value', outputs)
    for (const [j, id] of outputs.entries()) define(id, `${where}.outputs[${j}]`)
  }
  if (defined.size !== values.length) {
    const missing = values.findIndex((_, id) => !defined.has(id))
    fail(`values[${missing}]`, 'to be an input, a constant or the output of a call', 'no definition')
  }

  names.clear()
  for (const [i, item] of list(root['outputs'], 'outputs').entries()) {
    const where = `outputs[${i}]`
    const output = record(item, where)
    checkName(output['name'], names, `${where}.name`)
    const spec = use(output['value'], `${where}.value`)
    const merge = output['merge']
    if (merge !== 'sum' && merge !== 'concat') fail(`${where}.merge`, '"sum" or "concat"', merge)
    if (merge === 'sum' && spec.dtype === 'bool') fail(where, 'numbers to add up', describe(spec))
    if (merge === 'concat' && (spec.shape.length === 0 || spec.shape[0] !== (rows ?? spec.shape[0]))) {
      fail(where, `the ${rows ?? ''} rows of the batch as first axis`, describe(spec))
    }
  }
  return trace as Trace
}

/** Rule 5; that the ids are values is checked besides. */
function checkScan(call: Record<string, unknown>, values: readonly ValueSpec[], where: string): void {
  if (call['kernel'] !== 'Scan') fail(`${where}.body`, 'a body only in a Scan', call['body'])
  const { count, carried, scanned, reverse } = record(call['attrs'], `${where}.attrs`)
  const size = (name: string, value: unknown, least: number): number =>
    Number.isSafeInteger(value) && (value as number) >= least
      ? (value as number)
      : fail(`${where}.attrs.${name}`, `an integer from ${least} on`, value)
  const [runs, states, rows] = [size('count', count, 1), size('carried', carried, 0), size('scanned', scanned, 0)]
  if (typeof reverse !== 'boolean') fail(`${where}.attrs.reverse`, 'a boolean', reverse)
  const body = check(call['body'], true)
  const inputs = list(record(call['inputs'], `${where}.inputs`)['inputs'], `${where}.inputs.inputs`)
  if (inputs.length !== body.inputs.length || inputs.length < states + rows) {
    fail(`${where}.inputs.inputs`, `the ${body.inputs.length} inputs of the body`, inputs)
  }
  const same = (id: unknown, expected: ValueSpec, at: string): void => {
    const spec = valueAt(values, id, at)
    const fits = spec.dtype === expected.dtype && sameShape(spec.shape, expected.shape)
    if (!fits) fail(at, describe(expected), describe(spec))
  }
  const stacked = ({ shape, dtype }: ValueSpec): ValueSpec => ({ shape: [runs, ...shape], dtype })
  const inside = body.inputs.map(({ value, split }, i) => {
    if (split) fail(`${where}.body.inputs[${i}]`, 'an input that is not split', 'a split one')
    return body.values[value]!
  })
  for (const [i, spec] of inside.entries()) {
    const isRow = i >= states && i < states + rows
    same(inputs[i], isRow ? stacked(spec) : spec, `${where}.inputs.inputs[${i}]`)
  }
  const outputs = list(call['outputs'], `${where}.outputs`)
  if (outputs.length !== body.outputs.length || outputs.length < states) {
    fail(`${where}.outputs`, `the ${body.outputs.length} outputs of the body`, outputs)
  }
  for (const [i, { value }] of body.outputs.entries()) {
    const spec = body.values[value]!
    same(outputs[i], i < states ? inside[i]! : stacked(spec), `${where}.outputs[${i}]`)
    if (i < states) same(outputs[i], spec, `${where}.body.outputs[${i}]`)
  }
}

/** Rule 6; that the ids are values is checked besides. */
function checkAllReduce(
  call: Record<string, unknown>,
  values: readonly ValueSpec[],
  where: string,
  isBody: boolean,
): void {
  if (isBody) fail(where, 'no sums over the batch within a loop', allReduceKernel)
  const inputs = list(record(call['inputs'], `${where}.inputs`)['inputs'], `${where}.inputs.inputs`)
  const outputs = list(call['outputs'], `${where}.outputs`)
  if (outputs.length !== inputs.length) fail(`${where}.outputs`, `${inputs.length} values, one for each input`, outputs)
  for (const [i, id] of inputs.entries()) {
    const spec = valueAt(values, id, `${where}.inputs.inputs[${i}]`)
    if (spec.dtype !== 'float32') fail(`${where}.inputs.inputs[${i}]`, 'float32', describe(spec))
    const sum = valueAt(values, outputs[i], `${where}.outputs[${i}]`)
    const fits = sum.dtype === spec.dtype && sameShape(sum.shape, spec.shape)
    if (!fits) fail(`${where}.outputs[${i}]`, describe(spec), describe(sum))
  }
}

function checkValue(value: unknown, where: string): ValueSpec {
  const { shape, dtype } = record(value, where)
  const dims = list(shape, `${where}.shape`)
  if (!dims.every((d) => Number.isSafeInteger(d) && (d as number) >= 0)) fail(`${where}.shape`, 'sizes', shape)
  if (typeof dtype !== 'string' || !Object.hasOwn(arrayTypes, dtype)) {
    fail(`${where}.dtype`, 'float32, int32 or bool', dtype)
  }
  return { shape: dims as number[], dtype: dtype as ValueSpec['dtype'] }
}

function valueAt(values: readonly ValueSpec[], id: unknown, where: string): ValueSpec {
  const spec = typeof id === 'number' ? values[id] : undefined
  return spec ?? fail(where, `a value id below ${values.length}`, id)
}

function checkName(name: unknown, seen: Set<unknown>, where: string): void {
  if (typeof name !== 'string') fail(where, 'a string', name)
  if (seen.has(name)) fail(where, 'a name of its own', name)
  seen.add(name)
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(where, 'an object', value)
  return value as Record<string, unknown>
}

function list(value: unknown, where: string): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : fail(where, 'a list', value)
}

function fail(where: string, expected: string, got: unknown): never {
  throw new ShardbookError('engine', `checkTrace: ${where}: expected ${expected}, got ${show(got)}.`)
}
