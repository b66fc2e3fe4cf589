// Bundles the JavaScript kernels of @tensorflow/tfjs-node-gpu into dist/vendor. That package itself is no run-time dependency:
// its install script downloads an old TensorFlow with CUDA, which our native engine does not use.
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const require = createRequire(import.meta.url)

/** Replaced modules: the union package (a second copy of the core), functions that Node 23 dropped, TensorBoard's messages. */
const replaced = /** @type {Record<string, string>} */ ({
  util: 'export const isArray = Array.isArray; export const isNullOrUndefined = (value) => value == null;',
  './proto/api_pb': 'export {};',
})
// Kernels call these methods, which only the union package adds to tensors.
/** @param {string} home */
const entry = (home) => `
import { Tensor, add, cast } from '@tensorflow/tfjs-core'
import '${home}/register_all_kernels.js'
const methods = {
  add(other) { return add(this, other) },
  toFloat() { return cast(this, 'float32') },
  toInt() { return cast(this, 'int32') },
}
for (const [name, method] of Object.entries(methods)) Tensor.prototype[name] ??= method
export { NodeJSKernelBackend } from '${home}/nodejs_kernel_backend.js'
`

export async function vendorKernels(folder = 'dist/vendor') {
  const packageFile = require.resolve('@tensorflow/tfjs-node-gpu/package.json')
  const home = join(dirname(packageFile), 'dist')
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8'))
  const bundle = await rolldown({
    input: 'entry',
    platform: 'node',
    plugins: [
      {
        name: 'kernels-only',
        resolveId(id) {
          if (id === 'entry' || id in replaced) return `\0${id}`
          if (id === '@tensorflow/tfjs' || id === '@tensorflow/tfjs-core')
            return { id: '@tensorflow/tfjs-core', external: true }
          return null
        },
        load(id) {
          if (id === '\0entry') return entry(home)
          return replaced[id.slice(1)] ?? null
        },
      },
    ],
  })
  mkdirSync(folder, { recursive: true })
  await bundle.write({
    file: join(folder, 'tfjs-node-kernels.cjs'),
    format: 'cjs',
    banner: `/*! JavaScript kernels of @tensorflow/tfjs-node-gpu ${version}, Copyright Google LLC, Apache License 2.0 (tfjs-node-kernels.LICENSE) */`,
  })
  await bundle.close()
  copyFileSync('LICENSE', join(folder, 'tfjs-node-kernels.LICENSE'))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await vendorKernels()
