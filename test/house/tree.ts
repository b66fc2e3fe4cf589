/** A small project that passes every check, in a temporary folder; tests plant one violation in it. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const home = fileURLToPath(new URL('../..', import.meta.url))

const integrity = 'sha512-c2hhcmRib29r'
const manifest = {
  name: 'shardbook',
  version: '0.1.0',
  description: 'A tree that checks look at',
  license: 'Apache-2.0',
  bin: { shardbook: 'dist/src/cli/main.js' },
  files: ['dist'],
  type: 'module',
  exports: { '.': { types: './dist/src/index.d.ts', default: './dist/src/index.js' } },
  dependencies: { koffi: '3.3.4' },
  devDependencies: { '@types/node': '20.19.43', typescript: '7.0.2', vitest: '4.1.12' },
}

/** The files of the tree by path. `undefined` in `planted` removes one. */
const files: Readonly<Record<string, string>> = {
  'package.json': pretty(manifest),
  'package-lock.json': pretty({
    lockfileVersion: 3,
    packages: {
      '': { dependencies: manifest.dependencies, devDependencies: manifest.devDependencies },
      'node_modules/koffi': {
        version: '3.3.4',
        integrity,
        license: 'MIT',
        optionalDependencies: { '@koromix/koffi-linux-x64': '3.3.4' },
      },
      'node_modules/@koromix/koffi-linux-x64': {
        version: '3.3.4',
        integrity,
        license: 'MIT',
        optional: true,
        os: ['linux'],
        cpu: ['x64'],
      },
      'node_modules/vitest': { version: '4.1.12', integrity, license: 'MIT', dev: true },
    },
  }),
  'tools/reviewed-packages.json': pretty({
    packages: [{ name: 'koffi', version: '3.3.4', licence: 'MIT', review: 'foreign function calls' }],
  }),
  'test/requirements.txt': '# Pinned.\njupyter_client==8.10.0\n',
  'src/core/area.ts': 'export function area(width: number, height: number): number {\n  return width * height\n}\n',
  'src/ffi/load.ts':
    "export async function load(): Promise<unknown> {\n  const koffi = await import('koffi')\n  return koffi.version\n}\n",
  'src/index.ts': "export { area } from './core/area.js'\n",
  'src/cli/main.ts':
    "import { load } from '../ffi/load.js'\nimport { area } from '../index.js'\n\nprocess.stdout.write(`${area(2, 3)} ${String(await load())}\\n`)\n",
  'test/core/area.test.ts':
    "import { expect, it } from 'vitest'\nimport { area } from '../../src/core/area.js'\n\nit('multiplies', () => {\n  expect(area(2, 3)).toBe(6)\n})\n",
  'dist/src/index.js': 'export const area = (width, height) => width * height\n',
  'dist/src/index.d.ts': 'export declare const area: (width: number, height: number) => number\n',
  'dist/src/cli/main.js': '#!/usr/bin/env node\n',
}

/** Makes the tree with `planted` in it, and returns its folder, which goes when the test ends. */
export function plantTree(planted: Readonly<Record<string, string | undefined>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'shardbook-tree-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  symlinkSync(join(home, 'node_modules'), join(root, 'node_modules'))
  for (const name of ['.oxfmtrc.json', '.oxlintrc.json', 'tsconfig.json', 'knip.jsonc', 'ARCHITECTURE.md', 'LICENSE']) {
    copyFileSync(join(home, name), join(root, name))
  }
  for (const [path, text] of Object.entries({ ...files, ...planted })) {
    if (text === undefined) continue
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

/** A file of the tree with one piece of text replaced. */
export function edited(path: string, from: string, to: string): Record<string, string> {
  const text = files[path] ?? readFileSync(join(home, path), 'utf8')
  if (!text.includes(from)) throw new Error(`edited: expected ${path} to hold ${JSON.stringify(from)}.`)
  return { [path]: text.replace(from, to) }
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
