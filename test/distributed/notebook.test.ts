/** The notebook about the pool, in one kernel after the other: the second finds what the first has left. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { parseNotebook } from '../../src/cli/notebook/notebook.js'
import { pool } from '../../src/distributed/index.js'
import { shardbook } from '../cli/shardbook.js'
import { ownTemporaryFolder } from './trainings.js'

const notebook = fileURLToPath(new URL('../../notebooks/pool.ipynb', import.meta.url))
const ownFolder = ownTemporaryFolder()
const cache = mkdtempSync(join(ownFolder, 'cache-'))
const before = process.env['SHARDBOOK_CACHE']
const env = { SHARDBOOK_CACHE: cache, SHARDBOOK_ENGINE: 'wasm' }

afterAll(async () => {
  process.env['SHARDBOOK_CACHE'] = cache
  for (const name of pool.list()) await (await pool.attach(name)).close()
  if (before === undefined) delete process.env['SHARDBOOK_CACHE']
  else process.env['SHARDBOOK_CACHE'] = before
  rmSync(ownFolder, { recursive: true })
})

async function run(out: string, params: readonly string[]): Promise<string> {
  const path = join(ownFolder, out)
  const given = params.flatMap((param) => ['--param', param])
  const ended = await shardbook(['run', notebook, '--out', path, ...given], { env, cwd: ownFolder })
  if (ended.code !== 0) throw new Error(ended.stderr)
  const { cells } = parseNotebook(readFileSync(path, 'utf8'), path)
  const outputs = cells.flatMap((cell) => (cell.cell_type === 'code' ? cell.outputs : []))
  return JSON.stringify(outputs)
}

test('a training survives kills, is left by one kernel and found by the next', { timeout: 900_000 }, async () => {
  const first = await run('first.ipynb', ['leave=true', 'epochs=4'])
  expect(first).toContain('Started a pool.')
  expect(first).toContain('Left: the pool trains on.')
  expect(first).toMatch(/Pool digits: 2 workers/)
  const second = await run('second.ipynb', [])
  expect(second).toContain('Found the pool that was left running.')
  expect(second).toMatch(/Done in .* 4 epochs/)
  expect(second).toMatch(/Trained 64 steps on 2 workers, with [12] replaced/)
  expect(second).toContain('Pool digits: closed')
})
