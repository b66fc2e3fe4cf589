/**
 * Which plugin, and how its client is opened: `SHARDBOOK_PJRT_PLUGIN` names a file (any PJRT plugin: `libtpu.so` for TPUs), else
 * the one that is installed; of both, `pjrt-cuda13` where there is an NVIDIA GPU.
 */
import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { ShardbookError } from '../../core/errors.js'
import type { InstallableEngine } from '../install/catalog.js'
import type { ClientOptions } from './client.js'

export interface Plugin {
  readonly path: string
  /** Libraries that it asks for by name, to be loaded before it. */
  readonly libraries: readonly string[]
  readonly options: (device: number) => ClientOptions
}

/** Share of a GPU's memory that the allocator may take, as it needs it: never all at once, as plugins do by default. */
const memoryFraction = 0.92

/** The plugin to open. */
export async function findPlugin(): Promise<Plugin> {
  const given = process.env['SHARDBOOK_PJRT_PLUGIN']
  if (given !== undefined && given !== '') {
    if (!existsSync(given)) {
      throw new ShardbookError(
        'missing',
        `openEngine: expected SHARDBOOK_PJRT_PLUGIN to name a plugin, got no file ${given}.`,
      )
    }
    return { path: given, libraries: [], options: optionsOf(given) }
  }
  const [{ inspect }, { wheelOf }] = await Promise.all([
    import('../install/installation.js'),
    import('../install/catalog.js'),
  ])
  if (`${process.platform}-${process.arch}` !== 'linux-x64') throw noPlugin()
  const hasGpu = existsSync('/dev/nvidiactl')
  const names: readonly InstallableEngine[] = hasGpu ? ['pjrt-cuda13', 'pjrt-cpu'] : ['pjrt-cpu', 'pjrt-cuda13']
  for (const name of names) {
    const found = await inspect(name, wheelOf(name))
    if (found.state === 'absent') continue
    if (found.state === 'damaged') {
      throw new ShardbookError(
        'engine',
        `openEngine: expected a whole engine in ${found.folder}, but ${found.reason}.`,
        {
          hint: `Install it: shardbook engine install ${name}.`,
        },
      )
    }
    const { main, gpu } = found.libraries
    return { path: main, libraries: gpu.filter((path) => /\.so(\.|$)/.test(path)), options: optionsOf(main) }
  }
  throw noPlugin()
}

function noPlugin(): ShardbookError {
  return new ShardbookError('missing', 'openEngine: expected a PJRT plugin, got none installed.', {
    hint: 'Install one (Linux x64): shardbook engine install pjrt-cuda13. Or name a plugin in SHARDBOOK_PJRT_PLUGIN.',
  })
}

function optionsOf(path: string): Plugin['options'] {
  if (!/cuda/i.test(basename(path))) return (device) => ({ device })
  // One process, one card: the others stay free for others, and this one is device 0 here.
  return (device) => ({
    device: 0,
    create: { visible_devices: [device], preallocate: false, memory_fraction: memoryFraction },
    overrides: cudaOverrides(dirname(path)),
  })
}

/** Where the compiler finds `bin/ptxas` and `nvvm/libdevice`: beside the plugin as we install it, else where it looks itself. */
export function cudaOverrides(folder: string): Readonly<Record<string, string>> {
  return existsSync(`${folder}/bin/ptxas`) ? { xla_gpu_cuda_data_dir: folder } : {}
}
