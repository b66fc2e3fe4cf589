/**
 * A checksum of bytes on the wire, quick enough for gradients: FNV-1a over 32-bit words in four lanes. It finds what goes wrong
 * on the way; against who means harm there are the handshake and TLS.
 */
const prime = 0x01000193

/** The checksum of bytes that come in pieces; pieces but the last have a multiple of four bytes. */
export class Checksum {
  readonly #lanes = Int32Array.of(0x811c9dc5, 0x01000193, 0x9e3779b9, 0x85ebca6b)
  #words = 0
  #bytes = 0

  add(bytes: Uint8Array): this {
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
    const count = aligned.length >> 2
    const words = new Int32Array(aligned.buffer, aligned.byteOffset, count)
    let i = 0
    for (; i < count && this.#words % 4 !== 0; i++) this.#mix(words[i]!)
    let [a, b, c, d] = this.#lanes as unknown as [number, number, number, number]
    const whole = i + ((count - i) & ~3)
    this.#words += whole - i
    for (; i < whole; i += 4) {
      a = Math.imul(a ^ words[i]!, prime)
      b = Math.imul(b ^ words[i + 1]!, prime)
      c = Math.imul(c ^ words[i + 2]!, prime)
      d = Math.imul(d ^ words[i + 3]!, prime)
    }
    this.#lanes.set([a, b, c, d])
    for (; i < count; i++) this.#mix(words[i]!)
    for (const byte of aligned.subarray(count * 4)) this.#mix(byte)
    this.#bytes += aligned.length
    return this
  }

  /** 32 bits, unsigned. */
  get value(): number {
    let hash = this.#bytes
    for (const lane of this.#lanes) {
      hash = Math.imul(hash ^ lane ^ (hash >>> 15), 0x85ebca6b)
      hash ^= hash >>> 13
    }
    return hash >>> 0
  }

  #mix(word: number): void {
    const lane = this.#words++ % 4
    this.#lanes[lane] = Math.imul(this.#lanes[lane]! ^ word, prime)
  }
}

export function checksum(bytes: Uint8Array): number {
  return new Checksum().add(bytes).value
}
