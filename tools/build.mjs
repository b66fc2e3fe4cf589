// Builds dist/: JavaScript and declarations, and the bundled kernels of the native engine.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { vendorKernels } from './vendor-kernels.mjs'

rmSync('dist', { recursive: true, force: true })
execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
await vendorKernels()
