/** Memory on a device, counted by its owners: tensors, and steps whose state it is. */

/** Who made it. */
export interface BufferOwner {
  readonly live: Set<DeviceBuffer>
  destroyBuffer(handle: number): void
}

/** A buffer on the device, shared by those that retained it. */
export class DeviceBuffer {
  readonly handle: number
  readonly bytes: number
  readonly label: string
  readonly #owner: BufferOwner
  #owners = 1

  constructor(owner: BufferOwner, handle: number, bytes: number, label: string) {
    this.#owner = owner
    this.handle = handle
    this.bytes = bytes
    this.label = label
    owner.live.add(this)
  }

  /** Whether only one owner has it, who may give it away. */
  get isSole(): boolean {
    return this.#owners === 1
  }

  retain(): this {
    this.#owners++
    return this
  }

  release(): void {
    if (--this.#owners > 0) return
    this.#owner.live.delete(this)
    this.#owner.destroyBuffer(this.handle)
  }
}

/** The largest of some buffers, in words. */
export function largestOf(buffers: Iterable<DeviceBuffer>, count = 5): string {
  const largest = [...buffers].toSorted((a, b) => b.bytes - a.bytes).slice(0, count)
  return largest.map(({ label, bytes }) => `${label} ${megabytes(bytes)}`).join(', ') || 'none'
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
