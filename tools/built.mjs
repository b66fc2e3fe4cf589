/**
 * Whether `dist/` belongs to the sources as they are: a hash of everything that the build reads, kept in `dist/.built`.
 *
 * A hash, not times: checkouts and copies make times meaningless.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const inputs = [
  'src',
  'kernel',
  'bench',
  'tools',
  'assets',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
]

/** @param {string} root */
export function isBuilt(root) {
  const stamp = join(root, 'dist', '.built')
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === sourceHash(root)
}

/** Called by the build as its last step. @param {string} root */
export function markBuilt(root) {
  writeFileSync(join(root, 'dist', '.built'), sourceHash(root))
}

/** @param {string} root */
function sourceHash(root) {
  const hash = createHash('sha256').update(process.version)
  for (const input of inputs) {
    const path = join(root, input)
    if (!existsSync(path)) continue
    for (const file of filesUnder(path))
      hash
        .update(`${relative(root, file)}\0`)
        .update(readFileSync(file))
        .update('\0')
  }
  return hash.digest('hex')
}

/** @param {string} path @returns {string[]} */
function filesUnder(path) {
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOTDIR') return [path]
    throw error
  }
}
