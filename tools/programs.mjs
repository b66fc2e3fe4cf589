/** The checks that other programs make: format, lint, types, dead code, and the shape of the packed package. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../node_modules/.bin', import.meta.url))

/** @param {string} root @returns {Promise<string[]>} */
export async function checkFormat(root) {
  const { code, stdout, stderr } = await run('oxfmt', ['--list-different'], root)
  const files = stdout.split('\n').filter((line) => line !== '')
  if (code !== 0 && files.length === 0) return [`oxfmt: ${stderr.trim()}`]
  return files.map((file) => `${file}:1: is not formatted: npm run format.`)
}

/** @param {string} root @returns {Promise<string[]>} */
export async function checkLint(root) {
  const args = ['--deny-warnings', '--report-unused-disable-directives', '--format', 'unix']
  const { code, stdout, stderr } = await run('oxlint', args, root)
  const findings = stdout.split('\n').filter((line) => /^\S+:\d+:\d+: /.test(line))
  return code !== 0 && findings.length === 0 ? [`oxlint: ${(stdout + stderr).trim()}`] : findings
}

/** @param {string} root @returns {Promise<string[]>} */
export async function checkTypes(root) {
  const { code, stdout, stderr } = await run('tsc', ['-p', '.', '--pretty', 'false'], root)
  const findings = stdout.split('\n').flatMap((line) => {
    const match = /^(\S+?)\((\d+),\d+\): (?:error )?(.*)$/.exec(line)
    return match === null ? [] : [`${match[1]}:${match[2]}: ${match[3]}`]
  })
  return code !== 0 && findings.length === 0 ? [`tsc: ${(stdout + stderr).trim()}`] : findings
}

/**
 * Files, exports and dependencies that nothing uses; dependencies that are used and not declared.
 *
 * @param {string} root @returns {Promise<string[]>}
 */
export async function checkDeadCode(root) {
  const { code, stdout, stderr } = await run('knip', ['--reporter', 'json', '--no-progress'], root)
  if (!stdout.trimStart().startsWith('{')) return code === 0 ? [] : [`knip: ${(stdout + stderr).trim()}`]
  /** @typedef {{ name?: string, line?: number } | { name?: string, line?: number }[]} Item */
  const { issues } = /** @type {{ issues: (Record<string, Item[]> & { file: string })[] }} */ (JSON.parse(stdout))
  return issues.flatMap(({ file, ...kinds }) =>
    Object.entries(kinds).flatMap(([kind, items]) =>
      (Array.isArray(items) ? items.flat() : []).map(
        ({ name, line }) =>
          `${file}:${line ?? 1}: ${kind === 'files' ? 'nothing uses this file' : `${kind}: ${name}`}.`,
      ),
    ),
  )
}

/**
 * What npm would publish: publint over the tarball, and its types as ESM users' compilers resolve them.
 *
 * @param {string} root @returns {Promise<string[]>}
 */
export async function checkPackage(root) {
  const folder = mkdtempSync(join(tmpdir(), 'shardbook-pack-'))
  try {
    const packed = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], root)
    const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'))
    if (tarball === undefined) return [`npm pack: ${packed.stderr.trim()}`]
    const path = join(folder, tarball)
    const [lint, types] = await Promise.all([
      run('publint', ['run', path, '--strict'], root),
      run('attw', [path, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji', '--no-color'], root),
    ])
    const findings = []
    if (lint.code !== 0) findings.push(`package.json:1: publint: ${(lint.stdout + lint.stderr).trim()}`)
    if (types.code !== 0) findings.push(`package.json:1: attw: ${(types.stdout + types.stderr).trim()}`)
    return findings
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * @param {string} program @param {string[]} args @param {string} cwd
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>}
 */
function run(program, args, cwd) {
  const path = program === 'npm' ? program : join(bin, program)
  return new Promise((resolve) => {
    execFile(path, args, { cwd, maxBuffer: 1 << 27 }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : 1
      resolve({ code, stdout, stderr: stderr || (error === null ? '' : error.message) })
    })
  })
}
