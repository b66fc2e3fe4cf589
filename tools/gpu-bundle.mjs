/**
 * Makes one archive of what `bench/gpu.ts` needs on a machine with a GPU that may lack everything but a driver and CUDA 13's plugin and
 * libraries: the build, the packages that it loads, Node itself. `node tools/gpu-bundle.mjs FILE.tar.xz`; there:
 * `tar xf FILE.tar.xz && SHARDBOOK_PJRT_PLUGIN=.../xla_cuda_plugin.so ./node dist/bench/gpu.js`.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const limitBytes = 60 * 2 ** 20
const wanted = [
  'koffi',
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-layers',
  '@tensorflow/tfjs-backend-cpu',
  '@duckdb/node-api',
  'apache-arrow',
]

const target = resolve(process.argv[2] ?? 'gpu-bundle.tar.xz')
const folder = mkdtempSync(join(tmpdir(), 'shardbook-bundle-'))
try {
  const skipped =
    /\.map$|\.d\.ts$|\.md$|\/(?:src|dist\/bench\/(?!gpu)|docs|umd|esm|es5|es2015)(?:\/|$)|\.(?:min|es2017|fesm)[^/]*\.js$/
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
  for (const name of ['package.json', 'bench/peers/gpu.py']) cpSync(join(root, name), join(folder, name))
  for (const name of closure(wanted)) {
    const from = join(root, 'node_modules', name)
    cpSync(from, join(folder, 'node_modules', name), {
      recursive: true,
      filter: (path) => !skipped.test(path.slice(from.length)) || /koffi|duckdb/.test(name),
    })
  }
  cpSync(process.execPath, join(folder, 'node'))
  execFileSync('tar', ['--create', '--file', target, '--use-compress-program', 'xz -3 -T2', '--directory', folder, '.'])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const { size } = statSync(target)
console.log(`${target}: ${(size / 2 ** 20).toFixed(1)} MiB`)
if (size > limitBytes) {
  console.error(`${target}: expected at most ${limitBytes / 2 ** 20} MiB.`)
  process.exitCode = 1
}

/** Packages with everything that they depend on, of this platform. @param {string[]} names */
function closure(names) {
  const found = new Set(/** @type {string[]} */ ([]))
  const add = (/** @type {string} */ name) => {
    const path = join(root, 'node_modules', name, 'package.json')
    if (found.has(name) || !existsSync(path)) return
    found.add(name)
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(path, 'utf8'))
    for (const each of Object.keys({ ...dependencies, ...optionalDependencies })) add(each)
  }
  for (const name of names) add(name)
  return found
}
