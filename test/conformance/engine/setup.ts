/** What suites of engines open and check: every test runs in a scope of its own and leaks nothing. */
import { afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { Engine, EngineName } from '../../../src/engine/index.js'
import { type Tf, open } from './engines.js'

/** Opens an engine before the tests of a suite, hands it to them, and looks for leaks after each. */
export function openForTests(name: EngineName, use: (opened: { engine: Engine; tf: Tf }) => void): void {
  let opened: Awaited<ReturnType<typeof open>>
  let before: ReturnType<Engine['memory']>
  beforeAll(async () => {
    opened = await open(name)
    use(opened)
  })
  beforeEach(() => {
    before = opened.engine.memory()
    opened.tf.engine().startScope()
  })
  afterEach(() => {
    opened.tf.engine().endScope()
    opened.tf.disposeVariables()
    expect(opened.engine.memory(), 'tensors leaked').toEqual(before)
  })
}
