/**
 * Frames: how a message becomes bytes.
 *
 *   'SB' | version u8 | 0 u8 | header bytes u32 | body bytes u32 | checksum u32 of both | header: JSON | body
 *
 * The body holds the typed arrays, 8-byte aligned; the header is filled up with spaces to a multiple of four bytes.
 *
 * The header is JSON in which `{ "$": [kind, ...] }` stands for what JSON lacks: typed arrays (kept in the body), numbers
 * that are not finite, bigints, dates. Decoding makes plain data only: no classes, no functions, no prototypes. Every
 * frame carries the protocol version; sizes are checked before anything is allocated.
 */
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { Checksum } from './checksum.js'
import { protocolVersion } from './messages.js'

export const prefixBytes = 16

export interface FrameLimits {
  readonly headerBytes: number
  readonly bodyBytes: number
}

/** What an authenticated peer may send. */
export const openLimits: FrameLimits = { headerBytes: 64 * 2 ** 20, bodyBytes: 2 ** 31 }
/** What a peer may send before it has proved who it is. */
export const strictLimits: FrameLimits = { headerBytes: 4096, bodyBytes: 0 }

type Carried = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array
const carriers = { Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array } as const
type CarrierName = keyof typeof carriers

/**
 * A message as chunks to be written in order. Typed arrays are not copied: leave them unchanged until they are written.
 *
 * @throws ShardbookError 'pool' when the message holds something that is not data.
 */
export function encode(message: unknown): Uint8Array[] {
  const arrays: Uint8Array[] = []
  let bodyBytes = 0
  const carry = (array: Carried): number => {
    const offset = bodyBytes
    let bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    const padding = -bytes.length & 7
    if (padding % 4 !== 0) {
      const filled = new Uint8Array(bytes.length + padding)
      filled.set(bytes)
      bytes = filled
    }
    arrays.push(bytes)
    if (padding === 4) arrays.push(new Uint8Array(padding))
    bodyBytes = offset + array.byteLength + padding
    return offset
  }
  const text = Buffer.from(JSON.stringify(pack(message, '', carry)))
  const header = Buffer.alloc(text.length + (-text.length & 3), ' ')
  text.copy(header)
  if (header.length > openLimits.headerBytes || bodyBytes > openLimits.bodyBytes) {
    throw new ShardbookError(
      'pool',
      `encode: expected at most ${openLimits.headerBytes} bytes of JSON and ${openLimits.bodyBytes} of arrays, got ${header.length} and ${bodyBytes}.`,
    )
  }
  const prefix = Buffer.alloc(prefixBytes)
  prefix.write('SB', 0, 'latin1')
  prefix[2] = protocolVersion
  prefix.writeUInt32LE(header.length, 4)
  prefix.writeUInt32LE(bodyBytes, 8)
  const sum = new Checksum().add(header)
  for (const bytes of arrays) sum.add(bytes)
  prefix.writeUInt32LE(sum.value, 12)
  return [Buffer.concat([prefix, header]), ...arrays]
}

/** Takes bytes as they come and gives messages as they are complete. */
export class FrameReader {
  #limits: FrameLimits
  readonly #prefix = new Uint8Array(prefixBytes)
  #header: Uint8Array | undefined
  #body: Uint8Array | undefined
  #filled = 0

  constructor(limits: FrameLimits) {
    this.#limits = limits
  }

  widen(limits: FrameLimits): void {
    this.#limits = limits
  }

  /** Whether a frame has begun and is not complete. */
  get midFrame(): boolean {
    return this.#filled > 0 || this.#header !== undefined
  }

  /**
   * Reads one message from the front of `bytes`.
   *
   * @returns how many bytes were used, and the message if that completed one.
   * @throws ShardbookError 'pool' for bytes that are no frame of this version, or too large.
   */
  take(bytes: Uint8Array): { used: number; message?: unknown } {
    let used = 0
    for (;;) {
      const target = this.#body ?? this.#header ?? this.#prefix
      const count = Math.min(bytes.length - used, target.length - this.#filled)
      target.set(bytes.subarray(used, used + count), this.#filled)
      used += count
      this.#filled += count
      if (this.#filled < target.length) return { used }
      this.#filled = 0
      if (this.#header === undefined) {
        this.#header = new Uint8Array(this.#checkPrefix().headerBytes)
      } else if (this.#body === undefined) {
        this.#body = new Uint8Array(new DataView(this.#prefix.buffer).getUint32(8, true))
      } else {
        const [header, body] = [this.#header, this.#body]
        this.#header = this.#body = undefined
        const sum = new DataView(this.#prefix.buffer).getUint32(12, true)
        if (new Checksum().add(header).add(body).value !== sum) {
          throw new ShardbookError('pool', 'connection: expected a frame with its checksum, got a damaged one.')
        }
        return { used, message: decode(header, body) }
      }
    }
  }

  #checkPrefix(): FrameLimits {
    const view = new DataView(this.#prefix.buffer)
    if (view.getUint16(0) !== 0x5342 || view.getUint8(3) !== 0) {
      throw new ShardbookError('pool', 'connection: expected a frame of the pool protocol, got other bytes.')
    }
    const version = view.getUint8(2)
    if (version !== protocolVersion) {
      throw new ShardbookError('pool', `connection: expected protocol version ${protocolVersion}, got ${version}.`, {
        hint: 'The two sides come from different versions of the package: restart the kernel and its pools.',
      })
    }
    const size = { headerBytes: view.getUint32(4, true), bodyBytes: view.getUint32(8, true) }
    if (size.headerBytes > this.#limits.headerBytes || size.bodyBytes > this.#limits.bodyBytes) {
      throw new ShardbookError(
        'pool',
        `connection: expected a frame of at most ${this.#limits.headerBytes} + ${this.#limits.bodyBytes} bytes, got ${size.headerBytes} + ${size.bodyBytes}.`,
      )
    }
    return size
  }
}

function decode(header: Uint8Array, body: Uint8Array): unknown {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header))
  } catch (cause) {
    throw new ShardbookError('pool', 'connection: expected a frame with a JSON header, got malformed text.', { cause })
  }
  return unpack(json, body)
}

function pack(value: unknown, path: string, carry: (array: Carried) => number): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { $: ['number', Object.is(value, -0) ? '-0' : String(value)] }
  }
  if (typeof value === 'bigint') return { $: ['bigint', String(value)] }
  if (value === undefined) return { $: ['undefined'] }
  if (Array.isArray(value)) return value.map((item, i) => pack(item, `${path}[${i}]`, carry))
  if (ArrayBuffer.isView(value)) {
    const name = value.constructor.name === 'Buffer' ? 'Uint8Array' : value.constructor.name
    if (Object.hasOwn(carriers, name)) {
      const array = value as Carried
      return { $: ['array', name, carry(array), array.length] }
    }
  } else if (value instanceof Date) {
    return { $: ['date', value.getTime()] }
  } else if (typeof value === 'object') {
    const prototype: unknown = Object.getPrototypeOf(value)
    // A plain object of another realm has another Object.prototype, whose own prototype is null as well.
    if (prototype === null || Object.getPrototypeOf(prototype) === null) {
      const entries = Object.entries(value).filter(([, item]) => item !== undefined)
      const packed = Object.fromEntries(entries.map(([key, item]) => [key, pack(item, `${path}.${key}`, carry)]))
      return Object.hasOwn(packed, '$') ? { $: ['plain', packed] } : packed
    }
  }
  throw new ShardbookError('pool', `encode: expected plain data at message${path}, got ${show(value)}.`, {
    hint: 'What travels to workers is data: numbers, text, typed arrays, plans and traces, never code.',
  })
}

function unpack(value: unknown, body: Uint8Array): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map((item) => unpack(item, body))
  const special = (value as { $?: unknown }).$
  if (special === undefined) return unpackObject(value, body)
  const [kind, content, offset, length] = Array.isArray(special) ? (special as unknown[]) : []
  switch (kind) {
    case 'number':
      if (content === 'NaN' || content === 'Infinity' || content === '-Infinity' || content === '-0')
        return Number(content)
      break
    case 'bigint':
      if (typeof content === 'string' && /^-?\d+$/.test(content)) return BigInt(content)
      break
    case 'undefined':
      return undefined
    case 'date':
      return new Date(typeof content === 'number' ? content : Number.NaN)
    case 'plain':
      if (typeof content === 'object' && content !== null) return unpackObject(content, body)
      break
    case 'array': {
      if (typeof content !== 'string' || !Object.hasOwn(carriers, content)) break
      const Carrier = carriers[content as CarrierName]
      const fits =
        Number.isInteger(offset) && Number.isInteger(length) && (offset as number) >= 0 && (length as number) >= 0
      if (!fits || (offset as number) % 8 !== 0) break
      if ((offset as number) + (length as number) * Carrier.BYTES_PER_ELEMENT > body.length) break
      return new Carrier(body.buffer as ArrayBuffer, offset as number, length as number)
    }
  }
  throw new ShardbookError(
    'pool',
    `connection: expected a frame that this version writes, got ${JSON.stringify(special).slice(0, 80)}.`,
  )
}

function unpackObject(value: object, body: Uint8Array): object {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unpack(item, body)]))
}
