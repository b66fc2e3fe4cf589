import { describe, expect, test } from 'vitest'
import { openLibrary, openMemory, systemLibrary } from '../../src/ffi/index.js'

describe('openLibrary', () => {
  test('binds functions by their signatures', async () => {
    const { strlen, abs, labs } = await openLibrary(systemLibrary, {
      strlen: ['size', 'string'],
      abs: ['int', 'int'],
      labs: ['int64', 'int64'],
    })
    expect(strlen('été')).toBe(5)
    expect(abs(-7)).toBe(7)
    expect(labs(-(2 ** 40))).toBe(2 ** 40)
  })

  test('names a library that is not there, and a function that a library lacks', async () => {
    await expect(openLibrary('/nowhere/libnothing.so', {})).rejects.toThrow(/\/nowhere\/libnothing\.so/)
    await expect(openLibrary(systemLibrary, { no_such_function: ['void'] })).rejects.toMatchObject({ code: 'engine' })
  })

  test('copies memory in and out', async () => {
    const memory = await openMemory()
    const { malloc, free } = await openLibrary(systemLibrary, {
      malloc: ['pointer', 'size'],
      free: ['void', 'pointer'],
    })
    const address = malloc(8)
    memory.write(address, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))
    const bytes = new Uint8Array(4)
    memory.read(address + 2, bytes)
    expect(Array.from(bytes)).toEqual([3, 4, 5, 6])
    memory.write(address, new Uint8Array(0))
    free(address)
  })
})
