/**
 * Compiles for a device that is not there: a plugin's compiler needs a description of its target only. So programs are checked by
 * the real compiler on any machine: layouts, fusions, memory. What it cannot choose without the device (algorithms of
 * convolutions) it leaves open, so nothing that it makes is kept.
 *
 * A failed check within a compiler ends its process: compile in one of its own.
 */
import { type Pjrt, setNamedValues } from './api.js'
import { programStruct } from './compiler.js'
import { compileOptions } from './compile-options.js'
import type { Module } from './module.js'

/** `GpuTargetConfigProto` of an NVIDIA H200, as text: `xla/backends/gpu/target_config/specs/h200.txtpb`. */
export const h200 = `gpu_device_info {
  cuda_compute_capability { major: 9 }
  core_count: 132 threads_per_warp: 32 fpus_per_core: 128
  threads_per_block_limit: 1024 threads_per_core_limit: 2048
  shared_memory_per_block: 49152 shared_memory_per_core: 233472 shared_memory_per_block_optin: 232448
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  memory_bandwidth: 4800000000000 l2_cache_size: 52428800 clock_rate_ghz: 1.98 device_memory_size: 151397597184
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
}
platform_name: "CUDA"
`

export interface Compilation {
  readonly argumentBytes: number
  readonly outputBytes: number
  /** Of the arguments, what outputs take over. */
  readonly donatedBytes: number
  readonly temporaryBytes: number
}

/** A number of devices of one kind, which a plugin compiles for. */
export class Topology {
  readonly #pjrt: Pjrt
  readonly #handle: number
  readonly #count: number

  constructor(pjrt: Pjrt, target: string, count = 1) {
    const { foreign } = pjrt
    const struct = pjrt.struct('TopologyDescription_Create')
    struct.setArray(16, new TextEncoder().encode('target'), foreign)
    setNamedValues(struct, 32, { target_config: target, topology: `1x1x${count}` }, foreign)
    this.#pjrt = pjrt
    this.#count = count
    this.#handle = pjrt.call('TopologyDescription_Create', struct, 'compile').get(48)
  }

  /** Compiles a program; raises what the compiler says. */
  compile(module: Module, overrides: Readonly<Record<string, string | boolean | number>> = {}): Compilation {
    const { foreign } = this.#pjrt
    const options = compileOptions({ devices: [...Array(this.#count).keys()], overrides })
    const program = programStruct(this.#pjrt, module.text)
    const struct = this.#pjrt.struct('Compile').set(16, this.#handle)
    struct.set(24, struct.pinStruct(program, foreign)).setArray(32, options, foreign)
    const executable = this.#pjrt.call('Compile', struct, 'compile').get(56)
    try {
      const stats = this.#pjrt.struct('Executable_GetCompiledMemoryStats').set(16, executable)
      this.#pjrt.call('Executable_GetCompiledMemoryStats', stats)
      return {
        argumentBytes: stats.get(32),
        outputBytes: stats.get(40),
        donatedBytes: stats.get(48),
        temporaryBytes: stats.get(56),
      }
    } finally {
      this.#pjrt.call('Executable_Destroy', this.#pjrt.struct('Executable_Destroy').set(16, executable))
    }
  }

  dispose(): void {
    this.#pjrt.call(
      'TopologyDescription_Destroy',
      this.#pjrt.struct('TopologyDescription_Destroy').set(16, this.#handle),
    )
  }
}
