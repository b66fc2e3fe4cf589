/**
 * `npm run check`: every rule of the house that a program can judge. One line a check, then what it found as
 * `file:line: what`; all checks run even when one fails. `--root DIR` looks at another tree, `--only NAME` runs one check.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const home = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({ options: { root: { type: 'string', default: home }, only: { type: 'string' } } })
process.chdir(home)
if (!existsSync('node_modules')) execFileSync('npm', ['ci'], { stdio: 'inherit' })

// Loaded only now: they need what `npm ci` installs.
const { checkLayers } = await import('./layers.mjs')
const { checkReviewedPackages } = await import('./advisories.mjs')
const { checkFileLength, checkLockfile, checkPins, checkWords } = await import('./house-rules.mjs')
const { checkDeadCode, checkFormat, checkLint, checkPackage, checkTypes } = await import('./programs.mjs')
const { isBuilt } = await import('./built.mjs')

/** @type {Record<string, (root: string) => Promise<string[]>>} */
const checks = {
  format: checkFormat,
  lint: checkLint,
  types: checkTypes,
  layers: checkLayers,
  'dead code': checkDeadCode,
  pins: checkPins,
  lockfile: checkLockfile,
  'reviewed packages': checkReviewedPackages,
  'file length': checkFileLength,
  words: checkWords,
  build: checkBuild,
  package: checkPackage,
}

if (values.only !== undefined && !(values.only in checks)) {
  process.stderr.write(`check: expected --only to be one of ${Object.keys(checks).join(', ')}, got ${values.only}.\n`)
  process.exit(2)
}
let failed = 0
for (const [name, check] of Object.entries(checks)) {
  if (values.only !== undefined && values.only !== name) continue
  const started = performance.now()
  const findings = await check(values.root).catch((error) => [
    `${name}: ${error instanceof Error ? error.stack : error}`,
  ])
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(`${findings.length === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)\n`)
  for (const finding of findings) process.stdout.write(`     ${finding}\n`)
  if (findings.length > 0) failed++
}
if (failed > 0) process.stdout.write(`${failed} of the checks failed.\n`)
process.exitCode = failed === 0 ? 0 : 1

/** The package check packs `dist/`, so it must be that of the sources. Another tree is packed as it lies. @param {string} root */
async function checkBuild(root) {
  if (root !== home || isBuilt(home)) return []
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/build.mjs'], { encoding: 'utf8' })
  return status === 0 ? [] : `${stdout}${stderr}`.trim().split('\n')
}
