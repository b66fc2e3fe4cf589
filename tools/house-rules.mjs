/** Small rules over files as text: exact pins, a clean lockfile, file length, and words that have no place in the project. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { missingBuilds } from './complete-lockfile.mjs'
import { listFiles } from './files.mjs'

const maxLines = 300

/** Files that may be longer than `maxLines`, with the reason. Empty, and better kept so. */
const longFiles = /** @type {Record<string, string>} */ ({})

/** Words that mean something on one machine or to one team only; the project speaks of itself. */
const foreignWords = [
  String.raw`(?<![\w.-])/(?:home|root|Users|work)/\w`,
  String.raw`\bissue #?\d`,
  String.raw`\bhttps?://[\w.-]*(?:registry|artifactory|nexus)[\w.-]*`,
]

/** Places that need such a word, with the reason. */
const allowedWords = /** @type {Record<string, string>} */ ({})

/** No file over `maxLines` lines. @param {string} root @returns {Promise<string[]>} */
export async function checkFileLength(root) {
  const findings = []
  for (const file of sources(root)) {
    const lines = readFileSync(join(root, file), 'utf8').trimEnd().split('\n').length
    if (lines > maxLines && !(file in longFiles))
      findings.push(`${file}:${lines}: has ${lines} lines, over ${maxLines}.`)
  }
  for (const file of Object.keys(longFiles)) {
    if (!existsSync(join(root, file))) findings.push(`${file}:1: is on the list of long files, but is not there.`)
  }
  return findings
}

/** The project speaks of itself only. @param {string} root @returns {Promise<string[]>} */
export async function checkWords(root) {
  const pattern = new RegExp(foreignWords.join('|'), 'i')
  return listFiles(root)
    .filter((file) => !(file in allowedWords) && /\.(?:[cm]?[jt]s|json|md|py|txt|ipynb|ya?ml|html)$|^\.ci\//.test(file))
    .flatMap((file) =>
      readFileSync(join(root, file), 'utf8')
        .split('\n')
        .flatMap((line, i) => {
          const word = pattern.exec(line)?.[0]
          return word === undefined ? [] : [`${file}:${i + 1}: '${word}' has no place in the project.`]
        }),
    )
}

/** Dependencies at exact versions, each named once. @param {string} root @returns {Promise<string[]>} */
export async function checkPins(root) {
  const text = readFileSync(join(root, 'package.json'), 'utf8')
  const manifest = /** @type {Record<string, Record<string, string> | undefined>} */ (JSON.parse(text))
  const findings = []
  const seen = new Set()
  for (const group of ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies']) {
    for (const [name, version] of Object.entries(manifest[group] ?? {})) {
      const at = `package.json:${lineOf(text, `"${name}": "${version}"`)}`
      if (!/^\d+\.\d+\.\d+(?:-[\w.-]+)?$/.test(version)) findings.push(`${at}: ${name} is not pinned: ${version}.`)
      if (seen.has(name)) findings.push(`${at}: ${name} is named twice.`)
      seen.add(name)
    }
  }
  return [...findings, ...pythonPins(root)]
}

/** @param {string} root */
function pythonPins(root) {
  const path = 'test/requirements.txt'
  if (!existsSync(join(root, path))) return []
  const lines = readFileSync(join(root, path), 'utf8').split('\n')
  return lines.flatMap((line, i) =>
    line === '' || line.startsWith('#') || /^[\w.-]+==[\w.]+$/.test(line)
      ? []
      : [`${path}:${i + 1}: is not pinned: ${line}.`],
  )
}

/**
 * The lockfile agrees with package.json, names no host, has a checksum for everything but builds for platforms that the
 * registry lacked, misses none of those, and holds each direct dependency
 * once: two copies of a package that keeps state, such as tfjs-core, are two engines.
 *
 * @param {string} root @returns {Promise<string[]>}
 */
export async function checkLockfile(root) {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8')
  const { lockfileVersion, packages } = /** @type {{ lockfileVersion: number, packages: Record<string, any> }} */ (
    JSON.parse(text)
  )
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const findings = lockfileVersion === 3 ? [] : ['package-lock.json:1: expected lockfile version 3.']
  for (const group of ['dependencies', 'devDependencies']) {
    const [wanted, locked] = [manifest[group] ?? {}, packages['']?.[group] ?? {}]
    for (const name of new Set([...Object.keys(wanted), ...Object.keys(locked)])) {
      if (wanted[name] === locked[name]) continue
      findings.push(
        `package-lock.json:1: ${name} is ${locked[name] ?? 'absent'}, package.json says ${wanted[name] ?? 'nothing'}.`,
      )
    }
  }
  for (const [path, entry] of Object.entries(packages)) {
    if (path === '') continue
    const at = `package-lock.json:${lineOf(text, `"${path}": {`)}`
    if (entry.resolved !== undefined) findings.push(`${at}: names a host: ${entry.resolved}.`)
    const isBuild = entry.optional === true && entry.cpu !== undefined
    if (entry.integrity === undefined && !isBuild) findings.push(`${at}: has no checksum.`)
    const name = path.slice(path.lastIndexOf('node_modules/') + 13)
    const isSecond =
      path !== `node_modules/${name}` && manifest.dependencies?.[name] !== undefined && !name.startsWith('@types/')
    if (isSecond && entry.dev !== true) findings.push(`${at}: is a second copy of a direct dependency.`)
  }
  for (const place of missingBuilds(packages).keys()) {
    findings.push(`package-lock.json:1: lacks ${place}, so that npm ci fails: node tools/complete-lockfile.mjs.`)
  }
  return findings
}

/** What people write by hand and a machine runs. @param {string} root */
function sources(root) {
  return listFiles(root, ['src', 'kernel', 'test', 'tools', 'bench']).filter((file) =>
    /\.(?:[cm]?[jt]s|py)$/.test(file),
  )
}

/** @param {string} text @param {string} part */
function lineOf(text, part) {
  const index = text.indexOf(part)
  return index < 0 ? 1 : text.slice(0, index).split('\n').length
}
