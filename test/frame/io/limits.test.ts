/** What happens to files and queries when something from outside comes in between: kills, full disks, interrupts. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { hostSymbol, terminalHost, type Host } from '../../../src/core/host.js'
import { memoryLimit } from '../../../src/frame/engine/duckdb/memory-limit.js'
import { col, frame, read } from '../../../src/frame/index.js'

const library = new URL('../../../dist/src/index.js', import.meta.url).href
/** Rows beyond number: whoever asks for all of them must be stopped. */
function endless() {
  const base = frame({ k: new Int32Array(1500).fill(1), x: Float64Array.from({ length: 1500 }, (_, i) => i) })
  return base.join(base, { on: 'k' }).join(base.rename({ x: 'y' }), { on: 'k' })
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limits-'))
})
afterAll(async () => rm(folder, { recursive: true }))

describe('a writer that is killed', () => {
  test('leaves what was there before, and the next writer cleans up', async () => {
    const path = join(folder, 'kept.parquet')
    await frame({ a: [1] }).write.parquet(path)
    const before = await readFile(path)
    const program = `
      import { frame } from ${JSON.stringify(library)}
      const base = frame({ k: new Int32Array(5000).fill(1), x: Float64Array.from({ length: 5000 }, Math.random) })
      await base.join(base, { on: 'k' }).write.parquet(${JSON.stringify(path)})`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' })
    const exited = once(child, 'exit')
    const halves = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.includes('.part-'))
    while ((await halves()).length === 0) {
      if (child.exitCode !== null) throw new Error('The writer was done before it could be killed.')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    child.kill('SIGKILL')
    await exited
    expect((await halves()).length).toBe(1)
    expect((await readFile(path)).equals(before)).toBe(true)
    expect(await (await read.parquet(folder)).toRows()).toEqual([{ a: 1 }])
    await frame({ a: [2] }).write.parquet(path)
    expect(await halves()).toEqual([])
    expect(await (await read.parquet(path)).toRows()).toEqual([{ a: 2 }])
  })

  test('a folder is replaced as a whole', async () => {
    const path = join(folder, 'parts')
    await frame({ k: ['a', 'b'], x: [1, 2] }).write.parquet(path, { partitionBy: ['k'] })
    await frame({ k: ['c', null], x: [3, 4] }).write.parquet(path, { partitionBy: ['k'], compression: 'zstd' })
    expect(await (await read.parquet(path)).sort('x').toRows()).toEqual([
      { x: 3, k: 'c' },
      { x: 4, k: null },
    ])
    await expect(frame({ a: [1] }).write.parquet(path, { partitionBy: ['b'] })).rejects.toThrow(/no column 'b'/)
    const broken = frame({ k: ['a', 'x'] }).select({ k: col('k'), n: col('k').cast('number') })
    await expect(broken.write.parquet(path, { partitionBy: ['k'] })).rejects.toThrow(
      /expected a number in column 'k', got '[ax]'/,
    )
    expect(await (await read.parquet(path)).count()).toBe(2)
    expect((await readdir(folder)).filter((name) => name.startsWith('parts'))).toEqual(['parts'])
  })
})

describe('a disk that is full', () => {
  const isRoot = process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0
  test.skipIf(!isRoot)('while a query spills to it: the error says so', async () => {
    const small = await mkdtemp(join(folder, 'small-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', small])
    const program = `
      import { frame } from ${JSON.stringify(library)}
      const base = frame({ k: new Int32Array(5000).fill(1), x: Float64Array.from({ length: 5000 }, (_, i) => i) })
      await base.join(base, { on: 'k' }).sort('x_right', 'x').write.parquet(${JSON.stringify(join(folder, 'sorted.parquet'))}).catch((error) => {
        console.log(error.code + ' ' + error.message)
      })`
    try {
      const env = { ...process.env, SHARDBOOK_CACHE: small, SHARDBOOK_MEMORY: '150MB' }
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { env, encoding: 'utf8' })
      expect(stdout).toMatch(/^io .*The disk is full: free some space, or point SHARDBOOK_CACHE to another disk/)
    } finally {
      execFileSync('umount', [small])
    }
    expect((await readdir(folder)).filter((name) => name.startsWith('sorted'))).toEqual([])
  })

  test.skipIf(!isRoot)('while a file is written to it: the error names the file, and nothing is left', async () => {
    const small = await mkdtemp(join(folder, 'target-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small])
    try {
      const df = frame({ x: Float64Array.from({ length: 300_000 }, (_, i) => Math.sin(i)) })
      for (const format of ['parquet', 'csv', 'ndjson', 'arrow'] as const) {
        await expect(df.write[format](join(small, `x.${format}`))).rejects.toThrow(
          new RegExp(`/x\\.${format}(?:"|\\. ).*The disk is full: free some space`),
        )
        expect(await readdir(small)).toEqual([])
      }
    } finally {
      execFileSync('umount', [small])
    }
  })

  test('the memory that a query takes before it spills is a setting', () => {
    expect(memoryLimit('2GiB')).toBe('2048MiB')
    expect(memoryLimit('1 GB')).toBe('953MiB')
    expect(memoryLimit('50%')).toMatch(/^\d+MiB$/)
    expect(memoryLimit(undefined)).toMatch(/^\d+MiB$/)
    for (const odd of ['1', '12 parsecs', '1kB', '-3GiB']) {
      expect(() => memoryLimit(odd)).toThrow(/expected SHARDBOOK_MEMORY to be at least 64MiB/)
    }
  })
})

describe('cancelling', () => {
  let previous: Host | undefined
  const holder = globalThis as { [hostSymbol]?: Host }
  afterEach(() => {
    if (previous !== undefined) holder[hostSymbol] = previous
    previous = undefined
  })

  test('a signal ends every end, and the frame can be used again', async () => {
    const df = endless()
    const csv = join(folder, 'never.csv')
    const ends: readonly ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal) => df.collect({ signal }),
      (signal) => df.toColumns({ signal }),
      (signal) => df.toArrow({ signal }),
      (signal) => df.filter(col('x').add(col('y')).gt(1e9)).count({ signal }),
      (signal) => df.sort('y').show(3, { signal }),
      (signal) => df.write.csv(csv, { signal }),
      (signal) => df.write.arrow(csv, { signal }),
      (signal) => df.batches({ rows: 10, signal }).next(),
    ]
    for (const end of ends) {
      const controller = new AbortController()
      const ended = end(controller.signal)
      setImmediate(() => controller.abort())
      await expect(ended).rejects.toMatchObject({ code: 'interrupted' })
    }
    expect((await readdir(folder)).filter((name) => name === 'never.csv')).toEqual([])
    await expect(df.collect({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'interrupted' })
    expect(await frame({ a: [1] }).toRows()).toEqual([{ a: 1 }])
  })

  test('a long query shows how it gets on in one output, until the user interrupts', async () => {
    await writeFile(join(folder, 'few.csv'), `k\n${'1\n'.repeat(1500)}`)
    const listeners = new Set<() => void>()
    const shown: { id: string | undefined; text: unknown }[] = []
    previous = holder[hostSymbol]
    holder[hostSymbol] = {
      ...terminalHost(),
      kind: 'kernel',
      publish: (bundle, options) => void shown.push({ id: options?.id, text: bundle['text/plain'] }),
      update: (id, bundle) => {
        shown.push({ id, text: bundle['text/plain'] })
        listeners.forEach((listener) => listener())
      },
      prompt: () => Promise.reject(new Error('nobody is asked')),
      onInterrupt: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      track: () => {},
    }
    const few = await read.csv(join(folder, 'few.csv'))
    const many = few.join(endless(), { on: 'k' }).filter(col('x').add(col('y')).gt(1e9))
    await expect(many.count()).rejects.toMatchObject({ code: 'interrupted' })
    expect(shown[0]!.text).toMatch(/^Query: \d+(\.\d)? k?B of 3\.0 kB · \d+\.\d s$/)
    expect(new Set(shown.map(({ id }) => id)).size).toBe(1)
    expect(await few.count()).toBe(1500)
    await vi.waitFor(() => expect(listeners.size).toBe(0), { timeout: 60_000 })
  })
})
