/** Suites that run on every engine. */
import { describe } from 'vitest'
import type { EngineName } from '../../src/engine/index.js'
import { missing } from '../needs.js'

/** Describes the same for each engine: wasm always, native and pjrt (XLA on the processor) where the machine has them. */
export function onEngines(title: string, suite: (name: EngineName) => void): void {
  describe(`${title} on wasm`, () => {
    suite('wasm')
  })
  describe.skipIf(missing('native') !== undefined)(`${title} on native`, () => {
    suite('native')
  })
  describe.skipIf(missing('pjrt') !== undefined)(`${title} on pjrt`, () => {
    suite('pjrt')
  })
}
