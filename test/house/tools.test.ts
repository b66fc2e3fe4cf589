/** The tools that set up and count: what they do when things are missing, half made or broken. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isBuilt, markBuilt } from '../../tools/built.mjs'
import { endLeftovers } from '../../tools/leftovers.mjs'
import { pythonEnv } from '../../tools/python-env.mjs'
import { tallyTypeTests, tallyVitest } from '../../tools/tally.mjs'
import { missing } from '../needs.js'

const run = promisify(execFile)

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'shardbook-tools-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

describe('the Python environment', () => {
  const make = (cache: string, text: string, python = 'python3') => {
    const requirements = join(cache, 'requirements.txt')
    writeFileSync(requirements, text)
    const log: string[] = []
    return { log, path: pythonEnv({ requirements, cache, python, log: (line) => log.push(line) }) }
  }

  it.skipIf(missing('python') !== undefined)(
    'is made once by concurrent callers, and anew when half made',
    async () => {
      const cache = folder()
      const makers = [make(cache, 'six==1.17.0\n'), make(cache, 'six==1.17.0\n')]
      const [path = '', again] = await Promise.all(makers.map((maker) => maker.path))
      expect(again).toBe(path)
      expect(makers.flatMap((maker) => maker.log)).toHaveLength(1)
      expect((await run(path, ['-c', 'import six; print(six.__version__)'])).stdout).toBe('1.17.0\n')

      const environment = dirname(dirname(path))
      rmSync(join(environment, '.complete'))
      writeFileSync(`${environment}.lock`, '999999999') // its maker died
      const anew = make(cache, 'six==1.17.0\n')
      expect(await anew.path).toBe(path)
      expect(anew.log).toHaveLength(1)
      expect(existsSync(join(environment, '.complete'))).toBe(true)
    },
  )

  it('says what to install when there is no Python', async () => {
    await expect(make(folder(), 'six==1.17.0\n', 'no-such-python').path).rejects.toThrow(
      'python-env: expected a Python 3 with venv. No `no-such-python` on the PATH',
    )
  })

  it.skipIf(missing('python') !== undefined)('keeps no environment whose packages could not be installed', async () => {
    const cache = folder()
    await expect(make(cache, 'six==0.0.0.1\n').path).rejects.toThrow(/pip could not install .*six==0\.0\.0\.1/s)
    expect(readdirSync(cache, { recursive: true }).filter((path) => String(path).endsWith('.complete'))).toEqual([])
    expect(readdirSync(cache).filter((path) => path.endsWith('.lock'))).toEqual([])
  })
})

describe('the stamp of a build', () => {
  it('holds until a source changes, and not without dist', () => {
    const root = folder()
    mkdirSync(join(root, 'src/core'), { recursive: true })
    mkdirSync(join(root, 'dist'))
    writeFileSync(join(root, 'src/core/a.ts'), 'export const a = 1\n')
    expect(isBuilt(root)).toBe(false)
    markBuilt(root)
    expect(isBuilt(root)).toBe(true)
    writeFileSync(join(root, 'src/core/b.ts'), '')
    expect(isBuilt(root)).toBe(false)
    markBuilt(root)
    rmSync(join(root, 'dist'), { recursive: true })
    expect(isBuilt(root)).toBe(false)
  })
})

describe('the tally of a test run', () => {
  const report = (...statuses: string[]) =>
    JSON.stringify({
      testResults: [
        {
          name: '/p/test/a.test.ts',
          status: statuses.includes('failed') || statuses.length === 0 ? 'failed' : 'passed',
          assertionResults: statuses.map((status, i) => ({ status, fullName: `does ${i}` })),
        },
      ],
    })

  it('counts, and names what was skipped', () => {
    expect(tallyVitest(report('passed', 'failed', 'skipped', 'todo', 'passed'), 1, '/p')).toEqual({
      passed: 2,
      failed: 1,
      skipped: ['test/a.test.ts > does 2', 'test/a.test.ts > does 3'],
    })
  })

  it('counts a file that cannot be loaded, and an error outside of tests, as a failure', () => {
    expect(tallyVitest(report(), 1, '/p')).toEqual({ passed: 0, failed: 1, skipped: [] })
    expect(tallyVitest(report('passed'), 1, '/p')).toEqual({ passed: 1, failed: 1, skipped: [] })
    expect(tallyVitest(report('passed'), 0, '/p')).toEqual({ passed: 1, failed: 0, skipped: [] })
  })

  it('counts a type test as failed when the compiler finds something in it', () => {
    const files = ['test/a.test-d.ts', 'test/b.test-d.ts']
    expect(tallyTypeTests(files, 'test/b.test-d.ts(3,1): error TS2578: Unused', 2)).toEqual({
      passed: 1,
      failed: 1,
      skipped: [],
    })
    expect(tallyTypeTests(files, 'src/x.ts(3,1): error TS1', 2)).toEqual({ passed: 2, failed: 1, skipped: [] })
    expect(tallyTypeTests(files, '', 0)).toEqual({ passed: 2, failed: 0, skipped: [] })
  })
})

describe.skipIf(process.platform !== 'linux')('what a test run leaves behind', () => {
  it('is named and ended, and nothing else is', async () => {
    const start = (mark: string) =>
      spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { env: { MARK: mark }, stdio: 'ignore' })
    const [ours, other] = [start('here'), start('there')]
    await Promise.all([once(ours, 'spawn'), once(other, 'spawn')])
    const gone = once(ours, 'exit')
    expect(await endLeftovers('MARK=here', 0)).toEqual([
      expect.stringMatching(new RegExp(`^process ${ours.pid} was left running: .*setInterval`)),
    ])
    expect(await gone).toEqual([null, 'SIGKILL'])
    expect(await endLeftovers('MARK=here', 0)).toEqual([])
    expect(other.exitCode ?? other.signalCode).toBeNull()
    other.kill('SIGKILL')
    await once(other, 'exit')
  })
})
