/**
 * The Python environment of the tests: a venv with the pinned packages of `test/requirements.txt`, made once into the cache
 * and named for the hash of that file, so that a changed pin makes a new one.
 *
 * An environment counts only with its marker file, written last: a half-made one is rebuilt. Concurrent callers wait for
 * one maker; a maker that died leaves its lock behind and is recognised by its process id.
 *
 * `node tools/python-env.mjs` prints the path of its python; `import { pythonEnv }` returns it.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const requirementsFile = fileURLToPath(new URL('../test/requirements.txt', import.meta.url))
const run = promisify(execFile)

/** The cache folder of the package (the same rule as src/core/paths.ts, which a clean clone has not built yet). */
export function cacheDir() {
  const { SHARDBOOK_CACHE, XDG_CACHE_HOME } = process.env
  return SHARDBOOK_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'shardbook')
}

/**
 * The path of a python that has the packages of a requirements file; makes the environment if need be.
 *
 * @param {{ requirements?: string, cache?: string, python?: string, log?: (line: string) => void }} [options]
 * @returns {Promise<string>}
 */
export async function pythonEnv({
  requirements = requirementsFile,
  cache = cacheDir(),
  python = 'python3',
  log = (line) => void process.stderr.write(`${line}\n`),
} = {}) {
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)
  const folder = join(cache, `python-${hash}`)
  const executable = join(folder, 'bin', 'python')
  const ready = () => existsSync(join(folder, '.complete')) && existsSync(executable)
  if (ready()) return executable
  mkdirSync(cache, { recursive: true })
  const release = await lock(`${folder}.lock`, ready)
  try {
    if (ready()) return executable
    log(`python-env: making ${folder} (once)`)
    rmSync(folder, { recursive: true, force: true })
    await makeVenv(python, folder)
    await run(executable, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements], {
      maxBuffer: 1 << 26,
    }).catch((error) => {
      throw new Error(`python-env: pip could not install ${requirements}. ${lastLines(error)}`, { cause: error })
    })
    writeFileSync(join(folder, '.complete'), `${new Date().toISOString()}\n`)
    return executable
  } finally {
    release()
  }
}

/** @param {string} python @param {string} folder */
async function makeVenv(python, folder) {
  try {
    await run(python, ['-m', 'venv', folder])
  } catch (error) {
    const missing = /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT'
    const hint = missing
      ? `No \`${python}\` on the PATH: install Python 3.11 or newer (Debian: apt-get install python3 python3-venv).`
      : `\`${python} -m venv\` failed; on Debian: apt-get install python3-venv. ${lastLines(error)}`
    throw new Error(`python-env: expected a Python 3 with venv. ${hint}`, { cause: error })
  }
}

/**
 * Takes a lock file, waiting while a living process holds it; gives up waiting once `done` is true.
 *
 * @param {string} path @param {() => boolean} done
 */
async function lock(path, done) {
  const release = () => rmSync(path, { force: true })
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return release
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
    }
    if (done()) return () => {}
    if (holderIsDead(path)) discard(path)
    else await sleep(250)
  }
}

/** @param {string} path */
function holderIsDead(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return false // just released
  const text = stat.size === 0 ? '' : readFileSync(path, 'utf8')
  if (text === '') return Date.now() - stat.mtimeMs > 5000 // being written, unless its maker died over that
  try {
    process.kill(Number(text), 0)
    return false
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH'
  }
}

/** Removes a dead lock. Renaming first lets only one of several waiters remove it. @param {string} path */
function discard(path) {
  const aside = `${path}.${process.pid}`
  try {
    renameSync(path, aside)
    rmSync(aside, { force: true })
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error
  }
}

/** @param {unknown} error */
function lastLines(error) {
  const { stderr = '', message } = /** @type {{ stderr?: string, message: string }} */ (error)
  return (stderr.trim() || message).split('\n').slice(-4).join('\n')
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(`${await pythonEnv()}\n`)
}
