/**
 * A client of a plugin: its devices, buffers on them, programs compiled for them.
 *
 * Programs run in the order in which they are started, and are not waited for: whoever reads a buffer waits for it. At most
 * `maxInFlight` are under way, so that their inputs do not pile up on the device.
 */
import { ShardbookError } from '../../core/errors.js'
import { type Pjrt, PjrtError, type Struct, bufferTypes, openPlugin, setNamedValues } from './api.js'
import { compileOptions } from './compile-options.js'
import { compileOrLoad } from './compiler.js'
import { DeviceBuffer, largestOf, megabytes } from './device-buffer.js'
import type { ExecutableCache } from './executable-cache.js'
import type { Module } from './module.js'
import { sizeOf } from '../../core/dtype.js'

export type HostValues = Float32Array | Int32Array | Uint8Array
export type DeviceType = keyof typeof bufferTypes

const maxInFlight = 4
const outOfMemory = 8

export interface DeviceMemory {
  readonly usedBytes: number
  readonly peakBytes?: number
  readonly limitBytes?: number
}

/** A compiled program on its devices. */
export interface Executable {
  readonly handle: number
  readonly module: Module
  readonly devices: readonly number[]
}

export interface ClientOptions {
  /** The number of the device that tensors live on, as the system counts them. */
  readonly device?: number
  /** Options of the plugin's client; see `plugin.ts`. */
  readonly create?: Readonly<Record<string, string | number | boolean | readonly number[]>>
  readonly overrides?: Readonly<Record<string, string | boolean | number>>
  readonly cache?: ExecutableCache
}

export class Client {
  readonly pjrt: Pjrt
  readonly platform: string
  readonly platformVersion: string
  /** What each device is. */
  readonly kinds: readonly string[]
  readonly live = new Set<DeviceBuffer>()
  readonly #handle: number
  readonly #devices: readonly number[]
  readonly #device: number
  readonly #options: ClientOptions
  readonly #underWay: number[] = []

  /** Loads a plugin and opens its devices. */
  static async open(path: string, options: ClientOptions = {}): Promise<Client> {
    const pjrt = await openPlugin(path)
    const create = setNamedValues(pjrt.struct('Client_Create'), 16, options.create ?? {}, pjrt.foreign)
    const client = pjrt.call('Client_Create', create, 'openEngine').get(64)
    try {
      return new Client(pjrt, client, options)
    } catch (error) {
      pjrt.call('Client_Destroy', pjrt.struct('Client_Destroy').set(16, client))
      throw error
    }
  }

  private constructor(pjrt: Pjrt, handle: number, options: ClientOptions) {
    this.pjrt = pjrt
    this.#handle = handle
    this.#options = options
    this.platform = this.#text('Client_PlatformName', handle)
    this.platformVersion = this.#text('Client_PlatformVersion', handle)
    const found = pjrt.call('Client_AddressableDevices', pjrt.struct('Client_AddressableDevices').set(16, handle))
    const pointers = new BigUint64Array(found.get(32))
    pjrt.memory.read(found.get(24), new Uint8Array(pointers.buffer))
    this.#devices = Array.from(pointers, Number)
    this.kinds = this.#devices.map((device) => {
      const description = pjrt.call('Device_GetDescription', pjrt.struct('Device_GetDescription').set(16, device))
      return this.#text('DeviceDescription_Kind', description.get(24))
    })
    this.#device = options.device ?? 0
    if (this.#devices[this.#device] !== undefined) return
    const had = `${this.#devices.length} ${this.platform} device${this.#devices.length === 1 ? '' : 's'}`
    throw new ShardbookError(
      'argument',
      `openEngine: expected a device below ${this.#devices.length}, got ${this.#device}.`,
      {
        hint: `This machine has ${had}; they are counted from 0.`,
      },
    )
  }

  #text(name: 'Client_PlatformName' | 'Client_PlatformVersion' | 'DeviceDescription_Kind', of: number): string {
    const struct = this.pjrt.call(name, this.pjrt.struct(name).set(16, of))
    return this.pjrt.text(struct.get(24), struct.get(32))
  }

  get deviceCount(): number {
    return this.#devices.length
  }

  /** Compiles a program for this client's device, or for its first ones where several run it together. */
  compile(module: Module): Executable {
    if (module.replicas > this.#devices.length) {
      throw new ShardbookError(
        'engine',
        `load: expected at most ${this.#devices.length} devices, got ${module.replicas}.`,
      )
    }
    const devices = module.replicas > 1 ? [...Array(module.replicas).keys()] : [this.#device]
    const { overrides, cache } = this.#options
    const options = compileOptions({ devices, ...(overrides && { overrides }) })
    const description = [this.platform, this.platformVersion, this.kinds[this.#device]!, this.pjrt.version]
    const compiler = { pjrt: this.pjrt, client: this.#handle, description, cache }
    return { handle: this.#explaining('load', () => compileOrLoad(compiler, module.text, options)), module, devices }
  }

  /** Runs a program; buffers at `given[device]`. Those at `kept` stay the caller's, others that the program takes over are gone. */
  execute(
    executable: Executable,
    given: readonly (readonly DeviceBuffer[])[],
    kept: readonly number[] = [],
  ): DeviceBuffer[][] {
    const { pjrt } = this
    const { foreign } = pjrt
    const { module } = executable
    while (this.#underWay.length >= maxInFlight) this.#finishOldest()
    const options = new Uint8Array(new ArrayBuffer(144))
    const optionStruct = new DataView(options.buffer)
    optionStruct.setBigUint64(0, 144n, true)
    const indices = BigInt64Array.from(kept, BigInt)
    if (kept.length > 0) {
      optionStruct.setBigUint64(56, BigInt(foreign.addressOf(indices)), true)
      optionStruct.setBigUint64(64, BigInt(kept.length), true)
    }
    const struct = pjrt.struct('LoadedExecutable_Execute').set(16, executable.handle)
    const pointersTo = (lists: readonly BigUint64Array[]): BigUint64Array =>
      BigUint64Array.from(lists, (list) => BigInt(struct.pin(list, foreign)))
    const inputs = given.map((buffers) => BigUint64Array.from(buffers, ({ handle }) => BigInt(handle)))
    const outputs = given.map(() => new BigUint64Array(module.results.length))
    const events = new BigUint64Array(given.length)
    const [inputList, outputList] = [pointersTo(inputs), pointersTo(outputs)]
    struct.set(24, struct.pin(options, foreign))
    struct.set(32, struct.pin(inputList, foreign))
    struct.set(40, given.length)
    struct.set(48, module.parameters.length)
    struct.set(56, struct.pin(outputList, foreign))
    struct.set(64, struct.pin(events, foreign))
    struct.pin(indices, foreign)
    this.#explaining('run', () => pjrt.call('LoadedExecutable_Execute', struct, 'run'))
    this.#underWay.push(...Array.from(events, Number))
    return outputs.map((list) =>
      Array.from(list, (handle, i) => {
        const { shape, element } = module.results[i]!
        const width = element === 'i1' ? 1 : 4
        return new DeviceBuffer(this, Number(handle), sizeOf(shape) * width, `${element}[${shape.join(', ')}]`)
      }),
    )
  }

  /** Waits for everything that was started; raises when the last of it failed. */
  finish(): void {
    while (this.#underWay.length > 1) this.#finishOldest()
    const last = this.#underWay.shift()
    if (last !== undefined) this.#explaining('run', () => this.#await(last))
  }

  /** A failure is told by the results, to whoever reads them. */
  #finishOldest(): void {
    try {
      this.#await(this.#underWay.shift()!)
    } catch (error) {
      if (!(error instanceof PjrtError)) throw error
    }
  }

  #await(event: number): void {
    const { pjrt } = this
    try {
      pjrt.call('Event_Await', pjrt.struct('Event_Await').set(16, event), 'run')
    } finally {
      pjrt.call('Event_Destroy', pjrt.struct('Event_Destroy').set(16, event))
    }
  }

  /** Puts values on a device. They are copied before this returns; the transfer goes on while programs run. */
  upload(values: HostValues, shape: readonly number[], type: DeviceType, device = this.#device): DeviceBuffer {
    const { pjrt } = this
    const { foreign } = pjrt
    const struct = pjrt.struct('Client_BufferFromHostBuffer').set(16, this.#handle)
    struct
      .set(24, struct.pin(values.byteLength === 0 ? new Uint8Array(4) : values, foreign))
      .set32(32, bufferTypes[type])
    struct.setArray(40, BigInt64Array.from(shape, BigInt), foreign, 8)
    struct.set(80, this.#devices[device]!)
    this.#explaining('upload', () => pjrt.call('Client_BufferFromHostBuffer', struct, 'upload'))
    const done = struct.get(104)
    if (done !== 0) pjrt.call('Event_Destroy', pjrt.struct('Event_Destroy').set(16, done))
    return new DeviceBuffer(this, struct.get(112), values.byteLength, `${type}[${shape.join(', ')}]`)
  }

  /** Values of a buffer, once they are there; the event loop stands still until then. */
  downloadSync(buffer: DeviceBuffer, shape: readonly number[], into: HostValues): void {
    const struct = this.#download(buffer, shape, into)
    if (struct !== undefined) this.#explaining('read', () => this.#await(struct.get(48)))
  }

  /** The same while the event loop goes on. The buffer is kept meanwhile. */
  async download(buffer: DeviceBuffer, shape: readonly number[], into: HostValues): Promise<void> {
    const struct = this.#download(buffer, shape, into)
    if (struct === undefined) return
    buffer.retain()
    const event = struct.get(48)
    const { pjrt } = this
    try {
      await pjrt.callInBackground('Event_Await', pjrt.struct('Event_Await').set(16, event), 'read')
    } catch (error) {
      throw this.#explained(error, 'read')
    } finally {
      pjrt.call('Event_Destroy', pjrt.struct('Event_Destroy').set(16, event))
      buffer.release()
    }
  }

  #download(buffer: DeviceBuffer, shape: readonly number[], into: HostValues): Struct | undefined {
    if (into.byteLength === 0) return undefined
    const { pjrt } = this
    const { foreign } = pjrt
    // Row by row whatever the device keeps: the layout names the axes from the innermost.
    const layout = new Uint8Array(new ArrayBuffer(80))
    const view = new DataView(layout.buffer)
    view.setBigUint64(0, 76n, true)
    view.setBigUint64(16, 56n, true)
    const order = BigInt64Array.from(shape, (_, i) => BigInt(shape.length - 1 - i))
    const struct = pjrt.struct('Buffer_ToHostBuffer').set(16, buffer.handle)
    view.setBigUint64(32, BigInt(struct.pin(order, foreign)), true)
    view.setBigUint64(40, BigInt(order.length), true)
    struct.set(24, struct.pin(layout, foreign)).setArray(32, into, foreign)
    return this.#explaining('read', () => pjrt.call('Buffer_ToHostBuffer', struct, 'read'))
  }

  destroyBuffer(handle: number): void {
    this.pjrt.call('Buffer_Destroy', this.pjrt.struct('Buffer_Destroy').set(16, handle))
  }

  destroyExecutable({ handle }: Executable): void {
    while (this.#underWay.length > 0) this.#finishOldest()
    this.pjrt.call('LoadedExecutable_Destroy', this.pjrt.struct('LoadedExecutable_Destroy').set(16, handle))
  }

  /** Memory of the device, where the plugin counts it. */
  memory(): DeviceMemory | undefined {
    const { pjrt } = this
    try {
      const struct = pjrt.struct('Device_MemoryStats').set(16, this.#devices[this.#device]!)
      pjrt.call('Device_MemoryStats', struct)
      const told = (value: number, flag: number): number | undefined =>
        struct.view.getUint8(flag) === 0 ? undefined : struct.get(value)
      const [peakBytes, limitBytes] = [told(32, 40), told(80, 88)]
      return {
        usedBytes: struct.get(24),
        ...(peakBytes !== undefined && { peakBytes }),
        ...(limitBytes !== undefined && { limitBytes }),
      }
    } catch (error) {
      if (error instanceof PjrtError) return undefined
      throw error
    }
  }

  #explaining<T>(what: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw this.#explained(error, what)
    }
  }

  /** Says of a full device what fills it. */
  #explained(error: unknown, what: string): unknown {
    if (!(error instanceof PjrtError) || error.status !== outOfMemory) return error
    const limit = this.memory()?.limitBytes
    const room = limit === undefined ? 'room on the device' : `room on the device (${megabytes(limit)})`
    return new ShardbookError('engine', `${what}: expected ${room}, got none: ${error.message}`, {
      hint: `The largest buffers: ${largestOf(this.live)}. Use smaller batches, or bfloat16.`,
      cause: error,
    })
  }
}
