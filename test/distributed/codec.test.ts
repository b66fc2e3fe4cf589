import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ShardbookError } from '../../src/core/errors.js'
import { Checksum } from '../../src/distributed/checksum.js'
import { encode, FrameReader, openLimits, prefixBytes, strictLimits } from '../../src/distributed/codec.js'
import { protocolVersion } from '../../src/distributed/messages.js'

const floats = fc.array(fc.float(), { maxLength: 20 }).map((values) => Float32Array.from(values))
const ints = fc.array(fc.integer(), { maxLength: 9 }).map((values) => Int32Array.from(values))
const bytes = fc.uint8Array({ maxLength: 13 }).map((values) => Uint8Array.from(values))
const doubles = fc.array(fc.double(), { maxLength: 5 }).map((values) => Float64Array.from(values))
const data = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.string({ unit: 'grapheme' }),
    fc.double(),
    fc.bigInt(),
    fc.date({ noInvalidDate: true }),
    floats,
    ints,
    bytes,
    doubles,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$', '__proto__', 'toString')), tie('value'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
})).value

/** All messages in `bytes`, given to the reader in pieces of the given sizes. */
function readAll(
  all: Uint8Array,
  pieces: readonly number[] = [],
  limits = openLimits,
): { messages: unknown[]; reader: FrameReader } {
  const reader = new FrameReader(limits)
  const messages: unknown[] = []
  let at = 0
  for (const piece of [...pieces, all.length]) {
    let rest = all.subarray(at, at + piece)
    at += rest.length
    while (rest.length > 0) {
      const { used, message } = reader.take(rest)
      rest = rest.subarray(used)
      if (message !== undefined) messages.push(message)
    }
  }
  return { messages, reader }
}

/** How many messages the bytes give, and the code of the error that reading them raises. */
function outcomeOf(all: Buffer): { messages: number; code: string } {
  try {
    return { messages: readAll(all).messages.length, code: 'none' }
  } catch (error) {
    return { messages: 0, code: error instanceof ShardbookError ? error.code : String(error) }
  }
}

const frame = (message: unknown): Buffer => Buffer.concat(encode(message))

describe('frames', () => {
  test('carry any data, whole, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ type: fc.string(), data }), { maxLength: 3 }),
        fc.array(fc.nat(40)),
        (messages, pieces) => {
          const read = readAll(Buffer.concat(messages.map(frame)), pieces)
          expect(read.messages).toEqual(messages)
          expect(read.reader.midFrame).toBe(false)
        },
      ),
    )
  })

  test('keep what JSON would lose', () => {
    const message = {
      nan: Number.NaN,
      zero: -0,
      infinite: [-Infinity, Infinity],
      absent: [undefined],
      empty: new Float32Array(),
    }
    expect(readAll(frame(message)).messages).toStrictEqual([message])
  })

  test('leave out properties that are undefined', () => {
    expect(readAll(frame({ a: undefined, b: 1 })).messages).toStrictEqual([{ b: 1 }])
  })

  test('are incomplete until the last byte', () => {
    fc.assert(
      fc.property(fc.record({ data }), fc.nat(), (message, cut) => {
        const whole = frame(message)
        const { messages, reader } = readAll(whole.subarray(0, cut % whole.length))
        expect(messages).toEqual([])
        expect(reader.midFrame).toBe(cut % whole.length > 0)
      }),
    )
  })

  test('refuse what is not data, naming where it is', () => {
    expect(() => encode({ job: { layers: [{ activation: () => 1 }] } })).toThrow(
      /expected plain data at message\.job\.layers\[0\]\.activation, got function activation/,
    )
    expect(() => encode({ model: new Map() })).toThrow(/message\.model, got Map/)
  })

  test('of another version are refused with both versions named', () => {
    const other = frame({ type: 'status' })
    other[2] = protocolVersion + 1
    expect(() => readAll(other)).toThrow(`expected protocol version ${protocolVersion}, got ${protocolVersion + 1}`)
  })

  test('too large are refused before anything is allocated', () => {
    const prefix = frame({ type: 'hello' }).subarray(0, prefixBytes)
    prefix.writeUInt32LE(2 ** 32 - 1, 4)
    expect(() => readAll(prefix)).toThrow(/at most \d+ \+ \d+ bytes, got 4294967295/)
    const withBody = frame({ type: 'hello', data: new Float32Array(1) })
    expect(() => readAll(withBody, [], strictLimits)).toThrow(/at most 4096 \+ 0 bytes/)
  })

  test('that were damaged on the way, by any byte, are never taken', () => {
    const original = frame({ type: 'x', data: new Float32Array([1, 2, 3]), odd: { $: 1, n: Number.NaN } })
    fc.assert(
      fc.property(fc.nat(original.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(original)
        changed[at] = byte
        const isSame = byte === original[at]
        const { messages, code } = outcomeOf(changed)
        // A frame that grew is incomplete; any other change is found.
        expect(isSame ? code === 'none' : code === 'pool' || messages === 0).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('refuse arrays that reach outside of the body', () => {
    const header = Buffer.from(JSON.stringify({ a: { $: ['array', 'Float32Array', 8, 4] } }).padEnd(48))
    const prefix = frame({}).subarray(0, prefixBytes)
    prefix.writeUInt32LE(header.length, 4)
    prefix.writeUInt32LE(16, 8)
    prefix.writeUInt32LE(new Checksum().add(header).add(new Uint8Array(16)).value, 12)
    expect(() => readAll(Buffer.concat([prefix, header, Buffer.alloc(16)]))).toThrow(
      /expected a frame that this version writes/,
    )
  })
})
