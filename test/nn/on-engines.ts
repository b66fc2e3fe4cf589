/** Suites that run on every engine. */
import { describe } from 'vitest'
import type { EngineName } from '../../src/engine/index.js'
import { missing } from '../needs.js'

type Suite = (name: EngineName) => void

/** Describes the same for wasm always, and for native where the machine has it. */
export function onEngines(title: string, suite: Suite): void {
  describe(`${title} on wasm`, () => {
    suite('wasm')
  })
  describe.skipIf(missing('native') !== undefined)(`${title} on native`, () => {
    suite('native')
  })
}

/** And for pjrt, as XLA on the processor: what every engine must do alike. Each of its operations is compiled, which takes time. */
export function onAllEngines(title: string, suite: Suite): void {
  onEngines(title, suite)
  describe.skipIf(missing('pjrt') !== undefined)(`${title} on pjrt`, () => {
    suite('pjrt')
  })
}
