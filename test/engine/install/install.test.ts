/** Installs that go wrong: each has a clear error and leaves nothing behind. The one that goes well is part of `npm test`'s set-up. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { installEngine, listEngines, openEngine, removeEngine } from '../../../src/engine/index.js'
import { wheelOf } from '../../../src/engine/install/catalog.js'
import { enginesDir, sha256 } from '../../../src/engine/install/installation.js'

const wheel = wheelOf('native')

describe('installEngine', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'shardbook-install-'))
    vi.stubEnv('SHARDBOOK_CACHE', join(folder, 'cache'))
    vi.stubEnv('PIP_CONFIG_FILE', '/dev/null')
    vi.stubEnv('PIP_FIND_LINKS', '')
    vi.stubEnv('PIP_RETRIES', '0')
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Puts a program of that name on an otherwise empty PATH. */
  function program(name: string, script: string): void {
    const bin = join(folder, 'bin')
    mkdirSync(bin, { recursive: true })
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
    vi.stubEnv('PATH', bin)
  }

  const left = (): string[] => (existsSync(enginesDir()) ? readdirSync(enginesDir()) : [])

  /** An installed engine of the right wheel, with small files in place of the libraries. */
  async function pretend(): Promise<string> {
    const home = enginesDir(`native-${wheel.version}`)
    mkdirSync(home, { recursive: true })
    const files = []
    for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']) {
      writeFileSync(join(home, name), `contents of ${name}`)
      files.push({ name, sizeBytes: `contents of ${name}`.length, sha256: await sha256(join(home, name)) })
    }
    const manifest = { engine: 'native', version: wheel.version, wheel: wheel.sha256, files }
    writeFileSync(join(home, 'manifest.json'), JSON.stringify(manifest))
    return home
  }

  test('refuses an engine that it does not know', async () => {
    await expect(installEngine('nativ')).rejects.toThrow('Did you mean "native"?')
    await expect(removeEngine('wasm')).rejects.toMatchObject({ code: 'argument' })
  })

  test('says that Python is missing', async () => {
    vi.stubEnv('PATH', folder)
    await expect(installEngine('native')).rejects.toThrow(/got no python3 on the PATH.*Install Python 3 with pip/)
    expect(left()).toEqual([])
  })

  test('says that pip is missing', async () => {
    program('python3', 'case "$*" in *pip*) echo "No module named pip" >&2; exit 1;; *) echo 3;; esac')
    await expect(installEngine('native')).rejects.toThrow(/got python3 without pip.*python3-pip/)
    expect(left()).toEqual([])
  })

  test('says that the network is missing, and how to do without', async () => {
    vi.stubEnv('PIP_INDEX_URL', 'http://127.0.0.1:9/simple')
    vi.stubEnv('PIP_RETRIES', '1')
    await expect(installEngine('native')).rejects.toThrow(/pip to reach its index.*PIP_FIND_LINKS/)
    expect(left()).toEqual([])
  })

  test("passes on pip's own words for anything else", async () => {
    program('python3', 'case "$*" in *download*) echo "ERROR: no such thing" >&2; exit 1;; *) echo 3;; esac')
    await expect(installEngine('native')).rejects.toThrow(/ERROR: no such thing/)
    expect(left()).toEqual([])
  })

  test('refuses a wheel with another checksum, and cleans up after installers that died', async () => {
    const script = `
import sys, zipfile
info = 'tensorflow-${wheel.version}.dist-info/'
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    z.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: tensorflow\\nVersion: ${wheel.version}\\n')
    z.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: false\\nTag: cp311-cp311-${wheel.platform}\\n')
    z.writestr(info + 'RECORD', '')
`
    const file = `tensorflow-${wheel.version}-cp311-cp311-${wheel.platform}.whl`
    execFileSync('python3', ['-c', script, join(folder, file)])
    vi.stubEnv('PIP_NO_INDEX', '1')
    vi.stubEnv('PIP_FIND_LINKS', folder)
    const { pid } = spawnSync('true')
    mkdirSync(enginesDir(`.native-${pid}-1234`, 'download'), { recursive: true })
    const lines: string[] = []
    const install = installEngine('native', { progress: (line) => lines.push(line) })
    await expect(install).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining(wheel.sha256) as string,
    })
    const told = lines.filter((line) => !line.startsWith('downloaded'))
    expect(told).toEqual([expect.stringContaining('downloading tensorflow'), 'verifying'])
    expect(left()).toEqual([])
  })

  test('says that the cache cannot be written', async () => {
    writeFileSync(join(folder, 'cache'), 'a file where the folder should be')
    await expect(installEngine('native')).rejects.toThrow(/SHARDBOOK_CACHE/)
  })

  test('does nothing when the engine is there, and needs no Python for it', async () => {
    const home = await pretend()
    vi.stubEnv('PATH', folder)
    expect(await installEngine('native')).toBe(home)
  })

  test('an engine without the libraries for GPUs is not the one with them', async () => {
    await pretend()
    vi.stubEnv('PATH', folder)
    const isForGpus = `${process.platform}-${process.arch}` === 'linux-x64'
    const refusal = isForGpus ? /no python3 on the PATH/ : /Leave --gpu out/ // the first because it wants to download
    await expect(installEngine('native', { gpu: true })).rejects.toThrow(refusal)
  })

  test('lists what is there and finds damage', async () => {
    const [absent] = await listEngines()
    expect(absent).toEqual({
      name: 'native',
      installed: false,
      detail: 'shardbook engine install native',
      reason: 'not installed',
    })
    const home = await pretend()
    expect((await listEngines())[0]).toMatchObject({ installed: true, detail: `${wheel.version} in ${home}` })
    expect((await listEngines()).at(-1)).toMatchObject({ name: 'wasm', installed: true })

    const library = join(home, 'libtensorflow_cc.so.2')
    writeFileSync(library, 'CONTENTS of libtensorflow_cc.so.2') // as long as before
    expect((await listEngines())[0]).toMatchObject({ installed: false, reason: 'libtensorflow_cc.so.2 has changed' })
    await expect(openEngine('native')).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringContaining(library) as string,
    })

    writeFileSync(library, 'short')
    expect((await listEngines())[0]?.reason).toMatch(/should have 33 bytes and has 5/)
    await expect(openEngine('native')).rejects.toThrow(/should have 33 bytes.*shardbook engine install native/)

    writeFileSync(join(home, 'manifest.json'), '{')
    expect((await listEngines())[0]?.reason).toBe('its manifest is not JSON')
  })

  test('removes an engine, once', async () => {
    await pretend()
    expect(await removeEngine('native')).toBe(true)
    expect(left()).toEqual([])
    expect(await removeEngine('native')).toBe(false)
  })
})
