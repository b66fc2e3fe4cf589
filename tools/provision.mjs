/**
 * What the tests need and a machine may lack: installed modules, a build, Python packages, a browser, the native engine.
 *
 * Modules and the build must be there; of the others `provide` returns why one is missing, so that its tests are skipped by
 * name and not in silence. Everything is quick when it is there already.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isBuilt } from './built.mjs'
import { pythonEnv } from './python-env.mjs'
import { provideS3 } from './s3-server.mjs'

/** Installs and builds what is missing. @param {string} root */
export function prepare(root) {
  const inherit = /** @type {const} */ ({ cwd: root, stdio: 'inherit' })
  if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) execFileSync('npm', ['ci'], inherit)
  if (!isBuilt(root)) execFileSync(process.execPath, ['tools/build.mjs'], inherit)
}

/**
 * Where data sets are looked for first, unless the user says: `shared/data` beside the checkout, where there is one.
 *
 * @param {string} root
 * @returns {Record<string, string>}
 */
export function dataFolder(root) {
  const folder = join(root, '..', 'shared', 'data')
  return process.env['SHARDBOOK_DATA'] === undefined && existsSync(folder) ? { SHARDBOOK_DATA: folder } : {}
}

/**
 * Provides the rest; for each thing that cannot be had, its reason in one line.
 *
 * @param {string} root
 * @returns {Promise<Record<string, string>>}
 */
export async function provide(root) {
  const [python, chromium, native] = [await providePython(), provideChromium(), provideNative(root)]
  const pjrt = provideEngine(root, 'pjrt-cpu')
  const cuda = provideEngine(root, 'pjrt-cuda13')
  const needs = { python, chromium, native, pjrt, 'pjrt-cuda13': cuda, s3: provideS3() }
  const reasons = Object.entries(needs).flatMap(([need, reason]) =>
    reason === undefined ? [] : [[need, reason.replaceAll(/\s+/g, ' ').trim()]],
  )
  return Object.fromEntries(reasons)
}

async function providePython() {
  if (spawnSync('python3', ['-c', 'import venv, ensurepip']).status !== 0) aptInstall(['python3', 'python3-venv'])
  try {
    await pythonEnv()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return undefined
}

function provideChromium() {
  const found = () => ['chromium', 'chromium-browser', 'google-chrome'].some((name) => existsSync(`/usr/bin/${name}`))
  if (found()) return undefined
  const failure = aptInstall(['chromium'])
  return found() ? undefined : `no browser in /usr/bin; ${failure ?? 'the package brought none'}`
}

/** @param {string} root */
function provideNative(root) {
  const args = ['dist/src/cli/main.js', 'engine', 'install', 'native']
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
  })
  return status === 0 ? undefined : `shardbook engine install native: ${stderr.trim().split('\n').slice(-3).join(' ')}`
}

/** An engine for tests without a GPU: no libraries for one. @param {string} root @param {string} name */
function provideEngine(root, name) {
  const script = `import { installEngine } from './dist/src/engine/index.js'
    await installEngine('${name}', { progress: console.log, ${name === 'pjrt-cuda13' ? 'gpu: false' : ''} })`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
  })
  const said = stderr.split('\n').find((line) => line.includes('Error')) ?? stderr.trim()
  return status === 0 ? undefined : `engine ${name}: ${said}`
}

/** Installs Debian packages where that is possible; returns why it was not. @param {string[]} packages */
function aptInstall(packages) {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    return `install it: apt-get install ${packages.join(' ')}`
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', ...packages]]) {
    const { status, stderr } = spawnSync('apt-get', ['--quiet', ...args], { env, encoding: 'utf8' })
    if (status !== 0) return `apt-get ${args[0]} failed: ${stderr.trim().split('\n').slice(-2).join(' ')}`
  }
  return undefined
}
