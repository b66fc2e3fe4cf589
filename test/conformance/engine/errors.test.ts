/** Bad input to eager operations: a clear error, the same on every engine, and the engine goes on. */
import { beforeAll, expect, test } from 'vitest'
import { type Tf, open } from './engines.js'
import { onAllEngines } from '../../nn/on-engines.js'

onAllEngines('bad input', (name) => {
  let tf: Tf
  beforeAll(async () => {
    ;({ tf } = await open(name))
  })
  /** The error of `work`; nothing is left behind, and the engine still computes. */
  const failure = (work: () => unknown): { code: string; message: string } => {
    const before = tf.memory().numTensors
    try {
      tf.tidy(() => void work())
    } catch (error) {
      expect(tf.memory().numTensors).toBe(before)
      expect(Array.from(tf.tidy(() => tf.add([1, 2], [3, 4]).dataSync()))).toEqual([4, 6])
      return error as { code: string; message: string }
    }
    throw new Error('expected an error')
  }

  test('a kernel that nobody has is named with its inputs', () => {
    const error = failure(() => tf.engine().runKernel('NoSuchKernel', { x: tf.ones([2, 3]), i: tf.scalar(1, 'int32') }))
    expect(error).toMatchObject({ code: 'engine', name: 'ShardbookError' })
    expect(error.message).toMatch(/^NoSuchKernel\(float32\[2, 3\], int32\[\]\): .*registered/)
  })

  test('a disposed tensor is told apart from the others', () => {
    const gone = tf.ones([2, 2])
    gone.dispose()
    const error = failure(() => tf.matMul(tf.ones([3, 2]), gone))
    expect(error.code).toBe('engine')
    expect(error.message).toMatch(/^BatchMatMul: expected live tensors, got .*, disposed float32\[/)
    expect(failure(() => gone.dataSync()).message).toMatch(/disposed/)
  })

  test('more memory than there is: the error names the kernel and the shape', () => {
    const error = failure(() => tf.matMul(tf.ones([2 ** 20, 1]), tf.ones([1, 2 ** 20])))
    expect(error.code).toBe('engine')
    expect(error.message).toMatch(/^(Batch)?MatMul.*1048576, ?1048576/)
  })

  test('shapes that do not fit are named', () => {
    expect(failure(() => tf.matMul(tf.ones([2, 3]), tf.ones([2, 3]))).message).toMatch(/2,3/)
    expect(failure(() => tf.concat([tf.ones([2, 3]), tf.ones([2, 4])], 0)).message).toMatch(/2,4/)
  })
})
