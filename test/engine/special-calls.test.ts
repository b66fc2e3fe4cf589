/** The rules of calls that are more than a kernel: a loop and a sum over the batch. */
import { describe, expect, test } from 'vitest'
import type { DType } from '../../src/core/dtype.js'
import { ShardbookError } from '../../src/core/errors.js'
import { checkTrace } from '../../src/engine/check-trace.js'
import { removeDeadCalls } from '../../src/engine/remove-dead-calls.js'
import type { Call, Trace, ValueSpec } from '../../src/engine/trace.js'

describe('a Scan', () => {
  const float = (...shape: number[]): ValueSpec => ({ shape, dtype: 'float32' })
  const body: Trace = {
    version: 1,
    values: [float(2), float(3), float(2), float(3)],
    inputs: [
      { name: 'state', value: 0, split: false },
      { name: 'row', value: 1, split: false },
    ],
    constants: [],
    calls: [
      { kernel: 'Next', inputs: { state: 0, row: 1 }, attrs: {}, outputs: [2] },
      { kernel: 'Exp', inputs: { x: 1 }, attrs: {}, outputs: [3] },
    ],
    outputs: [
      { name: 'state', value: 2, merge: 'sum' },
      { name: 'row', value: 3, merge: 'sum' },
    ],
  }
  const attrs = { count: 5, carried: 1, scanned: 1, reverse: false }
  const scan: Call = { kernel: 'Scan', inputs: { inputs: [0, 1] }, attrs, outputs: [2, 3], body }
  const around = (call: object, values = [float(2), float(5, 3), float(2), float(5, 3)]) => ({
    version: 1,
    values,
    inputs: [
      { name: 'start', value: 0, split: false },
      { name: 'rows', value: 1, split: false },
    ],
    constants: [],
    calls: [call],
    outputs: [{ name: 'end', value: 2, merge: 'sum' }],
  })

  test('that keeps the rules passes', () => {
    expect(checkTrace(around(scan))).toEqual(around(scan))
  })

  test('loses the stacked rows that nothing needs, and their calls', () => {
    const left = removeDeadCalls(checkTrace(around(scan)))
    expect(left.calls[0]!.outputs).toHaveLength(1)
    expect(left.calls[0]!.body!.calls.map(({ kernel }) => kernel)).toEqual(['Next'])
    expect(checkTrace(left)).toEqual(left)
  })

  test.each<[string, object, RegExp]>([
    ['no body', { ...scan, body: undefined }, /the trace: expected an object/],
    ['a body elsewhere', { ...scan, kernel: 'Add' }, /a body only in a Scan/],
    ['no runs', { ...scan, attrs: { ...attrs, count: 0 } }, /attrs.count: expected an integer from 1 on, got 0/],
    ['no direction', { ...scan, attrs: { ...attrs, reverse: 1 } }, /attrs.reverse: expected a boolean/],
    ['another number of rows', { ...scan, attrs: { ...attrs, count: 4 } }, /expected float32\[4, 3\], got/],
    ['an input too few', { ...scan, inputs: { inputs: [0] } }, /the 2 inputs of the body/],
    ['an output too few', { ...scan, outputs: [2] }, /the 2 outputs of the body/],
    [
      'more carried than the body gives',
      { ...scan, attrs: { ...attrs, carried: 2, scanned: 0 } },
      /inputs\[1\]: expected float32\[3\]/,
    ],
    [
      'a carried value that changes its shape',
      { ...scan, body: { ...body, outputs: [body.outputs[1]!, { ...body.outputs[0]!, value: 2 }] } },
      /expected float32\[3\], got|expected float32\[2\], got|expected float32\[5, 2\], got/,
    ],
    [
      'a body with split inputs',
      { ...scan, body: { ...body, inputs: body.inputs.map((input) => ({ ...input, split: true })) } },
      /inputs\[1\].*2 rows|not split/,
    ],
    ['a body that breaks a rule', { ...scan, body: { ...body, values: [...body.values, float()] } }, /values\[4\]/],
  ])('with %s is refused', (_, call, message) => {
    expect(() => checkTrace(around(call))).toThrow(message)
    expect(() => checkTrace(around(call))).toThrow(ShardbookError)
  })
})

describe('an AllReduce', () => {
  const spec = (dtype: DType, ...shape: number[]): ValueSpec => ({ shape, dtype })
  const around = (call: object, values = [spec('float32', 2), spec('float32', 2)]) => ({
    version: 1,
    values,
    inputs: [{ name: 'x', value: 0, split: false }],
    constants: [],
    calls: [call],
    outputs: [{ name: 'sum', value: 1, merge: 'sum' }],
  })
  const reduce = { kernel: 'AllReduce', inputs: { inputs: [0] }, attrs: {}, outputs: [1] }

  test('that keeps the rules passes', () => {
    expect(checkTrace(around(reduce))).toEqual(around(reduce))
  })

  test.each<[string, object, RegExp]>([
    ['another shape', around(reduce, [spec('float32', 2), spec('float32', 3)]), /expected float32\[2\], got/],
    ['integers', around(reduce, [spec('int32', 2), spec('int32', 2)]), /expected float32, got "int32\[2\]"/],
    ['no list of inputs', around({ ...reduce, inputs: { x: 0 } }), /inputs.inputs: expected a list/],
    ['fewer outputs than inputs', around({ ...reduce, inputs: { inputs: [0, 0] } }), /2 values, one for each input/],
    [
      'a loop around it',
      around({
        kernel: 'Scan',
        inputs: { inputs: [0] },
        attrs: { count: 3, carried: 1, scanned: 0, reverse: false },
        outputs: [1],
        body: around(reduce),
      }),
      /no sums over the batch within a loop/,
    ],
  ])('with %s is refused', (_, trace, message) => {
    expect(() => checkTrace(trace)).toThrow(message)
  })
})
