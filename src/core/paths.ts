/** Where the package keeps things on this machine. Pure path arithmetic: nothing is created here. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The cache folder: `SHARDBOOK_CACHE`, else `$XDG_CACHE_HOME/shardbook`, else `~/.cache/shardbook`. */
export function cacheDir(...parts: readonly string[]): string {
  const env = process.env
  return join(env['SHARDBOOK_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'shardbook'), ...parts)
}

/** The folder where data sets are looked for first, if the user named one (`SHARDBOOK_DATA`). */
export function dataDir(): string | undefined {
  return process.env['SHARDBOOK_DATA'] || undefined
}
