/** The project's own files: what the checks look at. */
import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'

const excluded = new Set(['node_modules', 'dist', '.git', 'coverage', '.cache'])

/**
 * Paths under some folders (default: the whole tree), relative to `root`, sorted; nothing that is built or installed.
 *
 * @param {string} root @param {readonly string[]} [folders] @returns {string[]}
 */
export function listFiles(root, folders = ['.']) {
  return folders.flatMap((folder) => (existsSync(join(root, folder)) ? walk(root, join(root, folder)) : [])).toSorted()
}

/** @param {string} root @param {string} folder @returns {string[]} */
function walk(root, folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (excluded.has(entry.name) || relative(root, path) === 'notebooks/out') return []
    if (entry.isDirectory()) return walk(root, path)
    return entry.isFile() && !/\.(?:tgz|log)$/.test(entry.name) ? [relative(root, path)] : []
  })
}
