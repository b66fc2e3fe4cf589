/** Jupyter's own suite for kernels passes whole: nothing in it is skipped. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { pythonEnv } from '../../../tools/python-env.mjs'
import { missing } from '../../needs.js'

const folder = mkdtempSync(join(tmpdir(), 'shardbook-kernel-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.skipIf(missing('python'))(
  'jupyter_kernel_test passes whole',
  async () => {
    const { installKernelspec } = (await import(
      resolve('dist/kernel/install.js')
    )) as typeof import('../../../kernel/install.js')
    const kernels = join(folder, 'kernels')
    await installKernelspec({ dir: join(kernels, 'shardbook') })
    const python = await pythonEnv()
    const report = await new Promise<string>((done) => {
      const env = { ...process.env, SHARDBOOK_CACHE: join(folder, 'cache') }
      const program = resolve(import.meta.dirname, 'kernel_test.py')
      execFile(python, [program, kernels], { cwd: folder, env }, (_error, _stdout, stderr) => done(stderr))
    })
    expect(report).toMatch(/\nRan 13 tests in [\d.]+s\n\nOK\n$/)
  },
  120_000,
)
