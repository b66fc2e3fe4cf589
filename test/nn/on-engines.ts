/** The engines that these tests run on: wasm always, native where it is installed. */
import { listEngines } from '../../src/engine/index.js'
import type { EngineName } from '../../src/engine/index.js'

const listed = await listEngines()

/** Names of the engines that can be opened here. */
export const engines: readonly EngineName[] = [
  'wasm',
  ...(listed.some(({ name, installed }) => name === 'native' && installed) ? (['native'] as const) : []),
]
