/** `npm run bench:NAME -- [options]`: builds what is missing, then runs `bench/NAME.ts` with nothing else beside it. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepare, provide } from './provision.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const [name, ...options] = process.argv.slice(2)

prepare(root)
for (const [need, reason] of Object.entries(await provide(root))) process.stdout.write(`Without ${need}: ${reason}\n`)
const data = join(root, '..', 'shared', 'data')
const { status } = spawnSync(process.execPath, [join(root, 'dist', 'bench', `${name}.js`), ...options], {
  stdio: 'inherit',
  env: {
    ...process.env,
    ...(process.env['SHARDBOOK_DATA'] === undefined && existsSync(data) ? { SHARDBOOK_DATA: data } : {}),
  },
})
process.exitCode = status ?? 1
