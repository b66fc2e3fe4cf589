/** What a file claims about itself is not believed: arrays have as many values as their shapes say, or there is an error. */
import { describe, expect, test } from 'vitest'
import { decodeTensors, encodeTensors } from '../../src/nn/safetensors.js'

const bytes = encodeTensors({ w: { shape: [2, 3], dtype: 'float32', values: Float32Array.of(1, 2, 3, 4, 5, 6) } })

/** A file with this header before 24 bytes of numbers. */
function claiming(header: string, length = header.length): Uint8Array {
  const file = new Uint8Array(8 + header.length + 24)
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true)
  file.set(new TextEncoder().encode(header), 8)
  return file
}

const entry = (shape: unknown, offsets: unknown, dtype = 'F32'): string =>
  JSON.stringify({ w: { dtype, shape, data_offsets: offsets } })

describe('safetensors', () => {
  test('come back as they were written', () => {
    expect(decodeTensors('test', bytes)['w']).toEqual({
      shape: [2, 3],
      dtype: 'float32',
      values: Float32Array.of(1, 2, 3, 4, 5, 6),
    })
    expect(decodeTensors('test', claiming(entry([2, 3], [0, 24])))['w']!.values).toHaveLength(6)
  })

  test.each([
    ['cut short', bytes.subarray(0, bytes.length - 4)],
    ['with less than the length of a header', bytes.subarray(0, 5)],
    ['with a header longer than the file', claiming(entry([2, 3], [0, 24]), 2 ** 40)],
    ['with a shape of more values than there are', claiming(entry([784, 128], [0, 24]))],
    ['with numbers beyond their end', claiming(entry([784, 128], [0, 401_408]))],
    ['with a place before their begin', claiming(entry([2, 3], [-24, 0]))],
    ['with a negative size', claiming(entry([-2, -3], [0, 24]))],
    ['with a size that is no whole number', claiming(entry([1.5, 4], [0, 24]))],
    ['with a size that is no number', claiming(entry([null, 'x'], [0, 24]))],
    ['without places', claiming(JSON.stringify({ w: { dtype: 'F32', shape: [2, 3] } }))],
    ['of a type that there is not', claiming(entry([2, 3], [0, 24], 'constructor'))],
    ['that are none', new TextEncoder().encode('<!doctype html><title>404</title>')],
  ])('%s are refused', (_, file) => {
    expect(() => decodeTensors('ml.load: x', file)).toThrow(
      expect.objectContaining({ code: 'data', message: expect.stringMatching(/^ml\.load: x: expected safetensors/) }),
    )
  })
})
