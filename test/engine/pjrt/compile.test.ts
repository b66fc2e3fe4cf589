/**
 * The real compiler for a GPU that is not there: every model's training step compiles for an H200, and what it becomes is what it
 * became before. `UPDATE_GOLDEN=1` writes the list anew: a lost fusion or a new transpose shows in it.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadTf, openEngine } from '../../../src/engine/index.js'
import { inspect } from '../../../src/engine/install/installation.js'
import { wheelOf } from '../../../src/engine/install/catalog.js'
import { type Pjrt, openPlugin } from '../../../src/engine/pjrt/api.js'
import { buildModule } from '../../../src/engine/pjrt/module.js'
import { cudaOverrides } from '../../../src/engine/pjrt/plugin.js'
import { stepModule } from '../../../src/engine/pjrt/step.js'
import { Topology, h200 } from '../../../src/engine/pjrt/topology.js'
import { type Tf, tfCore } from '../../../src/engine/tf.js'
import { missing } from '../../needs.js'
import { modelStep, tasks } from './models.js'

const golden = new URL('fixtures/h200-thunks.json', import.meta.url)

type Thunks = Readonly<Record<string, Readonly<Record<string, number>>>>

describe.skipIf(missing('pjrt-cuda13') !== undefined)('compiling for an H200', () => {
  let pjrt: Pjrt
  let folder: string
  let tf: Tf
  const found: Record<string, Record<string, number>> = {}
  beforeAll(async () => {
    await openEngine('wasm') // records
    tf = await loadTf()
    const installed = await inspect('pjrt-cuda13', wheelOf('pjrt-cuda13'))
    if (installed.state !== 'installed') throw new Error(installed.reason)
    folder = dirname(installed.libraries.main)
    process.env['TF_CPP_MIN_LOG_LEVEL'] = '3'
    pjrt = await openPlugin(installed.libraries.main)
  })
  afterAll(() => {
    if (process.env['UPDATE_GOLDEN'] !== '1') return
    writeFileSync(golden, `${JSON.stringify(found, null, 2)}\n`)
  })

  /** Compiles one device's share and counts what the program does, kind by kind. */
  function compile(name: string): { counts: Record<string, number>; donated: number } {
    const dump = mkdtempSync(join(tmpdir(), 'shardbook-xla-'))
    const topology = new Topology(pjrt, h200)
    try {
      const { donatedBytes } = topology.compile(stepModule(modelStep(tf, name).traces, 'both'), {
        ...cudaOverrides(folder),
        ...quick,
        xla_dump_to: dump,
        xla_dump_hlo_as_text: true,
      })
      const file = readdirSync(dump).find((each) => each.endsWith('thunk_sequence.txt'))!
      return { counts: countThunks(readFileSync(join(dump, file), 'utf8')), donated: donatedBytes }
    } finally {
      topology.dispose()
      rmSync(dump, { recursive: true })
    }
  }

  test.each(Object.keys(tasks))('%s: its step keeps its shape, and gives its memory on', (name) => {
    const { counts, donated } = compile(name)
    found[name] = counts
    const state = modelStep(tf, name).state.reduce((bytes, { values }) => bytes + values.byteLength, 0)
    expect(donated).toBeGreaterThanOrEqual(state)
    if (process.env['UPDATE_GOLDEN'] === '1') return
    expect(counts).toEqual((JSON.parse(readFileSync(golden, 'utf8')) as Thunks)[name])
  })

  test.each([2, 4, 8])('for %i devices gradients are added on them', (devices) => {
    const { traces } = modelStep(tf, 'residual CNN with batch normalisation')
    const module = stepModule(traces, 'both', { replicas: devices })
    expect(module.text).toContain('stablehlo.all_reduce')
    const topology = new Topology(pjrt, h200, devices)
    try {
      expect(topology.compile(module, { ...cudaOverrides(folder), ...quick }).argumentBytes).toBeGreaterThan(0)
    } finally {
      topology.dispose()
    }
  })

  test('in bfloat16 products are, and weights and losses are not', () => {
    const { traces, state } = modelStep(tf, 'transformer block')
    const module = stepModule(traces, 'both', { precision: 'bfloat16' })
    expect(module.text).toMatch(/dot_general .*bf16/)
    expect(module.results.every(({ element }) => element !== 'bf16')).toBe(true)
    expect(module.parameters.slice(0, state.length).every(({ element }) => element === 'f32')).toBe(true)
    const topology = new Topology(pjrt, h200)
    try {
      expect(topology.compile(module, { ...cudaOverrides(folder), ...quick }).temporaryBytes).toBeGreaterThan(0)
    } finally {
      topology.dispose()
    }
  })

  test('a program that the compiler refuses raises what it says', () => {
    const topology = new Topology(pjrt, h200)
    const broken = buildModule([{ shape: [2], element: 'f32' }], (b, [x]) => [
      b.define(`stablehlo.addd ${x!.name} : tensor<2xf32>`, [2], 'f32'),
    ])
    expect(() => topology.compile(broken)).toThrow(/custom op 'stablehlo.addd' is unknown/)
    topology.dispose()
  })

  test('without a GPU the engine says so, and what to look at', async () => {
    process.env['SHARDBOOK_PJRT_PLUGIN'] = join(folder, 'xla_cuda_plugin.so')
    try {
      await expect(openEngine('pjrt')).rejects.toThrow(/No visible GPU devices.*nvidia-smi and shardbook doctor/s)
    } finally {
      delete process.env['SHARDBOOK_PJRT_PLUGIN']
      await openEngine('wasm')
    }
  })

  test('a target that nobody knows raises', () => {
    expect(() => new Topology(pjrt, 'nonsense {')).toThrow(/target_config/)
    expect(tfCore()).toBe(tf)
  })
})

/** What the compiler may leave out, since nothing runs: code that is fast, the choice among algorithms. */
const quick = { xla_gpu_autotune_level: 0, xla_backend_optimization_level: 0, xla_llvm_disable_expensive_passes: true }

/** Thunks by kind; fusions together, whose names change with every version. */
function countThunks(text: string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const line of text.split('\n')) {
    const kind = /^\s*\d*:?\s*(k[A-Z]\w+)/.exec(line)?.[1]
    if (kind !== undefined) counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}
