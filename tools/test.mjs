/**
 * `npm test`: sets itself up, runs every runner, sees that no process is left, and ends with one line `N passed, N failed, N skipped` over all of them.
 *
 * Runners: vitest (`test/**\/*.test.ts`, with `--long` `*.long.ts`) and the compiler (`*.test-d.ts`, a file is a test).
 * Other arguments go to vitest: `npm test -- test/frame`. `--node 24` runs vitest under another Node.js.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listFiles } from './files.mjs'
import { endLeftovers } from './leftovers.mjs'
import { nodeOf } from './other-node.mjs'
import { dataFolder, prepare, provide } from './provision.mjs'
import { tallyTypeTests, tallyVitest } from './tally.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)
const long = process.argv.includes('--long')
const filters = process.argv.slice(2).filter((argument) => argument !== '--long')
const other = filters.indexOf('--node')
const [, major] = other < 0 ? [] : filters.splice(other, 2)
const node = other < 0 ? process.execPath : nodeOf(major ?? '')

prepare(root)
const missing = await provide(root)
for (const [need, reason] of Object.entries(missing)) process.stdout.write(`Without ${need}: ${reason}\n`)

const mark = `${process.pid}-${Date.now()}`
/** @type {NodeJS.ProcessEnv} */
const env = {
  ...process.env,
  SHARDBOOK_TEST_RUN: mark,
  TZ: 'UTC',
  SHARDBOOK_TEST_MISSING: JSON.stringify(missing),
  ...(long ? { SHARDBOOK_TEST_LONG: '1' } : {}),
  ...dataFolder(root),
}

const tallies = [await runVitest()]
if (!long && filters.length === 0) tallies.push(await runTypeTests())

const leftovers = await endLeftovers(`SHARDBOOK_TEST_RUN=${mark}`)
for (const leftover of leftovers) process.stdout.write(`${leftover}\n`)
tallies.push({ passed: 0, failed: leftovers.length, skipped: [] })

const skipped = tallies.flatMap((tally) => tally.skipped)
for (const name of skipped) process.stdout.write(`skipped: ${name}\n`)
for (const [need, reason] of Object.entries(missing)) process.stdout.write(`Without ${need}: ${reason}\n`)
const [passed, failed] = [sum((tally) => tally.passed), sum((tally) => tally.failed)]
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped.length} skipped\n`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

/** @returns {Promise<import('./tally.mjs').Tally>} */
async function runVitest() {
  const folder = mkdtempSync(join(tmpdir(), 'shardbook-test-'))
  const report = join(folder, 'vitest.json')
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const { code } = await run('vitest', ['run', ...reporters, ...filters])
    if (!existsSync(report)) return { passed: 0, failed: 1, skipped: [] }
    return tallyVitest(readFileSync(report, 'utf8'), code, root)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Type tests pass when the compiler finds nothing in them. @returns {Promise<import('./tally.mjs').Tally>} */
async function runTypeTests() {
  const files = listFiles(root, ['test']).filter((file) => file.endsWith('.test-d.ts'))
  if (files.length === 0) return { passed: 0, failed: 0, skipped: [] }
  const { code, stdout } = await run('tsc', ['-p', '.', '--pretty', 'false'], 'pipe')
  process.stdout.write(stdout)
  return tallyTypeTests(files, stdout, code)
}

/**
 * @param {string} program @param {string[]} args @param {'inherit' | 'pipe'} [out]
 * @returns {Promise<{ code: number, stdout: string }>}
 */
function run(program, args, out = 'inherit') {
  const child = spawn(node, [join(root, 'node_modules/.bin', program), ...args], {
    env,
    stdio: ['ignore', out, 'inherit'],
  })
  const chunks = /** @type {Buffer[]} */ ([])
  child.stdout?.on('data', (chunk) => chunks.push(chunk))
  const forward = (/** @type {NodeJS.Signals} */ signal) => void child.kill(signal)
  process.on('SIGINT', forward).on('SIGTERM', forward)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      process.off('SIGINT', forward).off('SIGTERM', forward)
      resolve({ code: code ?? 1, stdout: Buffer.concat(chunks).toString() })
    })
  })
}

/** @param {(tally: import('./tally.mjs').Tally) => number} pick */
function sum(pick) {
  return tallies.reduce((total, tally) => total + pick(tally), 0)
}
