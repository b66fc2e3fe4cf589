/**
 * Gradients in fewer bytes. What is lost is kept and added to the next step's gradients (error feedback), so that in the long run
 * everything arrives; all ranks end with the same bits.
 *
 * Seide et al.: 1-bit stochastic gradient descent (2014); Stich, Cordonnier, Jaggi: Sparsified SGD with memory (2018).
 */
import { fromHalfBits, halfBits } from '../core/half.js'
import type { Control } from './control.js'
import type { Compression } from './messages.js'
import type { Ring } from './ring.js'

/** Adds gradients up over a ring, compressed. */
export class CompressedReduce {
  readonly #compression: Compression
  #residual = new Float32Array(0)

  constructor(compression: Compression) {
    this.#compression = compression
  }

  /** Adds `vector` up over all ranks, in place, as good as the compression lets it. */
  async run(ring: Ring, step: number, vector: Float32Array, control: Control): Promise<Control> {
    if (this.#residual.length !== vector.length) this.#residual = new Float32Array(vector.length)
    const residual = this.#residual
    for (let i = 0; i < vector.length; i++) vector[i]! += residual[i]!
    residual.set(vector)
    if (this.#compression.kind === 'float16') {
      toHalf(vector, vector)
      for (let i = 0; i < vector.length; i++) residual[i]! -= vector[i]!
      return await ring.allReduce(step, vector, control, { half: true })
    }
    const kept = Math.max(1, Math.round(this.#compression.share * vector.length))
    const chosen = largest(vector, kept)
    // Positions and values side by side in one array: positions as the bits of floats.
    const message = new Float32Array(2 * kept)
    const positions = new Int32Array(message.buffer, 0, kept)
    for (let i = 0; i < kept; i++) {
      positions[i] = chosen[i]!
      message[kept + i] = vector[chosen[i]!]!
      residual[chosen[i]!] = 0
    }
    const { parts, newest } = await ring.allGather(step, message, control)
    vector.fill(0)
    for (const part of parts) {
      const at = new Int32Array(part.buffer, part.byteOffset, kept)
      for (let i = 0; i < kept; i++) vector[at[i]!]! += part[kept + i]!
    }
    return newest
  }

  /** The ring broke: the step is repeated with what it had begun with. */
  reset(): void {
    this.#residual = new Float32Array(0)
  }
}

/** Positions of the `count` numbers of largest magnitude; of equal ones the first. */
function largest(values: Float32Array, count: number): Int32Array {
  const magnitudes = values.map(Math.abs)
  const threshold = magnitudes.slice().sort()[values.length - count]!
  const chosen = new Int32Array(count)
  let filled = 0
  const isAmong = [(size: number) => size > threshold, (size: number) => size === threshold]
  for (const test of isAmong) {
    for (let i = 0; i < values.length && filled < count; i++) if (test(magnitudes[i]!)) chosen[filled++] = i
  }
  return chosen.sort()
}

/** The nearest numbers of 16 bits; too large ones become the largest. */
export function toHalf(values: Float32Array, into: Float32Array): void {
  for (let i = 0; i < values.length; i++) into[i] = fromHalfBits(finiteHalf(values[i]!))
}

/** Numbers that are halves already, two in the room of one. */
export function packHalves(values: Float32Array): Float32Array {
  const packed = new Float32Array(Math.ceil(values.length / 2))
  const halves = new Uint16Array(packed.buffer)
  for (let i = 0; i < values.length; i++) halves[i] = finiteHalf(values[i]!)
  return packed
}

export function unpackHalves(packed: Float32Array, into: Float32Array): void {
  const halves = new Uint16Array(packed.buffer, packed.byteOffset, into.length)
  for (let i = 0; i < into.length; i++) into[i] = fromHalfBits(halves[i]!)
}

/** As bits of 16; too large ones become the largest, so that a sum stays finite. */
function finiteHalf(value: number): number {
  const half = halfBits(value)
  return (half & 0x7fff) === 0x7c00 && Number.isFinite(value) ? half - 1 : half
}
