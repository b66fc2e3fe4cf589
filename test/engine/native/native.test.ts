/** What only the native engine has: handles of a library, and a process that must end well. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Rank, Tensor } from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Engine, type Program, loadTf, openEngine, record } from '../../../src/engine/index.js'
import type { NativeBackend } from '../../../src/engine/native/backend.js'
import { loadTensorFlow } from '../../../src/engine/native/c-api.js'
import { missing } from '../../needs.js'

describe.skipIf(missing('native') !== undefined)('the native engine', () => {
  let engine: Engine
  let tf: Awaited<ReturnType<typeof loadTf>>
  beforeAll(async () => {
    engine = await openEngine('native', { threads: 2 })
    tf = await loadTf()
  })
  const handles = (): number => (tf.backend() as NativeBackend).binding.getNumOfTensors()

  test('tells its version and threads', () => {
    expect(engine.description).toBe('TensorFlow 2.21.0, 2 threads')
  })

  test('frees every handle: of operations, of recording, of building and running programs', () => {
    const before = handles()
    tf.tidy(() => {
      const x = tf.ones<Rank.R2>([4, 3])
      const w = tf.variable(tf.ones<Rank.R2>([3, 2]))
      const trace = record(
        [
          { name: 'x', tensor: x, split: true },
          { name: 'w', tensor: w, split: false },
        ],
        () => [{ name: 'y', tensor: tf.softmax(tf.relu(tf.matMul(x, w))), merge: 'concat' }],
      )
      const program = engine.load(trace, { slices: 2 })
      const both = tf.concat([x, x])
      program.run([both, w])
      const running = handles()
      for (let i = 0; i < 3; i++) tf.dispose(program.run([both, w]))
      expect(handles()).toBe(running)
      program.dispose()
    })
    tf.disposeVariables()
    expect(handles()).toBe(before)
  })

  test('repeats what TensorFlow says when an operation fails, and goes on', () => {
    expect(() => tf.gather(tf.ones([2, 2]), tf.tensor1d([7], 'int32'))).toThrow(/indices\[0\] = 7 is not in \[0, 2\)/)
    expect(Array.from(tf.tidy(() => tf.add(1, 2).dataSync()))).toEqual([3])
  })

  test('strings of any length go in and out, and through operations', () => {
    const strings = ['', 'a', 'äöü€🎻', 'x'.repeat(23), 'y'.repeat(24), 'z'.repeat(100_000)]
    const read = tf.tidy(() => tf.concat([tf.tensor1d(strings.slice(0, 2)), tf.tensor1d(strings.slice(2))]).dataSync())
    expect(Array.from(read)).toEqual(strings)
  })

  test('frees strings', () => {
    const strings = Array.from({ length: 200 }, () => 's'.repeat(5000))
    const round = (): void => tf.tidy(() => void tf.concat([tf.tensor1d(strings), tf.tensor1d(strings)]).dataSync())
    for (let i = 0; i < 100; i++) round()
    const before = process.memoryUsage.rss()
    for (let i = 0; i < 100; i++) round() // 200 MB of strings given
    expect(process.memoryUsage.rss() - before).toBeLessThan(60e6)
  })

  test('a step that gathers by computed indices becomes a program', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([[3, 1, 2]])
      const trace = record([{ name: 'x', tensor: x, split: true }], () => [
        { name: 'best', tensor: tf.gather(tf.tensor1d([10, 20, 30]), tf.argMax(x, 1)), merge: 'concat' },
      ])
      const program = engine.load(trace, { slices: 2 })
      const [best] = program.run([tf.tensor2d([[0, 0, 1], [0, 1, 0]])]) // prettier-ignore
      expect(Array.from(best!.dataSync())).toEqual([30, 20])
      program.dispose()
    })
  })

  describe('a program that runs while JavaScript goes on', () => {
    const programOf = (x: Tensor, step: () => Tensor): Program => {
      const trace = record([{ name: 'x', tensor: x, split: false }], () => [
        { name: 'y', tensor: step(), merge: 'sum' },
      ])
      x.dispose()
      return engine.load(trace)
    }
    const cube = (size: number): Program => {
      const x = tf.zeros<Rank.R2>([size, size])
      return programOf(x, () => tf.matMul(tf.matMul(x, x), x))
    }

    test('returns before it is done; awaiting its values lets timers fire', async () => {
      const program = cube(1200)
      const x = tf.ones<Rank.R2>([1200, 1200])
      const [y] = program.run([x])
      let fired = 0
      const timer = setInterval(() => fired++, 1)
      const values = await y!.data()
      clearInterval(timer)
      expect(values[0]).toBe(1200 ** 2)
      expect(fired).toBeGreaterThan(0)
      tf.dispose([x, y!])
      program.dispose()
    })

    test('a tensor may be disposed while its values are on their way', async () => {
      const program = cube(300)
      const before = handles()
      const x = tf.ones<Rank.R2>([300, 300])
      const [y] = program.run([x])
      const reads = [y!.data(), y!.data()]
      tf.dispose([x, y!])
      expect((await Promise.all(reads)).map((values) => values[7])).toEqual([90_000, 90_000])
      expect(handles()).toBe(before)
      program.dispose()
    })

    test('tells when its result is read that it failed, and the next run is as if nothing had been', async () => {
      const i = tf.tensor1d([0], 'int32')
      const pick = programOf(i, () => tf.gather(tf.tensor1d([10, 20]), i))
      const [bad, good] = [tf.tensor1d([7], 'int32'), tf.tensor1d([1], 'int32')]
      for (const read of ['data', 'dataSync'] as const) {
        const [failed] = pick.run([bad])
        await expect((async () => failed![read]())()).rejects.toThrow(/indices\[0\] = 7 is not in \[0, 2\)/)
        const [y] = pick.run([good])
        expect(Array.from(await y!.data())).toEqual([20])
        tf.dispose([failed!, y!])
      }
      tf.dispose([bad, good])
      pick.dispose()
    })
  })

  test('a file that is no library is refused by its path', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shardbook-native-'))
    const path = join(folder, 'libtensorflow_cc.so.2')
    await writeFile(path, 'not a library')
    await expect(loadTensorFlow(path, { threads: 1, threadsPerOperation: 1, device: undefined })).rejects.toThrow(path)
    await rm(folder, { recursive: true })
  })

  test('one thread on the processor gives the numbers of several; a GPU that is not there is refused', async () => {
    const index = new URL('../../../dist/src/engine/index.js', import.meta.url).href
    const script = (options: object): string => `
      const { openEngine, loadTf, record } = await import(${JSON.stringify(index)})
      const engine = await openEngine('native', ${JSON.stringify(options)})
      const tf = await loadTf()
      const [w, x] = [tf.randomUniform([5, 3], -1, 1, 'float32', 1), tf.randomUniform([4, 5], -1, 1, 'float32', 2)]
      const given = [{ name: 'w', tensor: w, split: false }, { name: 'x', tensor: x, split: true }]
      const gradients = record(given, () => {
        const { value, grads } = tf.valueAndGrads((v) => tf.sum(tf.exp(tf.matMul(x, v))))([w])
        return [value, ...grads].map((tensor, i) => ({ name: '' + i, tensor, merge: 'sum' }))
      })
      const g = tf.ones([5, 3])
      const update = record([w, g].map((tensor, i) => ({ name: '' + i, tensor, split: false })), () => [
        { name: 'w', tensor: tf.sub(w, tf.mul(g, 0.1)), merge: 'sum' },
      ])
      const step = engine.loadStep({ gradients, update, reads: 1, results: 1 }, { slices: 2 })
      step.restore([w])
      const flat = new Float32Array(16)
      const rows = tf.randomUniform([8, 5], -1, 1, 'float32', 3)
      for (let i = 0; i < 3; i++) {
        await step.flatGradients([rows], flat)
        step.flatUpdate(flat, [])
        step.run([rows])
      }
      console.log([...flat, ...step.state()[0].dataSync()].join(' '))`
    const run = async (options: object): Promise<string> => {
      const parameters = ['--input-type=module', '-e', script(options)]
      return (await promisify(execFile)(process.execPath, parameters)).stdout
    }
    const expected = await run({ threads: 2 })
    expect(expected.split(' ')).toHaveLength(31)
    expect(await run({ threads: 1, threadsPerOperation: 1, device: 'cpu' })).toBe(expected)
    await expect(run({ device: 99 })).rejects.toThrow(/expected the GPU 99 of the engine native|device_list/)
  })

  test('a process that used it ends with its own exit code and prints nothing of TensorFlow', async () => {
    const index = new URL('../../../dist/src/engine/index.js', import.meta.url).href
    const script = `
      const { openEngine, loadTf } = await import(${JSON.stringify(index)})
      await openEngine('native', { threads: 1 })
      const tf = await loadTf()
      console.log(tf.add(1, 2).dataSync()[0])
      process.exitCode = 7`
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
    await expect(run).rejects.toMatchObject({ code: 7, stdout: '3\n', stderr: '' })
  })
})
