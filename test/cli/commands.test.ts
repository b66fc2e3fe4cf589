import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { shardbook } from './shardbook.js'

const home = mkdtempSync(join(tmpdir(), 'shardbook-doctor-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const spec = ['share', 'jupyter', 'kernels', 'shardbook', 'kernel.json']

interface Report {
  readonly version: string
  readonly ok: boolean
  readonly findings: readonly {
    readonly name: string
    readonly state: string
    readonly detail: string
    readonly todo?: string
  }[]
}

describe('shardbook doctor', () => {
  test('runs a cell, opens an engine, and says what to do about each thing that is missing', async () => {
    const env = { PATH: join(home, 'empty'), JUPYTER_DATA_DIR: home, SHARDBOOK_CACHE: home, SHARDBOOK_ENGINE: '' }
    const { code, stdout } = await shardbook(['doctor', '--json'], { env })
    const { ok, findings } = JSON.parse(stdout) as Report
    expect([code, ok]).toEqual([0, true])
    const states = Object.fromEntries(findings.map(({ name, state }) => [name, state]))
    expect(states).toEqual({
      'Node.js': 'ok',
      kernel: 'ok',
      devices: 'ok',
      GPUs: 'ok',
      'engine native': 'useful',
      'engine pjrt-cuda13': 'ok',
      'engine pjrt-cpu': 'ok',
      'engine wasm': 'ok',
      'in use': 'ok',
      Python: 'useful',
      JupyterLab: 'useful',
      kernelspec: 'useful',
      cache: 'ok',
      data: 'ok',
    })
    for (const { state, todo } of findings) expect(todo === undefined).toBe(state === 'ok')
    expect(findings.find(({ name }) => name === 'in use')?.detail).toMatch(/^wasm: /)
  })

  test('ends with 1 when notebooks cannot run', async () => {
    const { code, stdout } = await shardbook(['doctor'], { env: { SHARDBOOK_ENGINE: 'nonsense' } })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^MISSING +in use +.*got "nonsense"/m)
  })
})

describe('shardbook install', () => {
  test('puts the kernelspec where the options say, and uninstall takes it away again', async () => {
    const prefix = join(home, 'prefix')
    expect(await shardbook(['install', '--prefix', prefix])).toMatchObject({ code: 0, stderr: '' })
    const {
      argv,
      language,
      display_name: name,
    } = JSON.parse(readFileSync(join(prefix, ...spec), 'utf8')) as Record<string, unknown>
    expect([language, name]).toEqual(['typescript', 'TypeScript (Shardbook)'])
    expect(argv).toEqual([process.execPath, expect.stringContaining('main.js'), '{connection_file}'])
    expect(await shardbook(['uninstall', '--prefix', prefix])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('removed '),
    })
    expect(existsSync(join(prefix, ...spec))).toBe(false)

    const env = { JUPYTER_DATA_DIR: join(home, 'user') }
    expect(await shardbook(['install'], { env })).toMatchObject({ code: 0 })
    expect(existsSync(join(home, 'user', 'kernels', 'shardbook', 'kernel.json'))).toBe(true)
    expect(await shardbook(['uninstall', '--user'], { env })).toMatchObject({ code: 0 })
    expect(existsSync(join(home, 'user', 'kernels', 'shardbook'))).toBe(false)
  })
})

describe('shardbook engine', () => {
  test('lists the engines and names the nearest one', async () => {
    const { code, stdout } = await shardbook(['engine', 'list', '--json'])
    expect(code).toBe(0)
    expect((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)).toEqual([
      'native',
      'pjrt-cuda13',
      'pjrt-cpu',
      'wasm',
    ])
    expect(await shardbook(['engine', 'install', 'nativ'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean "native"?'),
    })
    expect(await shardbook(['engine', 'lst'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('shardbook engine list?'),
    })
  })
})

describe('shardbook lab', () => {
  test('says how to get JupyterLab where it is missing, and refuses what is no folder', async () => {
    const env = { PATH: join(home, 'empty') }
    expect(await shardbook(['lab', home], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('pip install jupyterlab'),
    })
    expect(await shardbook(['lab', join(home, 'none')])).toMatchObject({ code: 2 })
  })
})
