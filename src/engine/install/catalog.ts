/** The engines that can be installed, pinned: which wheel of which package, its checksum, and the libraries that we take from it. */
import { ShardbookError } from '../../core/errors.js'
import { cudaWheels } from './cuda-wheels.js'
import { cuda13Compiler, cuda13Libraries, xlaCpu } from './pjrt-wheels.js'

export const installableEngines = ['native', 'pjrt-cuda13', 'pjrt-cpu'] as const
export type InstallableEngine = (typeof installableEngines)[number]

export interface Wheel {
  readonly package: string
  readonly version: string
  /** pip's name of the platform. The wheel's Python version does not matter: we take its C libraries only. */
  readonly platform: string
  readonly pythonVersion: string
  readonly sha256: string
  /** About: for progress and for the space that is asked for. */
  readonly sizeBytes: number
  /** Files of the wheel to keep; the first is the one to load. */
  readonly libraries: readonly string[]
  /** Folder of the wheel below which files keep their paths; default: they are kept by their names alone. */
  readonly root?: string
  /** About what the libraries take on disk. */
  readonly librariesBytes: number
}

const tensorFlow = { package: 'tensorflow', version: '2.21.0', pythonVersion: '3.11' }
const linuxLibraries = ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2']

const nativeWheels: Readonly<Record<string, Wheel>> = {
  'linux-x64': {
    ...tensorFlow,
    platform: 'manylinux_2_27_x86_64',
    sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
    sizeBytes: 572_440_367,
    libraries: linuxLibraries,
    librariesBytes: 1_259_021_080,
  },
  'linux-arm64': {
    ...tensorFlow,
    platform: 'manylinux_2_27_aarch64',
    sha256: '4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c',
    sizeBytes: 281_828_020,
    libraries: linuxLibraries,
    librariesBytes: 883_062_208,
  },
  'darwin-arm64': {
    ...tensorFlow,
    platform: 'macosx_12_0_arm64',
    sha256: '51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88',
    sizeBytes: 223_405_849,
    libraries: ['tensorflow/libtensorflow_cc.2.dylib', 'tensorflow/libtensorflow_framework.2.dylib'],
    librariesBytes: 740_805_624,
  },
}

/** The wheel of each engine by platform. */
const wheels: Readonly<Record<InstallableEngine, Readonly<Record<string, Wheel>>>> = {
  native: nativeWheels,
  'pjrt-cuda13': { 'linux-x64': cuda13Compiler[0] },
  'pjrt-cpu': { 'linux-x64': xlaCpu },
}

export interface Choice {
  /** With the libraries for NVIDIA GPUs. */
  readonly gpu?: boolean
  /** `linux-x64` and so on; default: this machine's. */
  readonly platform?: string
}

/** The wheel that brings an engine to a machine. */
export function wheelOf(engine: InstallableEngine, { platform = thisPlatform() }: Choice = {}): Wheel {
  const wheel = wheels[engine][platform]
  if (wheel !== undefined) return wheel
  throw new ShardbookError(
    'missing',
    `installEngine: expected a platform with the engine ${engine} (${Object.keys(wheels[engine]).join(', ')}), got ${platform}.`,
    { hint: 'The wasm engine runs everywhere.' },
  )
}

/** All wheels of an engine, that of the engine itself first. */
export function wheelsOf(engine: InstallableEngine, choice: Choice = {}): readonly Wheel[] {
  const wheel = wheelOf(engine, choice)
  if (engine === 'pjrt-cuda13') return [...cuda13Compiler, ...(choice.gpu === false ? [] : cuda13Libraries)]
  if (choice.gpu !== true) return [wheel]
  const platform = choice.platform ?? thisPlatform()
  if (engine === 'native' && platform === 'linux-x64') return [wheel, ...cudaWheels]
  throw new ShardbookError(
    'missing',
    `installEngine: expected ${engine === 'native' ? `linux-x64 for native with --gpu, got ${platform}: there is no TensorFlow for its GPUs` : `native or pjrt-cuda13 with --gpu, got ${engine}`}.`,
    { hint: 'Leave --gpu out: the engine runs on the CPU.' },
  )
}

function thisPlatform(): string {
  return `${process.platform}-${process.arch}`
}
