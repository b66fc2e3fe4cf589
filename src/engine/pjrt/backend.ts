/**
 * TensorFlow.js's backend over a PJRT client. A tensor's values are on the host, on the device, or deferred: what a kernel call
 * will give. A call is deferred first and then computed, except while a step is being recorded: nobody needs values then, and
 * each call would be compiled by itself. What is still alive of a recording and read later is computed as one program.
 *
 * An entry lives as long as TensorFlow.js refers to it or a deferred call needs it.
 */
import type { BackendValues, DataType, KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { isRecording } from '../record.js'
import { tfCore } from '../tf.js'
import type { Client, DeviceType, Executable, HostValues } from './client.js'
import type { DeviceBuffer } from './device-buffer.js'
import { type Deferred, type Entry, dtypeOf, mapInputs, named, shapesOf } from './entry.js'
import { type Value, elementOf } from './lower/builder.js'
import { type LowerOptions, lowerCall } from './lower/index.js'
import type { Given } from './lower/lowering.js'
import { type Module, buildModule } from './module.js'

export const pjrtBackend = 'pjrt'

export interface PjrtBackend extends KernelBackend {
  readonly client: Client
  entryOf(tensor: Pick<TensorInfo, 'dataId'>): Entry
  /** The values on the device; put there, or computed, if they are not yet. The entry keeps the buffer. */
  bufferOf(entry: Entry): DeviceBuffer
  /** A tensor of a buffer, which it takes over. */
  adopt(device: DeviceBuffer, shape: readonly number[], dtype: DataType): TensorInfo
  run(
    given: Omit<Given, 'inputs'>,
    inputs: Readonly<Record<string, TensorInfo | readonly TensorInfo[] | undefined>>,
  ): TensorInfo[]
  /** A program of this text, compiled once. */
  executableOf(module: Module): Executable
  readSync(id: object): BackendValues
}

const maxPrograms = 512
const largeSize = 2 ** 28

const hostArrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

export function createBackend(client: Client, options: LowerOptions): PjrtBackend {
  const tf = tfCore()
  const entries = new Map<object, Entry>()
  const deferred = new Set<Deferred>()
  const programs = new Map<string, Executable>()

  const typeOfEntry = ({ dtype }: Entry): DeviceType => {
    if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype
    throw new ShardbookError('engine', `run: expected tensors of float32, int32 or bool on pjrt, got ${dtype}.`)
  }
  const made = (entry: Entry): TensorInfo => {
    const dataId = {}
    entries.set(dataId, entry)
    return { dataId, shape: [...entry.shape], dtype: entry.dtype }
  }
  const inputEntries = ({ inputs }: Deferred): Entry[] => Object.values(inputs).flatMap<Entry>((input) => input ?? [])
  const settle = (call: Deferred): void => {
    if (!deferred.delete(call)) return
    for (const output of call.outputs) delete output.deferred
    for (const entry of inputEntries(call)) {
      entry.holds--
      collect(entry)
    }
  }
  /** Frees what nobody refers to any more. */
  const collect = (entry: Entry): void => {
    if (entry.refs > 0 || entry.holds > 0) return
    const call = entry.deferred
    if (call !== undefined) {
      if (call.outputs.every(({ refs, holds }) => refs === 0 && holds === 0)) settle(call)
      return
    }
    entry.device?.release()
    delete entry.device
    delete entry.host
  }
  const bufferOf = (entry: Entry): DeviceBuffer => {
    if (entry.deferred !== undefined) computeDeferred()
    if (entry.device !== undefined) return entry.device
    const type = typeOfEntry(entry)
    if (entry.host === undefined) throw new ShardbookError('engine', 'run: expected a live tensor, got a disposed one.')
    entry.device = client.upload(hostArrays[type].from(entry.host as ArrayLike<number>), entry.shape, type)
    return entry.device
  }
  const executableOf = (module: Module): Executable => {
    const known = programs.get(module.text)
    if (known !== undefined) {
      programs.delete(module.text)
      programs.set(module.text, known) // used last
      return known
    }
    if (programs.size >= maxPrograms) {
      const [oldest, executable] = programs.entries().next().value!
      programs.delete(oldest)
      client.destroyExecutable(executable)
    }
    const executable = client.compile(module)
    programs.set(module.text, executable)
    return executable
  }

  /** Computes everything deferred that is still referred to, as one program. */
  const computeDeferred = (): void => {
    const calls = [...deferred]
    const wanted = calls.flatMap(({ outputs }) => outputs.filter(({ refs }) => refs > 0))
    const known = new Set(calls.flatMap(({ outputs }) => outputs))
    const leaves = [...new Set(calls.flatMap(inputEntries))].filter((entry) => !known.has(entry))
    const buffers = leaves.map(bufferOf)
    const module = buildModule(
      leaves.map((entry) => ({ shape: entry.shape, element: elementOf[typeOfEntry(entry)] })),
      (b, parameters) => {
        const values = new Map<Entry, Value>(leaves.map((entry, i) => [entry, parameters[i]!]))
        for (const call of calls) {
          const results = lowerCall(
            b,
            { ...call.given, inputs: mapInputs(call.inputs, (entry) => values.get(entry)!) },
            options,
          )
          for (const [i, output] of call.outputs.entries()) {
            values.set(output, b.convert(results[i]!, elementOf[typeOfEntry(output)]))
          }
        }
        return wanted.map((entry) => values.get(entry)!)
      },
    )
    const [results] = client.execute(executableOf(module), [buffers], [])
    for (const [i, entry] of wanted.entries()) entry.device = results![i]!
    for (const call of calls) settle(call)
  }

  const read = (entry: Entry): { buffer: DeviceBuffer; into: HostValues } => {
    const buffer = bufferOf(entry)
    const into = new hostArrays[typeOfEntry(entry)](sizeOf(entry.shape))
    return { buffer, into }
  }
  const entryOf = ({ dataId }: Pick<TensorInfo, 'dataId'>): Entry => {
    const entry = entries.get(dataId)
    if (entry !== undefined) return entry
    throw new ShardbookError('engine', 'pjrt engine: expected a live tensor, got a disposed one.')
  }

  class Backend extends tf.KernelBackend implements PjrtBackend {
    readonly client = client
    readonly entryOf = entryOf
    readonly bufferOf = bufferOf
    readonly executableOf = executableOf

    adopt(device: DeviceBuffer, shape: readonly number[], dtype: DataType): TensorInfo {
      return made({ shape, dtype, device, refs: 1, holds: 0 })
    }

    run(given: Omit<Given, 'inputs'>, inputs: Parameters<PjrtBackend['run']>[1]): TensorInfo[] {
      const taken = mapInputs(inputs, entryOf)
      const outputs = shapesOf(given, taken, options).map(({ shape, element }): Entry => ({
        shape,
        dtype: dtypeOf(element),
        refs: 1,
        holds: 0,
      }))
      const call: Deferred = { given, inputs: taken, outputs }
      for (const entry of inputEntries(call)) entry.holds++
      for (const output of outputs) output.deferred = call
      deferred.add(call)
      try {
        if (!isRecording()) {
          computeDeferred()
          // What may not fit is waited for: its failure belongs here.
          if (outputs.some(({ shape }) => sizeOf(shape) > largeSize)) client.finish()
        }
      } catch (error) {
        for (const output of outputs) output.refs = 0
        for (const output of outputs) collect(output)
        throw named(error, call)
      }
      return outputs.map(made)
    }

    override write(host: BackendValues, shape: number[], dtype: DataType): object {
      return made({ shape, dtype, host, refs: 1, holds: 0 }).dataId
    }

    override move(dataId: object, host: BackendValues, shape: number[], dtype: DataType, refs: number): void {
      entries.set(dataId, { shape, dtype, host, refs, holds: 0 })
    }

    override readSync(dataId: object): BackendValues {
      const entry = entryOf({ dataId })
      if (entry.host !== undefined) return entry.host
      const { buffer, into } = read(entry)
      client.downloadSync(buffer, entry.shape, into)
      return into
    }

    override async read(dataId: object): Promise<BackendValues> {
      const entry = entryOf({ dataId })
      if (entry.host !== undefined) return entry.host
      const { buffer, into } = read(entry)
      await client.download(buffer, entry.shape, into)
      return into
    }

    override incRef(dataId: object): void {
      entryOf({ dataId }).refs++
    }

    override refCount(dataId: object): number {
      return entries.get(dataId)?.refs ?? 0
    }

    override disposeData(dataId: object, force = false): boolean {
      const entry = entries.get(dataId)
      if (entry === undefined) return true
      entry.refs = force ? 0 : entry.refs - 1
      if (entry.refs > 0) return false
      entries.delete(dataId)
      collect(entry)
      return true
    }

    override numDataIds(): number {
      return entries.size
    }

    override memory(): { unreliable: boolean } {
      return { unreliable: false }
    }

    override floatPrecision(): 16 | 32 {
      return 32
    }

    override epsilon(): number {
      return 1e-7
    }

    override timerAvailable(): boolean {
      return false
    }

    override dispose(): void {
      client.finish()
    }
  }
  return new Backend()
}
