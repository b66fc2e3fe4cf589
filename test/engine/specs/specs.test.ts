/**
 * TensorFlow.js's own specs over every engine, each in a process of its own. All of them run: those that may fail are listed
 * with a reason in `known-failures.json`, and one that is listed and passes is an error too.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing } from '../../needs.js'
import { bundleSpecs } from './bundle.js'

interface Result {
  readonly name: string
  readonly status: 'passed' | 'failed' | 'pending'
  readonly message?: string
}

const here = fileURLToPath(new URL('.', import.meta.url))
const known = JSON.parse(readFileSync(join(here, 'known-failures.json'), 'utf8')) as Record<
  string,
  readonly { readonly reason: string; readonly specs: readonly string[] }[]
>

/** Specs of tfjs-core 4.22, and those of them that it has switched off. */
const specCount = 4230
const switchedOff = 5

describe("TensorFlow.js's own specs", () => {
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'shardbook-specs-'))
    await bundleSpecs(join(folder, 'specs.cjs'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs all specs over an engine, under this Node or that of `SHARDBOOK_TEST_NODE`. */
  async function run(engine: string): Promise<Result[]> {
    const node = process.env['SHARDBOOK_TEST_NODE'] ?? process.execPath
    const report = join(folder, `${engine}.json`)
    await promisify(execFile)(node, [join(here, 'fixtures/run.mjs'), engine, join(folder, 'specs.cjs'), report], {
      maxBuffer: 1 << 26,
    })
    return JSON.parse(readFileSync(report, 'utf8')) as Result[]
  }

  const expectKnownFailures = (engine: string, results: readonly Result[]): void => {
    const listed = known[engine]!.flatMap(({ specs }) => specs)
    const failed = results.filter(({ status }) => status === 'failed')
    expect(failed.filter(({ name }) => !listed.includes(name))).toEqual([])
    expect(listed.filter((name) => !failed.some((spec) => spec.name === name))).toEqual([])
    expect(results.filter(({ status }) => status === 'pending')).toHaveLength(switchedOff)
    expect(results).toHaveLength(specCount)
  }

  test('wasm passes them but for those listed', async () => {
    expectKnownFailures('wasm', await run('wasm'))
  })

  test.skipIf(missing('native') !== undefined)('native passes them but for those listed', async () => {
    expectKnownFailures('native', await run('native'))
  })
})
