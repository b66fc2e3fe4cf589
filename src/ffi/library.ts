/**
 * The one door to `koffi`: opens a shared library and types its functions by their C signatures.
 *
 * Pointers are JavaScript numbers (user-space addresses have at most 52 bits on the platforms that we run on). Nothing checks
 * a signature against the library: write it as the C header has it.
 */
import { ShardbookError } from '../core/errors.js'

/** C types of parameters and results, by the JavaScript type that stands for each. */
interface JavaScriptTypes {
  void: void
  /** Any pointer, as an address; 0 is NULL. */
  pointer: number
  /** `const char*`, zero-terminated. */
  string: string
  bool: number
  int: number
  int64: number
  size: number
  float: number
  /** Arrays that the function reads or fills in place; `null` is NULL. */
  bytes: Uint8Array | null
  int32s: Int32Array | null
  int64s: BigInt64Array | null
  pointers: BigUint64Array | null
  floats: Float32Array | null
  /** `const char* const*` */
  strings: string[]
  /** `struct { void* pointer; int index; }`, by value. */
  indexedPointer: { pointer: number; index: number }
  /** A struct of six 64-bit words, by value. */
  sixWords: { words: BigUint64Array }
}

export type CType = keyof JavaScriptTypes

/** A C function: the type of its result and those of its parameters. */
export type Signature = readonly [result: CType, ...parameters: CType[]]

/** The functions of a table of signatures. */
export type Functions<Table extends Readonly<Record<string, Signature>>> = {
  readonly [Name in keyof Table]: Table[Name] extends readonly [infer R extends CType, ...infer P extends CType[]]
    ? (...parameters: { [I in keyof P]: JavaScriptTypes[P[I]] }) => JavaScriptTypes[R]
    : never
}

/** The same functions, each of which runs on a thread of its own and gives a promise. */
export type BackgroundFunctions<Table extends Readonly<Record<string, Signature>>> = {
  readonly [Name in keyof Table]: (
    ...parameters: Parameters<Functions<Table>[Name]>
  ) => Promise<ReturnType<Functions<Table>[Name]>>
}

const koffiTypes: Record<Exclude<CType, 'indexedPointer' | 'sixWords'>, string> = {
  void: 'void',
  pointer: 'uintptr_t',
  string: 'str',
  bool: 'uint8_t',
  int: 'int',
  int64: 'int64_t',
  size: 'size_t',
  float: 'float',
  bytes: 'uint8_t*',
  int32s: 'int32_t*',
  int64s: 'int64_t*',
  pointers: 'uint64_t*',
  floats: 'float*',
  strings: 'str*',
}

/**
 * Opens a shared library and binds the functions of `table`.
 *
 * With `pinned` the library is never unloaded, not even when the process ends: libraries with threads of their own crash
 * when their code vanishes under them.
 *
 * @throws ShardbookError `engine` when the library does not load or lacks a function.
 */
export async function openLibrary<Table extends Readonly<Record<string, Signature>>>(
  path: string,
  table: Table,
  options: { pinned?: boolean } = {},
): Promise<Functions<Table>> {
  const bound = await bind(path, table)
  if (options.pinned === true) await pin(path)
  return Object.fromEntries<unknown>(bound) as Functions<Table>
}

/** As `openLibrary`, for functions that take long: each call is a `callInBackground`. */
export async function openBackground<Table extends Readonly<Record<string, Signature>>>(
  path: string,
  table: Table,
): Promise<BackgroundFunctions<Table>> {
  const background = (await bind(path, table)).map(([name, call]): [string, unknown] => [
    name,
    (...parameters: unknown[]) => callInBackground(call as (...all: unknown[]) => unknown, ...parameters),
  ])
  return Object.fromEntries<unknown>(background) as BackgroundFunctions<Table>
}

/** The C library, by the name that the platform's loader knows. */
export const systemLibrary = process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6'

/** Stack of a background call: the default of 128 KiB does not hold a query planner. */
const backgroundStackBytes = 8 * 2 ** 20

async function bind(path: string, table: Readonly<Record<string, Signature>>): Promise<[string, KoffiFunc][]> {
  const koffi = await loadKoffi()
  try {
    const library = koffi.load(path)
    const structs = {
      indexedPointer: koffi.struct({ pointer: 'uintptr_t', index: 'int' }),
      sixWords: koffi.struct({ words: koffi.array('uint64_t', 6) }),
    }
    const typeOf = (type: CType) =>
      type === 'indexedPointer' || type === 'sixWords' ? structs[type] : koffiTypes[type]
    return Object.entries(table).map(([name, [result, ...parameters]]) => [
      name,
      library.func(name, typeOf(result), parameters.map(typeOf)),
    ])
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ShardbookError('engine', `openLibrary: expected ${path} to load, got: ${reason}.`, { cause })
  }
}

/** Loads a library that another will ask for by its name, and never unloads it. */
export async function preloadLibrary(path: string): Promise<void> {
  if ((await pin(path)) === 0) {
    throw new ShardbookError('engine', `preloadLibrary: expected ${path} to load, got a refusal of the loader.`)
  }
}

/**
 * Calls a function of `openLibrary` on a thread of its own; the event loop goes on. Nothing that it uses may be freed or
 * changed before it ends.
 */
export function callInBackground<P extends unknown[], R>(
  foreign: (...parameters: P) => R,
  ...parameters: P
): Promise<R> {
  const { async: start } = foreign as unknown as { async: (...all: unknown[]) => void }
  return new Promise((resolve, reject) => {
    start(...parameters, (error: Error | null, result: R) => (error === null ? resolve(result) : reject(error)))
  })
}

type Koffi = (typeof import('koffi'))['default']
type KoffiFunc = ReturnType<ReturnType<Koffi['load']>['func']>
let loading: Promise<Koffi> | undefined

function loadKoffi(): Promise<Koffi> {
  loading ??= import('koffi').then(({ default: koffi }) => {
    koffi.config({ async_stack_size: backgroundStackBytes })
    return koffi
  })
  return loading
}

/**
 * Functions that a library gives by address, such as those of a table of pointers: each takes the bytes of a C struct and gives a
 * pointer.
 */
export interface StructFunctions {
  /** The function at an address. */
  at(address: number): (struct: Uint8Array) => number
  /** The function at an address that frees what a pointer points at. */
  deleterAt(address: number): (pointer: number) => void
  /** Where bytes lie; they stay there as long as something in JavaScript refers to them. */
  addressOf(bytes: ArrayBufferView | ArrayBufferLike): number
}

export async function openStructFunctions(): Promise<StructFunctions> {
  const koffi = await loadKoffi()
  const prototype = koffi.proto('uintptr_t', ['uint8_t*'])
  const deleter = koffi.proto('void', ['uintptr_t'])
  return {
    deleterAt: (address) => koffi.decode(BigInt(address), deleter) as (pointer: number) => void,
    at: (address) => koffi.decode(BigInt(address), prototype) as (struct: Uint8Array) => number,
    addressOf: (bytes) => Number(koffi.address(bytes)),
  }
}

/** `dlopen` with a flag that koffi lacks; 0 when it fails. */
async function pin(path: string): Promise<number> {
  const { dlopen } = await openLibrary(systemLibrary, { dlopen: ['pointer', 'string', 'int'] })
  return dlopen(path, process.platform === 'darwin' ? 0x82 : 0x1002) // RTLD_NOW | RTLD_NODELETE
}
