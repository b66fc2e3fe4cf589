/**
 * Opening engines: one of each name in a process. The opened one becomes TensorFlow.js's current backend, so that eager
 * code (`tf.add`, a user's own `@tensorflow/tfjs`) runs on it too.
 */
import { checkInteger, checkOneOf, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import {
  type Engine,
  type EngineName,
  type EngineOptions,
  type SavedModel,
  type SavedModelOptions,
  engineNames,
} from './engine.js'
import type { Libraries } from './install/installation.js'
import { tfCore } from './tf.js'

const backends: Record<EngineName, string> = { native: 'tensorflow', pjrt: 'pjrt', wasm: 'wasm' }
const opened = new Map<EngineName, { engine: Promise<Engine>; options: EngineOptions }>()
let current: Engine | undefined
let preferred: EngineName | undefined

/** The engine opened last, if any. */
export function currentEngine(): Engine | undefined {
  return current
}

/**
 * Opens an engine, or takes the one already open in this process, and makes it TensorFlow.js's current backend.
 *
 * `auto` is the engine that `useEngine` chose, else `SHARDBOOK_ENGINE`, else `native` where it is installed, or TensorFlow.js's own
 * package for Node is there with its library, and loads, else `wasm`.
 *
 * @throws ShardbookError `argument` for an unknown name, `missing` when the engine is not installed, `engine` when its library
 *   is damaged or does not load.
 *
 * @example
 * ```ts
 * const engine = await openEngine('wasm')
 * ```
 */
export async function openEngine(name: EngineName | 'auto', options: EngineOptions = {}): Promise<Engine> {
  checkOneOf('openEngine', 'name', name, ['auto', ...engineNames])
  if (options.threads !== undefined) checkInteger('openEngine', 'threads', options.threads, 1)
  if (options.threadsPerOperation !== undefined) {
    checkInteger('openEngine', 'threadsPerOperation', options.threadsPerOperation, 1)
  }
  if (options.device !== undefined && options.device !== 'cpu') checkInteger('openEngine', 'device', options.device, 0)
  if (options.precision !== undefined) checkOneOf('openEngine', 'precision', options.precision, ['float32', 'bfloat16'])
  if (name !== 'auto') return openNamed(name, options)
  if (preferred !== undefined) return openNamed(preferred, options)
  const wanted = process.env['SHARDBOOK_ENGINE'] || 'auto'
  checkOneOf('SHARDBOOK_ENGINE', 'the engine', wanted, ['auto', ...engineNames])
  if (wanted !== 'auto') return openNamed(wanted, options)
  try {
    return await openNamed('native', options)
  } catch (error) {
    if (!(error instanceof ShardbookError) || error.code === 'state') throw error
    return openNamed('wasm', options)
  }
}

/**
 * Opens an engine and makes it the one that `auto` means from now on in this process.
 *
 * @throws ShardbookError as `openEngine`.
 *
 * @example
 * ```ts
 * await engine.use('wasm')
 * ```
 */
export async function useEngine(name: EngineName | 'auto', options: EngineOptions = {}): Promise<Engine> {
  if (name === 'auto') preferred = undefined
  const engine = await openEngine(name, options)
  if (name !== 'auto') preferred = name
  return engine
}

/**
 * Loads the SavedModel in a folder for inference, on the engine `native`, which becomes the current one.
 *
 * @throws ShardbookError as `openEngine`; `io` without `saved_model.pb`; `argument` for a signature that the model has not;
 *   `engine` when TensorFlow refuses the model.
 *
 * @example
 * ```ts
 * const model = await engine.loadSavedModel('exported')
 * const { probabilities } = await model.predict({ image: engine.tf.zeros([1, 28, 28, 1]) })
 * ```
 */
export async function loadSavedModel(folder: string, options: SavedModelOptions = {}): Promise<SavedModel> {
  const native = await openEngine('native')
  return native.loadSavedModel!(folder, options)
}

async function openNamed(name: EngineName, options: EngineOptions): Promise<Engine> {
  checkDevice(name, options)
  let entry = opened.get(name)
  if (entry === undefined) {
    entry = { engine: start(name, options), options }
    opened.set(name, entry)
    entry.engine.catch(() => opened.delete(name)) // another try may follow an install
  } else checkOptions(name, options, entry.options)
  const engine = await entry.engine
  await tfCore().setBackend(backends[name])
  current = engine
  return engine
}

function checkDevice(name: EngineName, { device }: EngineOptions): void {
  if (device === undefined || name === 'native' || (name === 'wasm') === (device === 'cpu')) return
  throw new ShardbookError('argument', `openEngine: expected a device that ${name} has, got ${show(device)}.`, {
    hint: 'wasm has the processor only ("cpu"), pjrt devices by number, native both.',
  })
}

/** An engine keeps its options for the life of the process. */
function checkOptions(name: EngineName, wanted: EngineOptions, before: EngineOptions): void {
  const defaults = {
    threads: 'the default number of threads',
    threadsPerOperation: 'one thread an operation',
    device: 'the default device',
    precision: 'float32',
  }
  for (const option of ['threads', 'threadsPerOperation', 'device', 'precision'] as const) {
    if (wanted[option] === undefined || wanted[option] === before[option]) continue
    const had = before[option] === undefined ? defaults[option] : `${option} ${before[option]}`
    throw new ShardbookError(
      'state',
      `openEngine: expected ${had}, as ${name} was opened with, got ${option} ${wanted[option]}.`,
      { hint: `An engine keeps its ${option} for the life of the process.` },
    )
  }
}

async function start(name: EngineName, options: EngineOptions): Promise<Engine> {
  switch (name) {
    case 'wasm':
      return (await import('./wasm/engine.js')).openWasm()
    case 'native': {
      const { openNative } = await import('./native/engine.js')
      return openNative(await nativeLibraries(), options)
    }
    case 'pjrt':
      return (await import('./pjrt/engine.js')).openPjrt(options)
    default:
      throw new ShardbookError('internal', `openEngine: unknown engine ${String(name satisfies never)}.`)
  }
}

async function nativeLibraries(): Promise<Libraries> {
  const [{ inspect }, { wheelOf }, { findStock }] = await Promise.all([
    import('./install/installation.js'),
    import('./install/catalog.js'),
    import('./install/stock.js'),
  ])
  const found = await inspect('native', wheelOf('native'))
  if (found.state === 'installed') return found.libraries
  const hint = 'Install it: shardbook engine install native.'
  if (found.state === 'absent') {
    const stock = findStock()
    if (stock !== undefined) return stock.libraries
    throw new ShardbookError('missing', `openEngine: expected the native engine in ${found.folder}, got none.`, {
      hint,
    })
  }
  throw new ShardbookError('engine', `openEngine: expected a whole engine in ${found.folder}, but ${found.reason}.`, {
    hint,
  })
}
