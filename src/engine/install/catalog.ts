/** The engines that can be installed, pinned: which wheel of which package, its checksum, and the libraries that we take from it. */
import { ShardbookError } from '../../core/errors.js'

export const installableEngines = ['native'] as const
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
  /** About what the libraries take on disk. */
  readonly librariesBytes: number
}

const tensorFlow = { package: 'tensorflow', version: '2.21.0', pythonVersion: '3.11' }
const linuxLibraries = ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2']

const wheels: Readonly<Record<string, Wheel>> = {
  'linux-x64': {
    ...tensorFlow,
    platform: 'manylinux_2_27_x86_64',
    sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
    sizeBytes: 572_440_367,
    libraries: linuxLibraries,
    librariesBytes: 1_259_021_080,
  },
}

/** The wheel that brings an engine to this machine. */
export function wheelOf(engine: InstallableEngine): Wheel {
  const platform = `${process.platform}-${process.arch}`
  const wheel = wheels[platform]
  if (wheel !== undefined) return wheel
  throw new ShardbookError(
    'missing',
    `installEngine: expected a platform with the engine ${engine} (${Object.keys(wheels).join(', ')}), got ${platform}.`,
    { hint: 'The wasm engine runs everywhere.' },
  )
}
