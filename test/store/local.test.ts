import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { localStore, putFile, putFolder, sha256, temporaryDir } from '../../src/store/index.js'

let folder: string
const store = localStore()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'store-'))
})
afterEach(async () => rm(folder, { recursive: true }))

describe('localStore', () => {
  test('gives back what was put, whole and by range, fewer bytes at the end', async () => {
    const path = join(folder, 'deep/er/a.bin')
    await store.put(path, Uint8Array.of(1, 2, 3, 4, 5))
    expect([...(await store.get(path))]).toEqual([1, 2, 3, 4, 5])
    expect([...(await store.get(path, { offset: 1, length: 2 }))]).toEqual([2, 3])
    expect([...(await store.get(path, { offset: 4, length: 9 }))]).toEqual([5])
    expect([...(await store.get(path, { offset: 9, length: 9 }))]).toEqual([])
    expect((await store.stat(path))?.sizeBytes).toBe(5)
  })

  test('puts a stream, and replaces an object', async () => {
    const path = join(folder, 'a')
    await store.put(path, Uint8Array.of(9))
    await store.put(
      path,
      (async function* () {
        yield Uint8Array.of(1, 2)
        yield Uint8Array.of(3)
      })(),
    )
    expect([...(await store.get(path))]).toEqual([1, 2, 3])
  })

  test('says at once of a place where nothing can be written, before anything is computed', async () => {
    await writeFile(join(folder, 'file'), '')
    await expect(store.put(join(folder, 'file/b/c'), Uint8Array.of(1))).rejects.toThrow(
      /cannot create the folder of .*file\/b\/c\. A part of the path is not a folder\./,
    )
    let computed = 0
    const write = async (): Promise<void> => void computed++
    await expect(putFile(join(folder, 'x'.repeat(300)), write)).rejects.toThrow(/put: cannot write .*ENAMETOOLONG/)
    // A file system that takes no folders says that they are missing.
    for (const path of process.platform === 'linux' ? ['/proc/shardbook/a', '/proc/a'] : []) {
      await expect(putFile(path, write)).rejects.toThrow(/There is no such folder, and none can be made\./)
      await expect(putFolder(join(path, 'b'), write)).rejects.toThrow(/none can be made/)
    }
    expect(computed).toBe(0)
  })

  test('leaves the old object and no half one when writing fails', async () => {
    const path = join(folder, 'a')
    await store.put(path, Uint8Array.of(7))
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(100_000)
      throw new Error('the source broke')
    }
    await expect(store.put(path, broken())).rejects.toThrow(/put: cannot write .*a: the source broke/)
    expect([...(await store.get(path))]).toEqual([7])
    expect(await readdir(folder)).toEqual(['a'])
  })

  test('lists paths under a prefix, sorted, without what a killed writer left', async () => {
    await store.put(join(folder, 'b/2'), Uint8Array.of())
    await store.put(join(folder, 'b/10'), Uint8Array.of())
    await store.put(join(folder, 'c'), Uint8Array.of())
    await writeFile(join(folder, 'b/3.part-1-x'), 'half')
    expect(await store.list(`${folder}/`)).toEqual([join(folder, 'b/10'), join(folder, 'b/2'), join(folder, 'c')])
    expect(await store.list(join(folder, 'b/'))).toEqual([join(folder, 'b/10'), join(folder, 'b/2')])
    expect(await store.list(join(folder, 'none/'))).toEqual([])
  })

  test('deletes, also what is not there', async () => {
    const path = join(folder, 'a')
    await store.put(path, Uint8Array.of(1))
    await store.delete(path)
    await store.delete(path)
    expect(await store.stat(path)).toBeUndefined()
  })

  test('names the path in its errors', async () => {
    await expect(store.get(join(folder, 'gone'))).rejects.toThrow(/get: cannot read .*gone.*no such file/)
    await mkdir(join(folder, 'sub'))
    await expect(store.get(join(folder, 'sub'))).rejects.toThrow(/get: cannot read .*sub.*It is a folder/)
    await writeFile(join(folder, 'file'), '')
    await expect(store.put(join(folder, 'file/a'), Uint8Array.of())).rejects.toThrow(
      /put: cannot create the folder of .*file\/a/,
    )
  })

  test('keeps temporary files from other users', async () => {
    expect((await stat(temporaryDir())).mode & 0o777).toBe(0o700)
  })

  test('computes SHA-256', async () => {
    const path = join(folder, 'a')
    await store.put(path, new TextEncoder().encode('abc'))
    expect(await sha256(path)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
})
