/** What TypeScript does not say with an error: where a missing name or package comes from, and that JSX is off. */
import { readFileSync } from 'node:fs'
import { builtinModules, createRequire } from 'node:module'
import { packageRoot } from '../package-root.js'
import { exportedNames } from '../../syntax.js'

/** Names that Node's modules export, with the module: the first that has it, of those that are meant most often. */
let nodeNames: ReadonlyMap<string, string> | undefined
let ownNames: ReadonlySet<string> | undefined

const usual = [
  'fs',
  'fs/promises',
  'path',
  'url',
  'util',
  'os',
  'child_process',
  'crypto',
  'events',
  'zlib',
  'readline',
]

/** The sentence to add to the message of an error with this code, if there is one. */
export function hintFor(code: string, message: string): string | undefined {
  const [, subject = ''] = /'([^']+)'/.exec(message) ?? []
  if (code === '2307' || code === '2792') {
    return /^[./]/.test(subject) || subject.startsWith('node:')
      ? undefined
      : `%npm install ${packageOf(subject)} adds it.`
  }
  if (!['2304', '2503', '2552', '2693'].includes(code)) return undefined
  ownNames ??= new Set(exportedNames(readFileSync(`${packageRoot}dist/src/index.d.ts`, 'utf8')))
  if (ownNames.has(subject)) return `import { ${subject} } from 'shardbook' brings it.`
  if (builtinModules.includes(subject)) return `import * as ${subject} from 'node:${subject}' brings it.`
  nodeNames ??= namesOfNode()
  const from = nodeNames.get(subject)
  return from === undefined ? undefined : `import { ${subject} } from 'node:${from}' brings it.`
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

function namesOfNode(): Map<string, string> {
  const load = createRequire(import.meta.url)
  const names = new Map<string, string>()
  for (const module of usual) {
    for (const name of Object.keys(load(`node:${module}`) as object)) if (!names.has(name)) names.set(name, module)
  }
  return names
}
