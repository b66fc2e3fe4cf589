/** Fills arrays of exact length from a socket; holds back what came too early. */
import type { Socket } from 'node:net'

export class ExactReader {
  readonly #socket: Socket
  #held: Uint8Array[] = []
  #want: { target: Uint8Array; filled: number; resolve: () => void; reject: (error: Error) => void } | undefined
  #error: Error | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.resume()
  }

  async read(target: Uint8Array): Promise<void> {
    if (this.#error !== undefined) throw this.#error
    if (target.length === 0) return
    await new Promise<void>((resolve, reject) => {
      this.#want = { target, filled: 0, resolve, reject }
      const held = this.#held
      this.#held = []
      for (const bytes of held) this.#take(bytes)
      if (this.#held.length === 0) this.#socket.resume()
    })
  }

  fail(error: Error): void {
    this.#error ??= error
    this.#want?.reject(this.#error)
    this.#want = undefined
  }

  #take(bytes: Uint8Array): void {
    const want = this.#want
    if (want === undefined) {
      this.#held.push(bytes)
      this.#socket.pause()
      return
    }
    const count = Math.min(bytes.length, want.target.length - want.filled)
    want.target.set(bytes.subarray(0, count), want.filled)
    want.filled += count
    if (count < bytes.length) {
      this.#held.push(bytes.subarray(count))
      this.#socket.pause()
    }
    if (want.filled < want.target.length) return
    this.#want = undefined
    want.resolve()
  }
}
