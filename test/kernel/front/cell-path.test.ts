/** The names of cells are those that JupyterLab and ipykernel compute: values made by `ipykernel.compiler.murmur2_x86`. */
import { expect, test } from 'vitest'
import { cellPath, hashSeed, murmur2, pathPrefix, pathSuffix } from '../../../kernel/front/debug/cell-path.js'

test.each([
  ['', 3990065800],
  ['a', 2167009006],
  ['ab', 2805137849],
  ['abc', 3350977461],
  ['abcd', 804720481],
  ['const x = 1', 1005667695],
  ['let s = "ä😀"', 1487750036],
  ['x'.repeat(1000), 2976633443],
])('%j', (code, hash) => {
  expect(murmur2(Buffer.from(code), hashSeed)).toBe(hash)
  expect(cellPath(code)).toBe(`${pathPrefix}${hash}${pathSuffix}`)
})
