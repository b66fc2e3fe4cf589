import { availableParallelism } from 'node:os'
import { afterEach, expect, test } from 'vitest'
import { cores, useCores } from '../../src/core/cores.js'

afterEach(() => useCores(Infinity))

test('a process uses all cores that it may, or as many as it is told, never more than there are', () => {
  expect(cores()).toBe(availableParallelism())
  useCores(1)
  expect(cores()).toBe(1)
  useCores(availableParallelism() + 1)
  expect(cores()).toBe(availableParallelism())
})
