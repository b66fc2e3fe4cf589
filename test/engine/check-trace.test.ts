import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DType, allocate, sizeOf } from '../../src/core/dtype.js'
import { ShardbookError } from '../../src/core/errors.js'
import { decodeAttributes, encodeAttributes } from '../../src/engine/attributes.js'
import { checkTrace } from '../../src/engine/check-trace.js'
import { inputsOf } from '../../src/engine/call-inputs.js'
import { removeDeadCalls } from '../../src/engine/remove-dead-calls.js'
import type { Call, Trace, ValueSpec } from '../../src/engine/trace.js'
import { unrollSlices } from '../../src/engine/unroll-slices.js'

const rows = 3

/** Traces that keep every rule: inputs, constants, then calls over what is defined, then outputs. */
const traces: fc.Arbitrary<Trace> = fc
  .record({
    inputs: fc.array(fc.boolean(), { maxLength: 4 }),
    constants: fc.array(fc.constantFrom<DType>('float32', 'int32', 'bool'), { maxLength: 3 }),
    calls: fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 }),
    outputs: fc.array(fc.record({ value: fc.nat(), concat: fc.boolean() }), { maxLength: 4 }),
    attribute: fc.oneof(fc.double(), fc.string(), fc.boolean(), fc.array(fc.double())),
  })
  .map(({ inputs, constants, calls, outputs, attribute }) => {
    const values: ValueSpec[] = []
    const define = (spec: ValueSpec): number => values.push(spec) - 1
    const batch: ValueSpec = { shape: [rows, 2], dtype: 'float32' }
    const trace = {
      version: 1 as const,
      values,
      inputs: inputs.map((split, i) => ({ name: `in${i}`, value: define(batch), split })),
      constants: constants.map((dtype) => {
        const shape = [2]
        return { value: define({ shape, dtype }), data: { shape, dtype, values: allocate(dtype, sizeOf(shape)) } }
      }),
      calls: [] as Call[],
    }
    for (const [i, used] of calls.entries()) {
      const defined = values.length
      const ids = defined === 0 ? [] : used.map((n) => n % defined)
      const attrs = encodeAttributes('Test', { attribute })
      trace.calls.push({
        kernel: `Kernel${i}`,
        inputs: i % 2 === 0 ? { inputs: ids } : { x: ids[0] ?? null, y: null },
        attrs,
        outputs: [define(batch)],
      })
    }
    return {
      ...trace,
      outputs: outputs.map(({ value, concat }, i) => {
        const id = value % values.length
        const canConcat = values[id]!.shape.length === 2
        const merge: 'sum' | 'concat' = (concat && canConcat) || values[id]!.dtype === 'bool' ? 'concat' : 'sum'
        return { name: `out${i}`, value: id, merge }
      }),
    }
  })
  // A bool constant of two rows cannot be joined where the batch has three.
  .filter(({ outputs, values }) => outputs.every(({ value }) => values[value]!.dtype !== 'bool'))

describe('checkTrace', () => {
  test('accepts every trace that keeps the rules, and it survives structured clone', () => {
    fc.assert(
      fc.property(traces, (trace) => {
        expect(checkTrace(trace)).toBe(trace)
        expect(checkTrace(structuredClone(trace))).toEqual(trace)
      }),
    )
  })

  test('everything but the constants survives JSON', () => {
    fc.assert(
      fc.property(traces, (trace) => {
        const { constants: _, ...plain } = trace
        expect(JSON.parse(JSON.stringify(plain))).toEqual(plain)
      }),
    )
  })

  test('judges any damage with a ShardbookError, never another', () => {
    const replacement = fc.oneof(fc.anything(), fc.integer({ min: -2, max: 40 }), fc.constant(undefined))
    fc.assert(
      fc.property(traces, fc.array(fc.nat(), { minLength: 1, maxLength: 5 }), replacement, (trace, path, value) => {
        const damaged = structuredClone(trace) as unknown as Record<string, unknown>
        let place: Record<string, unknown> = damaged
        for (const step of path) {
          const keys = Object.keys(place)
          if (keys.length === 0) break
          const key = keys[step % keys.length]!
          const next = place[key]
          if (step === path.at(-1) || typeof next !== 'object' || next === null || ArrayBuffer.isView(next)) {
            place[key] = value
            break
          }
          place = next as Record<string, unknown>
        }
        const outcome = attempt(() => checkTrace(damaged))
        expect(outcome === damaged || outcome instanceof ShardbookError || outcome).toBe(true)
      }),
    )
  })

  const valid: Trace = {
    version: 1,
    values: [
      { shape: [3, 2], dtype: 'float32' },
      { shape: [2], dtype: 'float32' },
      { shape: [3, 2], dtype: 'float32' },
    ],
    inputs: [{ name: 'x', value: 0, split: true }],
    constants: [{ value: 1, data: { shape: [2], dtype: 'float32', values: Float32Array.of(1, 2) } }],
    calls: [{ kernel: 'Add', inputs: { a: 0, b: 1 }, attrs: {}, outputs: [2] }],
    outputs: [{ name: 'y', value: 2, merge: 'concat' }],
  }

  test.each<[string, (trace: Trace) => unknown, RegExp]>([
    ['another version', (trace) => ({ ...trace, version: 2 }), /version: expected 1, got 2/],
    ['no object', () => 7, /the trace: expected an object, got 7/],
    [
      'a value defined twice',
      (trace) => ({ ...trace, calls: [{ ...trace.calls[0]!, outputs: [1] }] }),
      /not defined yet/,
    ],
    [
      'a use before the definition',
      (trace) => ({ ...trace, calls: [{ ...trace.calls[0]!, inputs: { a: 2 } }] }),
      /a value defined before/,
    ],
    [
      'an id out of range',
      (trace) => ({ ...trace, outputs: [{ ...trace.outputs[0]!, value: 3 }] }),
      /value id below 3/,
    ],
    ['an undefined value', (trace) => ({ ...trace, calls: [], outputs: [] }), /values\[2\].*no definition/],
    [
      'a random kernel',
      (trace) => ({ ...trace, calls: [{ ...trace.calls[0]!, kernel: 'Multinomial' }] }),
      /static shapes.*Multinomial/,
    ],
    [
      'an attribute that is no data',
      (trace) => ({ ...trace, calls: [{ ...trace.calls[0]!, attrs: { f: () => 1 } }] }),
      /attrs\.f: expected JSON/,
    ],
    [
      'too few constant values',
      (trace) => ({
        ...trace,
        constants: [{ value: 1, data: { shape: [2], dtype: 'float32', values: new Float32Array(1) } }],
      }),
      /Float32Array of 2/,
    ],
    [
      'a joined output without the rows',
      (trace) => ({ ...trace, outputs: [{ name: 'y', value: 1, merge: 'concat' }] }),
      /rows of the batch/,
    ],
    [
      'a split scalar',
      (trace) => ({ ...trace, values: [{ shape: [], dtype: 'float32' }, ...trace.values.slice(1)] }),
      /rows as first axis/,
    ],
    [
      'two outputs of one name',
      (trace) => ({ ...trace, outputs: [trace.outputs[0], trace.outputs[0]] }),
      /a name of its own/,
    ],
  ])('refuses %s', (_, damage, message) => {
    expect(() => checkTrace(valid)).not.toThrow()
    expect(() => checkTrace(damage(valid))).toThrow(message)
  })
})

describe('passes', () => {
  test('removing dead calls keeps the signature, the rules and every live call, and does nothing twice', () => {
    fc.assert(
      fc.property(traces, (trace) => {
        const smaller = checkTrace(removeDeadCalls(trace))
        expect(smaller.inputs.map(({ name }) => name)).toEqual(trace.inputs.map(({ name }) => name))
        expect(smaller.outputs.map(({ name }) => name)).toEqual(trace.outputs.map(({ name }) => name))
        const read = new Set([...smaller.calls.flatMap(inputsOf), ...smaller.outputs.map(({ value }) => value)])
        expect(smaller.calls.every(({ outputs }) => outputs.some((value) => read.has(value)))).toBe(true)
        expect(removeDeadCalls(smaller)).toEqual(smaller)
      }),
    )
  })

  test('over slices a trace keeps the rules and its signature; what depends on no rows is there once', () => {
    fc.assert(
      fc.property(traces, fc.integer({ min: 1, max: 4 }), (trace, slices) => {
        const whole = checkTrace(unrollSlices(trace, slices))
        expect(whole.inputs.some(({ split }) => split)).toBe(false)
        const rowsOf = ({ inputs, values }: Trace) => inputs.map(({ value }) => values[value]!.shape[0])
        const expected = trace.inputs.map(({ split }) => (split ? rows * slices : rows))
        expect(rowsOf(whole)).toEqual(expected)
        expect(whole.outputs.map(({ name }) => name)).toEqual(trace.outputs.map(({ name }) => name))
        const live = removeDeadCalls(trace)
        const byRows = new Set(live.inputs.filter(({ split }) => split).map(({ value }) => value))
        for (const call of live.calls) {
          const depends = inputsOf(call).some((value) => byRows.has(value))
          if (depends) for (const value of call.outputs) byRows.add(value)
          const copies = whole.calls.filter(({ kernel }) => kernel === call.kernel)
          expect(copies).toHaveLength(depends ? slices : 1)
        }
      }),
    )
  })

  test('attributes come back from JSON as they were', () => {
    const plain = fc.oneof(fc.double(), fc.string(), fc.boolean(), fc.constant(null))
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(plain, fc.array(plain))), (attrs) => {
        const wire = JSON.parse(JSON.stringify(encodeAttributes('Test', attrs))) as Record<string, unknown>
        expect(decodeAttributes(wire)).toEqual(attrs)
      }),
    )
    expect(() => encodeAttributes('Test', { f: () => 1 })).toThrow(/Test\.f/)
  })
})

/** What `work` returns or throws. */
function attempt(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}
