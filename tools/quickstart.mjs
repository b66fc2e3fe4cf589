/**
 * `npm run quickstart`: from a fresh clone to an executed notebook, in one command.
 *
 * Installs and builds what is missing, adds the native engine where pip is there (else says that wasm is used), runs
 * `notebooks/quickstart.ipynb` headless, and says what came out and where to look. Safe to repeat: what is there stays.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { dataFolder, prepare } from './provision.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)
const command = join(root, 'dist', 'src', 'cli', 'main.js')
const out = join(root, 'notebooks', 'out', 'quickstart.ipynb')
const page = join(root, 'notebooks', 'out', 'quickstart.html')

/** @param {string} line */
const say = (line) => void process.stdout.write(`${line}\n`)

/**
 * Runs a program in the foreground; resolves with its exit code. Ctrl-C reaches both of us: the program ends in order, and
 * then so do we.
 *
 * @param {string} program @param {string[]} args
 * @returns {Promise<number>}
 */
function run(program, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...dataFolder(root) } })
    const ignore = () => {}
    process.on('SIGINT', ignore)
    child.on('error', reject)
    child.on('exit', (code) => {
      process.off('SIGINT', ignore)
      resolve(code ?? 130)
    })
  })
}

/** @param {number} since */
const seconds = (since) => ((performance.now() - since) / 1000).toFixed(1)

/** The native engine, unless another one was asked for; without it the run goes on with wasm. */
async function addEngine() {
  const wanted = process.env['SHARDBOOK_ENGINE'] || 'auto'
  if (wanted !== 'auto' && wanted !== 'native') return say(`> engine ${wanted}, as SHARDBOOK_ENGINE says`)
  say('> native engine')
  const code = await run(process.execPath, command, 'engine', 'install', 'native')
  if (code === 0) return undefined
  if (wanted === 'native') return process.exit(code)
  return say('> the native engine could not be added, for the reason above: using the wasm engine (slower)')
}

/**
 * What the notebook's last cell says of the run: `name=value` words of its last line.
 *
 * @returns {Record<string, string>}
 */
function readResult() {
  const { cells } = JSON.parse(readFileSync(out, 'utf8'))
  const texts = cells.flatMap((/** @type {any} */ cell) =>
    (cell.outputs ?? []).flatMap((/** @type {any} */ output) =>
      output.text === undefined ? [] : [output.text].flat().join(''),
    ),
  )
  const last = texts.join('').trimEnd().split('\n').at(-1) ?? ''
  return Object.fromEntries([...last.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]))
}

const started = performance.now()
if (Number(process.versions.node.split('.')[0]) < 20) {
  say(`quickstart: expected Node.js 20 or newer, got ${process.version}.`)
  process.exit(1)
}
prepare(root)
await addEngine()
const setUp = seconds(started)

const running = performance.now()
say(`> ${relative(root, join(root, 'notebooks', 'quickstart.ipynb'))}`)
const code = await run(process.execPath, command, 'run', 'notebooks/quickstart.ipynb', '--out', out, '--html', page)
const ran = seconds(running)
if (code !== 0) {
  say(`\nThe notebook failed; what it did until then: ${relative(root, page)}`)
  process.exit(code)
}
const result = readResult()
say(`
data       ${result['data'] ?? '?'}${result['data'] === 'glyphs' ? ', drawn: MNIST is not here and could not be downloaded (the notebook says why)' : ''}
engine     ${result['engine'] ?? '?'}, ${result['workers'] ?? '?'} workers
accuracy   ${result['accuracy'] ?? '?'} on images that it was not trained on
speed      ${result['imagesPerSecond'] ?? '?'} images a second while training the CNN
wall time  ${setUp} s set-up, ${ran} s run

Look at    ${pathToFileURL(page).href}
Notebook   ${relative(root, out)}   (live: npx shardbook lab notebooks)`)
