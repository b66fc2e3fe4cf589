/**
 * The reviewed list: every package that a user's install resolves to, with its version, its licence and what a person
 * found out about it. It stands in for an audit service, which not every place where the checks run can reach.
 *
 * The lockfile's production tree must equal `tools/reviewed-packages.json`; a new or changed package fails the check until
 * someone has reviewed it. A platform's build of a package (npm's `os` and `cpu` fields) counts as part of the package
 * that names it at an exact version. `node tools/advisories.mjs` drafts entries for what changed, with an empty review.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 * @typedef {{ version: string, license?: string, dev?: boolean, optional?: boolean, os?: string[], cpu?: string[],
 *   optionalDependencies?: Record<string, string> }} LockEntry
 * @typedef {{ name: string, version: string, licence: string, review: string }} Reviewed
 */

const listPath = 'tools/reviewed-packages.json'

/** Licences that may go into a user's install beside Apache-2.0 code. */
const licences = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MPL-2.0',
  'OFL-1.1',
  'Unlicense',
])

/** @param {string} root @returns {Promise<string[]>} */
export async function checkReviewedPackages(root) {
  const text = readFileSync(join(root, listPath), 'utf8')
  const reviewed = readReviewed(text)
  const resolved = productionTree(root)
  const findings = []
  for (const [key, { name, version, licence }] of resolved) {
    if (!reviewed.has(key)) findings.push(`${listPath}:1: ${name} ${version} (${licence}) is installed, not reviewed.`)
  }
  for (const [key, entry] of reviewed) {
    const at = `${listPath}:${lineOf(text, entry)}`
    const actual = resolved.get(key)
    if (actual === undefined)
      findings.push(`${at}: ${entry.name} ${entry.version} is reviewed, but no longer installed.`)
    else if (actual.licence !== entry.licence) findings.push(`${at}: ${key} has the licence ${actual.licence}.`)
    if (entry.review.trim() === '') findings.push(`${at}: ${key} has an empty review.`)
    if (/\b(?:high|critical)\b/i.test(entry.review)) findings.push(`${at}: ${key} has a high or critical advisory.`)
    if (!entry.licence.split(' AND ').every((part) => licences.has(part))) {
      findings.push(`${at}: ${key} has the licence ${entry.licence}, which is not on the list of accepted ones.`)
    }
  }
  return findings
}

/** The reviewed packages by `name@version`. @param {string} text */
export function readReviewed(text) {
  const { packages } = /** @type {{ packages: Reviewed[] }} */ (JSON.parse(text))
  return new Map(packages.map((entry) => [`${entry.name}@${entry.version}`, entry]))
}

/**
 * What a lockfile installs for a user, by `name@version`; of the whole `packages` table the entries under `prefix`.
 *
 * @param {string} root @param {string} [lockfile]
 */
export function productionTree(root, lockfile = 'package-lock.json') {
  const { packages } = /** @type {{ packages: Record<string, LockEntry> }} */ (
    JSON.parse(readFileSync(join(root, lockfile), 'utf8'))
  )
  const entries = Object.entries(packages)
    .filter(([path, entry]) => path !== '' && entry.dev !== true)
    .map(([path, entry]) => ({ ...entry, name: path.slice(path.lastIndexOf('node_modules/') + 13) }))
  const builds = new Set(
    entries.flatMap((entry) =>
      Object.entries(entry.optionalDependencies ?? {}).map(([name, range]) => `${name}@${range}`),
    ),
  )
  return new Map(
    entries
      .map((entry) => ({ ...entry, key: `${entry.name}@${entry.version}` }))
      .filter((entry) => !(entry.optional === true && (entry.os ?? entry.cpu) !== undefined && builds.has(entry.key)))
      .map(({ key, name, version, license }) => [key, { name, version, licence: license ?? 'unknown' }]),
  )
}

/** @param {string} text @param {Reviewed} entry */
function lineOf(text, { name, version }) {
  const lines = text.split('\n')
  const index = lines.findIndex(
    (line, i) => line.includes(`"name": "${name}"`) && lines[i + 1]?.includes(`"${version}"`),
  )
  return index + 1
}

/** Writes the list anew: reviews kept where the version is the same, empty where a person must look. */
function draft() {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const path = join(root, listPath)
  const reviewed = readReviewed(readFileSync(path, 'utf8'))
  const packages = [...productionTree(root)]
    .map(([key, entry]) => ({ ...entry, review: reviewed.get(key)?.review ?? '' }))
    .toSorted((a, b) => (a.name === b.name ? (a.version < b.version ? -1 : 1) : a.name < b.name ? -1 : 1))
  writeFileSync(path, `${JSON.stringify({ reviewedAt: new Date().toISOString().slice(0, 10), packages }, null, 2)}\n`)
  for (const entry of packages)
    if (entry.review === '') process.stdout.write(`${listPath}: review ${entry.name} ${entry.version}\n`)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) draft()
