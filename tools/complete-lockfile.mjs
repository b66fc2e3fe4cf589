/**
 * Completes the lockfile by the builds for other platforms that npm left out.
 *
 * A package that carries binaries names one optional package a platform. Where the registry in use does not have all of
 * them (a mirror that lags behind), `npm install` leaves the rest out of the lockfile, and `npm ci`, which then misses them,
 * refuses the lockfile everywhere. Entries with version and platform are enough for it: npm never fetches a build for another
 * platform. Their checksums are unknown here, so they have none.
 *
 * `node tools/complete-lockfile.mjs` after every `npm install`; the lockfile check says when it was forgotten.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 * @typedef {{ version?: string, integrity?: string, cpu?: string[], dev?: boolean, libc?: string[], license?: string,
 *   optional?: boolean, os?: string[], optionalDependencies?: Record<string, string> }} Entry
 */

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const cpus = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']

/**
 * The entries that a lockfile lacks, by their place: builds that a package names at an exact version.
 *
 * @param {Record<string, Entry>} packages
 * @returns {Map<string, Entry>}
 */
export function missingBuilds(packages) {
  const found = new Map()
  for (const [parent, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const platform = platformOf(name)
      if (parent === '' || platform === undefined || !/^\d/.test(version)) continue
      const resolved = resolve(packages, parent, name)
      if (resolved !== undefined && packages[resolved]?.version === version) continue
      const place = resolved === undefined ? `node_modules/${name}` : `${parent}/node_modules/${name}`
      const dev = entry.dev === true ? { dev: true } : {}
      const license = entry.license === undefined ? {} : { license: entry.license }
      const rival = found.get(place)
      const free = rival === undefined || rival.version === version ? place : `${parent}/node_modules/${name}`
      if (rival !== undefined && free === place && entry.dev !== true) delete rival.dev
      else if (rival === undefined || free !== place) {
        const fields = Object.entries({ ...platform, ...dev, ...license, optional: true })
        found.set(free, { version, ...Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1))) }) // npm's order
      }
    }
  }
  return found
}

/** Where Node finds a package from another's place. @param {Record<string, Entry>} packages @param {string} from @param {string} name */
function resolve(packages, from, name) {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')))) {
    const place = base === '' ? `node_modules/${name}` : `${base}/node_modules/${name}`
    if (place in packages) return place
    if (base === '') return undefined
  }
}

/** The platform that a build's name ends with, as npm's fields say it. @param {string} name */
function platformOf(name) {
  const words = name.split(/[/-]/)
  const os = systems.find((system) => words.includes(system))
  const cpu = cpus.find((kind) => words.includes(kind))
  if (cpu === undefined || (os === undefined && cpu !== 'wasm32')) return undefined
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : words.includes('gnu') ? 'glibc' : undefined
  return { cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc] }), ...(os === undefined ? {} : { os: [os] }) }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const path = join(fileURLToPath(new URL('..', import.meta.url)), 'package-lock.json')
  const lockfile = JSON.parse(readFileSync(path, 'utf8'))
  const missing = missingBuilds(lockfile.packages)
  const entries = [...Object.entries(lockfile.packages), ...missing].toSorted(([a], [b]) => a.localeCompare(b, 'en'))
  writeFileSync(path, `${JSON.stringify({ ...lockfile, packages: Object.fromEntries(entries) }, null, 2)}\n`)
  process.stdout.write(`package-lock.json: ${missing.size} builds for other platforms added\n`)
}
