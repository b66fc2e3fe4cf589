/** Programs compiled by a plugin, or loaded as an earlier process compiled them. */
import { type Pjrt, PjrtError, Struct } from './api.js'
import type { ExecutableCache } from './executable-cache.js'

export interface Compiler {
  readonly pjrt: Pjrt
  readonly client: number
  /** Of platform, device and plugin: what a compiled program is for. */
  readonly description: readonly string[]
  readonly cache: ExecutableCache | undefined
}

/** The loaded executable of a program. */
export function compileOrLoad(compiler: Compiler, text: string, options: Uint8Array): number {
  const { pjrt, client, description, cache } = compiler
  const key = cache?.keyOf([...description, Buffer.from(options).toString('hex'), text])
  const stored = key === undefined ? undefined : cache!.read(key)
  if (stored !== undefined) {
    const loaded = deserialize(compiler, stored)
    if (loaded !== undefined) return loaded
    cache!.remove(key!)
  }
  const struct = pjrt.struct('Client_Compile').set(16, client)
  struct.set(24, struct.pinStruct(programStruct(pjrt, text), pjrt.foreign)).setArray(32, options, pjrt.foreign)
  const loaded = pjrt.call('Client_Compile', struct, 'load').get(48)
  if (key !== undefined) store(compiler, loaded, key)
  return loaded
}

function deserialize({ pjrt, client }: Compiler, bytes: Uint8Array): number | undefined {
  const struct = pjrt.struct('Executable_DeserializeAndLoad').set(16, client).setArray(24, bytes, pjrt.foreign)
  try {
    return pjrt.call('Executable_DeserializeAndLoad', struct).get(40)
  } catch (error) {
    if (error instanceof PjrtError) return undefined // of another version, or damaged: it is compiled anew
    throw error
  }
}

function store({ pjrt, cache }: Compiler, loaded: number, key: string): void {
  try {
    const got = pjrt.struct('LoadedExecutable_GetExecutable').set(16, loaded)
    const executable = pjrt.call('LoadedExecutable_GetExecutable', got).get(24)
    const struct = pjrt.call('Executable_Serialize', pjrt.struct('Executable_Serialize').set(16, executable))
    const bytes = new Uint8Array(struct.get(32))
    pjrt.memory.read(struct.get(24), bytes)
    cache!.write(key, bytes)
    const deleter = struct.get(48)
    if (deleter !== 0) pjrt.foreign.deleterAt(deleter)(struct.get(40))
    pjrt.call('Executable_Destroy', pjrt.struct('Executable_Destroy').set(16, executable))
  } catch (error) {
    if (!(error instanceof PjrtError)) throw error // a plugin that serialises nothing compiles every time
  }
}

/** `PJRT_Program` of a module's text. */
export function programStruct({ foreign }: Pjrt, text: string): Struct {
  const bytes = (content: string): Uint8Array => new TextEncoder().encode(content)
  return new Struct(48).setArray(16, bytes(text), foreign).setArray(32, bytes('mlir'), foreign)
}
