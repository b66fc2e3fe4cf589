/**
 * The C API of PJRT plugins (`xla/pjrt/c/pjrt_c_api.h`, version 0.90 and later), the part that the engine uses: a table of
 * functions, each of which takes one struct and gives an error or NULL. A field is named by its offset; the first 16 bytes of a
 * struct are its size and a pointer to extensions.
 */
import { ShardbookError } from '../../core/errors.js'
import {
  type Memory,
  type StructFunctions,
  callInBackground,
  openLibrary,
  openMemory,
  openStructFunctions,
  withoutStderr,
} from '../../ffi/index.js'

/** Place in the table, and size of the struct. */
const functions = {
  Error_Destroy: [0, 24],
  Error_Message: [1, 40],
  Error_GetCode: [2, 28],
  Plugin_Initialize: [3, 16],
  Plugin_Attributes: [4, 32],
  Event_Destroy: [5, 24],
  Event_IsReady: [6, 25],
  Event_Await: [8, 24],
  Client_Create: [10, 88],
  Client_Destroy: [11, 24],
  Client_PlatformName: [12, 40],
  Client_PlatformVersion: [14, 40],
  Client_AddressableDevices: [16, 40],
  Client_Compile: [20, 56],
  Client_BufferFromHostBuffer: [22, 120],
  DeviceDescription_Kind: [26, 40],
  Device_GetDescription: [29, 32],
  Device_MemoryStats: [34, 201],
  Executable_Destroy: [40, 24],
  Executable_OptimizedProgram: [48, 32],
  Executable_Serialize: [49, 56],
  LoadedExecutable_Destroy: [50, 24],
  LoadedExecutable_GetExecutable: [51, 32],
  LoadedExecutable_Execute: [55, 80],
  Executable_DeserializeAndLoad: [56, 72],
  Buffer_Destroy: [58, 24],
  Buffer_ToHostBuffer: [70, 56],
  TopologyDescription_Create: [82, 56],
  TopologyDescription_Destroy: [83, 24],
  Compile: [89, 64],
  Executable_GetCompiledMemoryStats: [96, 144],
} as const satisfies Record<string, readonly [slot: number, sizeBytes: number]>

export type FunctionName = keyof typeof functions

/** `PJRT_Buffer_Type` of the element types that tensors have. */
export const bufferTypes = { bool: 1, int32: 4, float32: 11 } as const

/** Versions that the layouts of the structs are right for. */
const supported = { major: 0, minMinor: 90 }

/** A struct of the API. What its pointers point at stays alive as long as it does. */
export class Struct {
  readonly view: DataView
  readonly #pinned: unknown[] = []

  constructor(sizeBytes: number) {
    this.view = new DataView(new ArrayBuffer(Math.ceil(sizeBytes / 8) * 8))
    this.set(0, sizeBytes)
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.view.buffer)
  }

  set(offset: number, value: number): this {
    this.view.setBigUint64(offset, BigInt(value), true)
    return this
  }

  set32(offset: number, value: number): this {
    this.view.setInt32(offset, value, true)
    return this
  }

  /** A pointer and, behind it, a length in elements of `width` bytes. */
  setArray(offset: number, bytes: ArrayBufferView, foreign: StructFunctions, width = 1): this {
    this.set(offset, this.pin(bytes, foreign))
    return this.set(offset + 8, bytes.byteLength / width)
  }

  pin(bytes: ArrayBufferView, foreign: StructFunctions): number {
    this.#pinned.push(bytes)
    return bytes.byteLength === 0 ? 0 : foreign.addressOf(bytes)
  }

  /** The address of another struct, which stays alive with what it points at. */
  pinStruct(other: Struct, foreign: StructFunctions): number {
    this.#pinned.push(other)
    return foreign.addressOf(other.view.buffer)
  }

  get(offset: number): number {
    return Number(this.view.getBigUint64(offset, true))
  }
}

export interface Pjrt {
  readonly version: string
  readonly foreign: StructFunctions
  readonly memory: Memory
  /** An empty struct for a function. */
  struct(name: FunctionName): Struct
  /** Calls a function; raises the plugin's own error, prefixed with `what`. */
  call(name: FunctionName, struct: Struct, what?: string): Struct
  /** The same on a thread of its own. */
  callInBackground(name: FunctionName, struct: Struct, what?: string): Promise<Struct>
  /** Text at an address. */
  text(address: number, length: number): string
}

/** A failure that the plugin told. */
export class PjrtError extends ShardbookError {
  /** As of `absl::StatusCode`: 8 is out of memory, 12 not implemented. */
  readonly status: number

  constructor(what: string, status: number, message: string, hint?: string) {
    super('engine', `${what}: ${message}`, hint === undefined ? {} : { hint })
    this.status = status
  }
}

/**
 * Whether the structs are laid out as we write them.
 *
 * @throws ShardbookError `engine` for a plugin of another version.
 */
export function checkVersion(major: number, minor: number, path: string): void {
  if (major === supported.major && minor >= supported.minMinor) return
  throw new ShardbookError(
    'engine',
    `openEngine: expected a PJRT plugin of the API ${supported.major}.${supported.minMinor} or a later one before 1.0, got ${major}.${minor} of ${path}.`,
    { hint: 'Install the plugin that this version is made for: shardbook engine install pjrt-cuda13.' },
  )
}

/** Loads a plugin and checks its version. */
export async function openPlugin(path: string): Promise<Pjrt> {
  const level = process.env['TF_CPP_MIN_LOG_LEVEL']
  const load = () => openLibrary(path, { GetPjrtApi: ['pointer'] }, { pinned: true })
  const { GetPjrtApi } = await (level === '0' || level === '1' ? load() : withoutStderr(load))
  const [foreign, memory] = await Promise.all([openStructFunctions(), openMemory()])
  const table = GetPjrtApi()
  if (table === 0) throw new ShardbookError('engine', `openEngine: expected ${path} to be a PJRT plugin, got no table.`)
  const read = (address: number, length: number): DataView => {
    const bytes = new Uint8Array(length)
    memory.read(address, bytes)
    return new DataView(bytes.buffer)
  }
  const head = read(table, 40)
  const [sizeBytes, major, minor] = [
    Number(head.getBigUint64(0, true)),
    head.getInt32(32, true),
    head.getInt32(36, true),
  ]
  checkVersion(major, minor, path)
  const bound = new Map<FunctionName, (struct: Uint8Array) => number>()
  const functionOf = (name: FunctionName): ((struct: Uint8Array) => number) => {
    const known = bound.get(name)
    if (known !== undefined) return known
    const offset = 40 + 8 * functions[name][0]
    const address = offset < sizeBytes ? Number(read(table + offset, 8).getBigUint64(0, true)) : 0
    if (address === 0) {
      throw new ShardbookError('engine', `openEngine: expected a plugin with PJRT_${name}, got one without (${path}).`)
    }
    const found = foreign.at(address)
    bound.set(name, found)
    return found
  }
  const struct = (name: FunctionName): Struct => new Struct(functions[name][1])
  const text = (address: number, length: number): string =>
    new TextDecoder().decode(new Uint8Array(read(address, length).buffer))
  const raise = (error: number, what: string): never => {
    const message = struct('Error_Message').set(16, error)
    functionOf('Error_Message')(message.bytes)
    const said = text(message.get(24), message.get(32)).replace(/\s+/g, ' ').trim()
    const code = struct('Error_GetCode').set(16, error)
    const failed = functionOf('Error_GetCode')(code.bytes)
    functionOf('Error_Destroy')(struct('Error_Destroy').set(16, error).bytes)
    throw new PjrtError(what, failed === 0 ? code.view.getInt32(24, true) : 2, said)
  }
  const pjrt: Pjrt = {
    version: `${major}.${minor}`,
    foreign,
    memory,
    struct,
    text,
    call(name, given, what = name) {
      const error = functionOf(name)(given.bytes)
      if (error !== 0) raise(error, what)
      return given
    },
    async callInBackground(name, given, what = name) {
      const error = await callInBackground(functionOf(name), given.bytes)
      if (error !== 0) raise(error, what)
      return given
    },
  }
  pjrt.call('Plugin_Initialize', struct('Plugin_Initialize'), `openEngine: ${path}`)
  return pjrt
}

/** Sets a pointer to options by name, an array of `PJRT_NamedValue`, and their number. */
export function setNamedValues(
  struct: Struct,
  offset: number,
  values: Readonly<Record<string, string | number | boolean | readonly number[]>>,
  foreign: StructFunctions,
): Struct {
  const sizeBytes = 56
  const entries = Object.entries(values)
  const bytes = new Uint8Array(new ArrayBuffer(entries.length * sizeBytes))
  for (const [i, [name, value]] of entries.entries()) {
    const one = new Struct(sizeBytes).setArray(16, new TextEncoder().encode(name), foreign)
    if (typeof value === 'string') one.set32(32, 0).setArray(40, new TextEncoder().encode(value), foreign)
    else if (typeof value === 'boolean') one.set32(32, 4).set(40, Number(value)).set(48, 1)
    else if (typeof value === 'number') {
      one.set32(32, 3).set(48, 1)
      one.view.setFloat32(40, value, true)
    } else one.set32(32, 2).setArray(40, BigInt64Array.from(value, BigInt), foreign, 8)
    bytes.set(one.bytes, i * sizeBytes)
    struct.pinStruct(one, foreign)
  }
  return struct.setArray(offset, bytes, foreign, sizeBytes)
}
