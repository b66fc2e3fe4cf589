/** `CompileOptionsProto` (`xla/pjrt/proto/compile_options.proto`), serialised: the few fields that we set. */
import { field, varint } from '../native/attributes.js'

export interface CompileOptions {
  /** The devices that run the program, one replica each. */
  readonly devices: readonly number[]
  /** XLA's debug options by name. */
  readonly overrides?: Readonly<Record<string, string | boolean | number>>
}

export function compileOptions({ devices, overrides = {} }: CompileOptions): Uint8Array {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value)
  const number = (tag: number, value: number): Uint8Array => Uint8Array.from([tag << 3, ...varint(value)])
  const ids = field(1, Uint8Array.from(devices.flatMap(varint)))
  const assignment = field(9, number(1, devices.length), number(2, 1), field(3, ids))
  const build = field(3, number(4, devices.length), number(5, 1), assignment)
  const entries = Object.entries(overrides).map(([name, value]) => {
    if (typeof value === 'string') return field(7, field(1, text(name)), field(2, field(1, text(value))))
    const given = typeof value === 'boolean' ? number(2, Number(value)) : number(3, value)
    return field(7, field(1, text(name)), field(2, given))
  })
  return Uint8Array.from([build, ...entries].flatMap((bytes) => [...bytes]))
}
