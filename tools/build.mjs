/** Builds `dist/`: JavaScript and declarations, and the bundled kernels of the native engine. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { markBuilt } from './built.mjs'
import { bundleKernel } from './bundle-kernel.mjs'
import { vendorKernels } from './vendor-kernels.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)

rmSync('dist', { recursive: true, force: true })
const { status } = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)
await bundleKernel()
await vendorKernels()

markBuilt(root)
