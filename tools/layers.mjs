/**
 * The layer check: who may import whom, which part may import which vendor, and what importing the root may load.
 *
 * Every way of naming a module counts: static imports and re-exports (type-only ones too), `import()` and `import('…')`
 * types, `require`, `require.resolve`, `import.meta.resolve`, and `new URL('./…', import.meta.url)`, by which processes
 * are started. The tables below are the rules; that of the parts must say the same as ARCHITECTURE.md.
 */
import { existsSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join, posix } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'
import { listFiles } from './files.mjs'

/** Part to the parts that it may import besides itself; `cli` may import everything, nothing may import `index`. */
const parts = /** @type {Record<string, readonly string[]>} */ ({
  core: [],
  ffi: ['core'],
  store: ['core'],
  engine: ['core', 'ffi'],
  frame: ['core', 'ffi', 'store'],
  ui: ['core'],
  viz: ['core', 'frame'],
  nn: ['core', 'engine', 'frame', 'viz', 'store'],
  distributed: ['core', 'ffi', 'store', 'engine', 'frame', 'viz', 'nn'],
  kernel: ['core'],
  cli: ['core', 'ffi', 'store', 'engine', 'frame', 'ui', 'viz', 'nn', 'distributed', 'kernel', 'index'],
  index: ['core', 'ffi', 'store', 'engine', 'frame', 'ui', 'viz', 'nn', 'distributed'],
})

/** Vendor to the only paths that may import it: one vendor, one door. */
const doors = /** @type {Record<string, readonly string[]>} */ ({
  koffi: ['src/ffi/'],
  'apache-arrow': ['src/frame/arrow/'],
  fzstd: ['src/frame/arrow/'],
  'lz4-napi': ['src/frame/arrow/'],
  '@duckdb/node-api': ['src/frame/engine/duckdb/'],
  '@duckdb/node-bindings': ['src/frame/engine/duckdb/'],
  '@tensorflow/tfjs-core': ['src/engine/', 'src/nn/'],
  '@tensorflow/tfjs-layers': ['src/engine/'],
  '@tensorflow/tfjs-backend-cpu': ['src/engine/'],
  '@tensorflow/tfjs-backend-wasm': ['src/engine/'],
  '@tensorflow/tfjs-node-gpu': ['src/engine/'],
  zeromq: ['kernel/front/'],
  typescript: ['kernel/front/language/'],
  'oxc-transform': ['kernel/compile/'],
  'oxc-parser': ['kernel/syntax.ts'],
  'magic-string': ['kernel/compile/'],
  vega: ['src/viz/'],
  'vega-lite': ['src/viz/'],
  '@resvg/resvg-js': ['src/viz/'],
  '@expo-google-fonts/inter': ['src/viz/'],
  'ml-pca': ['src/viz/'],
  'umap-js': ['src/viz/'],
  aws4fetch: ['src/store/'],
  '@napi-rs/image': ['src/frame/io/'],
  marked: ['src/cli/'],
})

/** Files that load modules on the user's behalf, with the reason: they may compute a name, and point at the public list. */
const userImports = /** @type {Record<string, string>} */ ({
  'kernel/session/evaluator.ts': "`import.meta.resolve` of the user's own module",
  'src/frame/apply/function-main.ts': "the module that a user's function is in",
  'kernel/session/modules.ts': "`import 'shardbook'` in a notebook is the kernel's own copy",
  'src/cli/page/page.ts': 'reads the browser builds of Vega and Vega-Lite as text, for the exported page',
})

/** @typedef {{ specifier: string | undefined, line: number, static: boolean }} Reference */

/** @param {string} root @returns {Promise<string[]>} */
export async function checkLayers(root) {
  const files = listFiles(root, ['src', 'kernel']).filter((file) => /\.[cm]?[jt]s$/.test(file))
  const graph = new Map(files.map((file) => [file, references(root, file)]))
  const findings = compareWithArchitecture(root)
  for (const [file, found] of graph) {
    for (const reference of found) {
      const problem = judge(file, reference)
      if (problem !== undefined) findings.push(`${file}:${reference.line}: ${problem}`)
    }
  }
  return [...findings, ...eagerVendors(graph)]
}

/** What is wrong with a reference, if anything. @param {string} file @param {Reference} reference */
function judge(file, { specifier, static: isStatic }) {
  if (specifier === undefined) {
    return file in userImports ? undefined : 'imports a module whose name is computed.'
  }
  if (specifier.startsWith('.')) {
    const target = posix.normalize(posix.join(posix.dirname(file), specifier))
    const [from, to] = [partOf(file), partOf(target)]
    if (to === undefined) return isStatic ? `imports ${specifier}, which is in no part.` : undefined
    if (from === to || (from !== undefined && parts[from]?.includes(to))) return undefined
    if (to === 'index' && file in userImports) return undefined
    return `${from ?? 'this file'} may not import ${to} (${specifier}).`
  }
  if (specifier.startsWith('node:')) return undefined
  const vendor = packageOf(specifier)
  if (builtinModules.includes(vendor)) return `imports ${specifier}: write node:${specifier}.`
  if (specifier === 'shardbook/package.json') return undefined // the package's own version
  if (vendor === 'shardbook') return 'imports the package by its own name: import the part.'
  const door = doors[vendor]
  if (door === undefined) return `imports ${vendor}, which has no door in tools/layers.mjs.`
  return door.some((prefix) => file.startsWith(prefix))
    ? undefined
    : `imports ${vendor}, whose only door is ${door.join(', ')}.`
}

/** `src/nn/x.ts` -> `nn`, `kernel/y.ts` -> `kernel`, `src/index.ts` -> `index`. @param {string} path */
function partOf(path) {
  const [first, second, ...rest] = path.split('/')
  if (first === 'kernel') return 'kernel'
  if (first !== 'src' || second === undefined) return undefined
  const part = rest.length === 0 ? second.replace(/\.[cm]?[jt]s$/, '') : second
  return part in parts && part !== 'kernel' ? part : undefined
}

/** @param {string} specifier */
function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/**
 * Vendors that importing the root would load: from `src/index.ts` along static imports that leave a run-time trace.
 *
 * @param {Map<string, Reference[]>} graph
 */
function eagerVendors(graph) {
  const findings = []
  const seen = new Set(['src/index.ts'])
  for (const file of seen) {
    for (const { specifier, line, static: isStatic } of graph.get(file) ?? []) {
      if (!isStatic || specifier === undefined || specifier.startsWith('node:')) continue
      if (specifier.startsWith('.')) seen.add(posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts'))
      else findings.push(`${file}:${line}: loads ${specifier} when the root is imported: import it at first use.`)
    }
  }
  return findings
}

/** The modules that a file names. @param {string} root @param {string} file @returns {Reference[]} */
function references(root, file) {
  const source = readFileSync(join(root, file), 'utf8')
  const { program, errors } = parseSync(file, source)
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`)
  const found = /** @type {Reference[]} */ ([])
  /** @param {{ start: number }} node @param {string | undefined} specifier @param {boolean} [isStatic] */
  const add = (node, specifier, isStatic = false) =>
    found.push({ specifier, line: source.slice(0, node.start).split('\n').length, static: isStatic })
  new Visitor({
    ImportDeclaration: (node) => add(node, node.source.value, node.importKind !== 'type'),
    ExportAllDeclaration: (node) => add(node, node.source.value, node.exportKind !== 'type'),
    ExportNamedDeclaration: (node) => {
      if (node.source) add(node, node.source.value, node.exportKind !== 'type')
    },
    ImportExpression: (node) => add(node, literal(node.source)),
    TSImportType: (node) => add(node, literal(node.source)),
    CallExpression: (node) => {
      if (
        /^(?:require|require\.resolve|import\.meta\.resolve)$/.test(source.slice(node.callee.start, node.callee.end))
      ) {
        add(node, literal(node.arguments[0]))
      }
    },
    NewExpression: (node) => {
      const [target, base] = node.arguments
      const specifier = literal(target)
      const isUrl = source.slice(node.callee.start, node.callee.end) === 'URL'
      if (!isUrl || !base || source.slice(base.start, base.end) !== 'import.meta.url') return
      if (specifier?.startsWith('.') && /\.[cm]?[jt]s$/.test(specifier)) add(node, specifier)
    },
  }).visit(program)
  return found
}

/** The text of a string literal or of a template without holes. @param {unknown} node */
function literal(node) {
  const { type, value, quasis } =
    /** @type {{ type?: string, value?: unknown, quasis?: { value: { cooked: string } }[] }} */ (node ?? {})
  if (type === 'Literal' && typeof value === 'string') return value
  return type === 'TemplateLiteral' && quasis?.length === 1 ? quasis[0]?.value.cooked : undefined
}

/** ARCHITECTURE.md's table of the parts must say what `parts` says. @param {string} root */
function compareWithArchitecture(root) {
  const path = join(root, 'ARCHITECTURE.md')
  if (!existsSync(path)) return ['ARCHITECTURE.md:1: is missing.']
  const lines = readFileSync(path, 'utf8').split('\n')
  const start = lines.findIndex((line) => /^\|\s*part\s*\|\s*may import\s*\|/.test(line))
  const table = new Map()
  for (const [i, line] of lines.entries()) {
    if (start < 0 || i < start + 2) continue
    if (!line.startsWith('|')) break
    const [names = '', allowed = ''] = line
      .split('|')
      .slice(1)
      .map((cell) => cell.trim())
    for (const name of names.split(/,\s*/)) table.set(name, { allowed, line: i + 1 })
  }
  const findings = []
  for (const [part, allowed] of Object.entries(parts)) {
    const row = table.get(part)
    const says = row === undefined ? undefined : normalise(part, row.allowed)
    const expected = allowed.toSorted().join(', ')
    if (says !== expected) {
      findings.push(
        `ARCHITECTURE.md:${row?.line ?? start + 1}: the row of ${part} says '${says ?? 'nothing'}', tools/layers.mjs '${expected}'.`,
      )
    }
  }
  return findings
}

/** @param {string} part @param {string} allowed */
function normalise(part, allowed) {
  const everything = Object.keys(parts).filter((name) => name !== part)
  if (allowed === 'nothing') return ''
  const words = allowed === 'everything' ? everything : allowed.split(/,\s*/)
  const but = /^everything but (.*)$/.exec(allowed)?.[1]?.split(/,\s*| and /)
  return (but === undefined ? words : everything.filter((name) => !but.includes(name))).toSorted().join(', ')
}
