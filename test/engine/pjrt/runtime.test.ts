/** The runtime on a real plugin, that of the processor: opening, memory, the cache of programs, several devices, precision. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tensor } from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { TensorData } from '../../../src/core/dtype.js'
import { type Engine, openEngine, record } from '../../../src/engine/index.js'
import { checkVersion } from '../../../src/engine/pjrt/api.js'
import type { PjrtBackend } from '../../../src/engine/pjrt/backend.js'
import { Client } from '../../../src/engine/pjrt/client.js'
import { ExecutableCache } from '../../../src/engine/pjrt/executable-cache.js'
import { buildModule } from '../../../src/engine/pjrt/module.js'
import { findPlugin } from '../../../src/engine/pjrt/plugin.js'
import { PjrtStep, stepModule } from '../../../src/engine/pjrt/step.js'
import { type Tf, tfCore } from '../../../src/engine/tf.js'
import { missing } from '../../needs.js'
import { losses, modelStep } from './models.js'

describe.skipIf(missing('pjrt') !== undefined)('the pjrt runtime', () => {
  let engine: Engine
  let tf: Tf
  let backend: PjrtBackend
  let refused: unknown
  beforeAll(async () => {
    refused = await openEngine('pjrt', { device: 99 }).catch((error: unknown) => error) // before it is open
    engine = await openEngine('pjrt')
    tf = tfCore()
    backend = tf.engine().findBackend('pjrt') as PjrtBackend
  })
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  test('a device that is not there is refused with how many there are, and another can be opened', () => {
    expect(String(refused)).toMatch(/expected a device below \d+, got 99.*counted from 0/s)
  })

  test('tells its devices', () => {
    expect(engine.description).toMatch(/^XLA on cpu device 0 \(.+\), float32$/)
    expect(backend.client.deviceCount).toBeGreaterThan(0)
  })

  test.each([
    [0, 54],
    [1, 2],
  ])('a plugin of the API %i.%i is refused, with what to do', (major, minor) => {
    expect(() => checkVersion(major, minor, 'plugin.so')).toThrow(
      /got \d\.\d+ of plugin.so.*engine install pjrt-cuda13/s,
    )
    expect(() => checkVersion(0, 116, 'plugin.so')).not.toThrow()
  })

  test('a plugin that is not there, and a library that is none, are told', async () => {
    vi.stubEnv('SHARDBOOK_PJRT_PLUGIN', '/nowhere/plugin.so')
    await expect(findPlugin()).rejects.toMatchObject({ code: 'missing' })
    await expect(Client.open('libc.so.6')).rejects.toThrow(/libc.so.6/)
  })

  test('an engine keeps its device and precision', async () => {
    await expect(openEngine('pjrt', { device: 1 })).rejects.toMatchObject({ code: 'state' })
    await expect(openEngine('pjrt', { precision: 'bfloat16' })).rejects.toMatchObject({ code: 'state' })
    await expect(openEngine('pjrt', { precision: 'half' as never })).rejects.toMatchObject({ code: 'argument' })
  })

  test('a step whose operation has no lowering is refused with its name; at once it runs on the host', () => {
    const x = tf.ones<import('@tensorflow/tfjs-core').Rank.R4>([1, 2, 2, 3])
    const trace = record([{ name: 'x', tensor: x, split: false }], () => [
      { name: 'y', tensor: tf.localResponseNormalization(x, 1), merge: 'sum' },
    ])
    expect(() => engine.load(trace)).toThrow(/got LRN\(float32\[1, 2, 2, 3\]\).*native/s)
    expect(tf.tidy(() => tf.localResponseNormalization(x, 1).dataSync()).length).toBe(12)
    expect(Array.from(tf.tidy(() => tf.unique(tf.tensor1d([3, 1, 3])).values.dataSync()))).toEqual([3, 1])
    expect(tf.tidy(() => tf.concat([tf.tensor1d(['a']), tf.tensor1d(['b'])]).dataSync())).toEqual(['a', 'b'])
    x.dispose()
  })

  test('hundreds of steps leave as many buffers as the first', async () => {
    const model = modelStep(tf, 'CNN')
    const step = engine.loadStep(model.traces)
    const given = (data: readonly TensorData[]): Tensor[] =>
      data.map(({ values, shape, dtype }) => tf.tensor(values.slice(), [...shape], dtype))
    const state = given(model.state)
    step.restore(state)
    tf.dispose(state)
    const run = async (i: number): Promise<void> => {
      const inputs = given(model.batch(i % 4))
      const [loss] = step.run(inputs)
      await loss!.data()
      tf.dispose([...inputs, loss!])
    }
    for (let i = 0; i < 5; i++) await run(i)
    const before = [backend.client.live.size, engine.memory().tensors, backend.numDataIds()]
    for (let i = 5; i < 400; i++) await run(i)
    expect([backend.client.live.size, engine.memory().tensors, backend.numDataIds()]).toEqual(before)
    step.dispose()
  })

  test('the event loop goes on while a result is waited for', async () => {
    const x = tf.ones([1500, 1500])
    const y = tf.tidy(() => tf.matMul(tf.matMul(x, x), tf.matMul(x, x)))
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await y.data()
    clearInterval(timer)
    tf.dispose([x, y])
    expect(ticks).toBeGreaterThan(0)
  })

  test('programs are kept on disk; one that is damaged is compiled anew', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'shardbook-cache-'))
    const folder = join(parent, 'programs')
    try {
      const cache = new ExecutableCache(folder)
      const { path } = await findPlugin()
      const client = await Client.open(path, { cache })
      const module = buildModule([{ shape: [2], element: 'f32' }], (b, [x]) => [b.binary('add', x!, x!)])
      const values = (executable: ReturnType<Client['compile']>): number[] => {
        const input = client.upload(Float32Array.of(1, 2.5), [2], 'float32')
        const [[output]] = client.execute(executable, [[input]]) as [[NonNullable<ReturnType<Client['execute']>[0]>[0]]]
        const into = new Float32Array(2)
        client.downloadSync(output, [2], into)
        input.release()
        output.release()
        return Array.from(into)
      }
      expect(values(client.compile(module))).toEqual([2, 5])
      expect(statSync(folder).mode & 0o777).toBe(0o700) // what lies there is run
      const [stored] = readdirSync(folder)
      expect(values(client.compile(module))).toEqual([2, 5])
      writeFileSync(join(folder, stored!), 'damaged')
      expect(values(client.compile(module))).toEqual([2, 5])
      expect(readdirSync(folder)).toEqual([stored])
      expect(client.live.size).toBe(0)
    } finally {
      rmSync(parent, { recursive: true })
    }
  })

  test.each([2, 4])('%i devices together give the loss and gradients of the whole batch', async (devices) => {
    const { path } = await findPlugin()
    const client = await Client.open(path)
    expect(client.deviceCount).toBeGreaterThanOrEqual(devices)
    const name = 'residual CNN with batch normalisation' // sums over the batch on the way too
    const model = modelStep(tf, name, devices)
    const { traces, state } = model
    const upload = ({ values, shape, dtype }: TensorData, device: number) => client.upload(values, shape, dtype, device)
    const weights = state.slice(0, traces.reads)
    const inputs = model.batch(1).slice(0, traces.gradients.inputs.length - traces.reads)
    const share = (data: TensorData, i: number, device: number): TensorData => {
      if (!traces.gradients.inputs[traces.reads + i]!.split) return data
      const rows = data.shape[0]! / devices
      const width = data.values.length / data.shape[0]!
      const part = data.values.slice(device * rows * width, (device + 1) * rows * width)
      return { ...data, shape: [rows, ...data.shape.slice(1)], values: part }
    }
    const results = client.execute(
      client.compile(stepModule(traces, 'flatGradients', { replicas: devices })),
      [...Array(devices).keys()].map((device) =>
        [...weights, ...inputs.map((data, i) => share(data, i, device))].map((data) => upload(data, device)),
      ),
    )
    const whole = modelStep(tf, name)
    const expected = client.execute(client.compile(stepModule(whole.traces, 'flatGradients')), [
      [...weights, ...inputs].map((data) => upload(data, 0)),
    ])
    const read = ([flat]: (typeof results)[number]): Float32Array => {
      const into = new Float32Array(flat!.bytes / 4)
      client.downloadSync(flat!, [into.length], into)
      return into
    }
    const sum = read(expected[0]!)
    for (const result of results) {
      for (const [i, value] of read(result).entries())
        expect(Math.abs(value - sum[i]!)).toBeLessThan(1e-5 * Math.max(1, Math.abs(sum[i]!)))
    }
  })

  test.each(['CNN', 'transformer block'])('%s: trains in bfloat16 with weights in single precision', async (name) => {
    const model = modelStep(tf, name)
    const single = await losses(engine, model, 20)
    const loadStep: Engine['loadStep'] = (traces) => new PjrtStep(traces, backend, { precision: 'bfloat16' })
    const lower = await losses({ ...engine, loadStep }, model, 20)
    for (const [i, loss] of lower.entries()) expect(Math.abs(loss - single[i]!) / single[i]!).toBeLessThan(0.05)
    expect(lower).not.toEqual(single)
  })
})
