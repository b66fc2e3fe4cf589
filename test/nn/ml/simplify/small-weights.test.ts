import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeTensors, encodeTensors } from '../../../../src/nn/safetensors.js'
import { expand, pack, shrinkWeight } from '../../../../src/nn/ml/simplify/small-weights.js'

const kernels = fc
  .array(fc.float({ noNaN: true, min: Math.fround(-1e6), max: Math.fround(1e6) }), { minLength: 12, maxLength: 12 })
  .map((values) => ({ shape: [4, 3], dtype: 'float32' as const, values: Float32Array.from(values) }))

test('small weights are near, and the same to the bit when they were written and read, again and again', () => {
  fc.assert(
    fc.property(kernels, fc.constantFrom('float16' as const, 'int8' as const), (kernel, to) => {
      if (to === 'float16' && kernel.values.some((value) => Math.abs(value) > 65000)) return
      const small = shrinkWeight(kernel, to)
      for (let channel = 0; channel < 3; channel++) {
        const own = [...kernel.values.keys()].filter((i) => i % 3 === channel)
        const most = Math.max(...own.map((i) => Math.abs(kernel.values[i]!)))
        for (const i of own) {
          const error = Math.abs(small.values[i]! - kernel.values[i]!)
          const value = Math.abs(kernel.values[i]!)
          expect(error).toBeLessThanOrEqual(
            to === 'int8' ? (most / 127) * 0.5001 + 2 ** -100 : value * 2 ** -11 + 2 ** -25,
          )
        }
      }
      const packed = Object.fromEntries(Object.entries(pack(small)))
      const read = decodeTensors('test', encodeTensors(packed))
      expect(read['']!.values.BYTES_PER_ELEMENT).toBe(to === 'int8' ? 1 : 2)
      const again = expand(read['']!, read['/scale'])
      expect([...again.values]).toEqual([...small.values])
      expect(Object.entries(pack(again))).toEqual(Object.entries(packed))
    }),
    { seed: 1, numRuns: 300 },
  )
})

test('vectors stay float16 where kernels become int8', () => {
  const bias = { shape: [3], dtype: 'float32' as const, values: Float32Array.of(0.1, -2, 3) }
  expect(shrinkWeight(bias, 'int8').stored).toBe('float16')
})
