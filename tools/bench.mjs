/** `npm run bench:NAME -- [options]`: builds what is missing, then runs `bench/NAME.ts` with nothing else beside it. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dataFolder, prepare, provide } from './provision.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const [name, ...options] = process.argv.slice(2)

prepare(root)
for (const [need, reason] of Object.entries(await provide(root))) process.stdout.write(`Without ${need}: ${reason}\n`)
const { status } = spawnSync(process.execPath, [join(root, 'dist', 'bench', `${name}.js`), ...options], {
  stdio: 'inherit',
  env: { ...process.env, ...dataFolder(root) },
})
process.exitCode = status ?? 1
