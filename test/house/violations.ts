/** One violation a rule, planted into a tree that is otherwise clean: a check that does not see it is no check. */
import { edited } from './tree.js'

/** A violation and what the check must say of it. */
export interface Violation {
  readonly check: string
  readonly plant: string
  readonly files: Readonly<Record<string, string | undefined>>
  /** Where the check must point, and a word of what it says. */
  readonly at: string
  readonly says: string | RegExp
}

/** A violation that is one file. */
const file = (
  check: string,
  plant: string,
  path: string,
  source: string,
  says: string | RegExp,
  line = 1,
): Violation => ({ check, plant, files: { [path]: source }, at: `${path}:${line}:`, says })

const layer = (plant: string, path: string, source: string, says: string | RegExp, line = 1): Violation =>
  file('layers', plant, path, source, says, line)

export const violations: readonly Violation[] = [
  file('format', 'two spaces', 'src/core/ugly.ts', 'export const  x = 1\n', 'format'),
  {
    check: 'lint',
    plant: 'a floating promise',
    files: {
      'src/core/float.ts':
        'async function go(): Promise<void> {\n  await null\n}\n\nexport function start(): void {\n  go()\n}\n',
    },
    at: 'src/core/float.ts:6:',
    says: 'no-floating-promises',
  },
  file('lint', 'any', 'src/core/any.ts', 'export const x: any = 1\n', 'no-explicit-any'),
  {
    check: 'lint',
    plant: 'a cycle of imports',
    files: {
      'src/core/a.ts': "import { b } from './b.js'\n\nexport const a = (): number => b()\n",
      'src/core/b.ts': "import { a } from './a.js'\n\nexport const b = (): number => a()\n",
    },
    at: 'src/core/a.ts:1:',
    says: 'no-cycle',
  },
  {
    check: 'lint',
    plant: 'a test that cannot fail',
    files: { 'test/core/idle.test.ts': "import { it } from 'vitest'\n\nit('idles', () => {\n  process.cwd()\n})\n" },
    at: 'test/core/idle.test.ts:3:',
    says: 'expect-expect',
  },
  file('types', 'a string for a number', 'src/core/text.ts', "\nexport const x: number = 'one'\n", 'TS2322', 2),
  {
    check: 'types',
    plant: 'an enum',
    files: { 'src/core/enum.ts': 'export enum Colour {\n  Red,\n}\n' },
    at: 'src/core/enum.ts:1:',
    says: 'TS1294',
  },

  layer(
    'an import upwards',
    'src/core/up.ts',
    "\nimport { load } from '../ffi/load.js'\n",
    'core may not import ffi',
    2,
  ),
  layer(
    'a type-only import sideways',
    'src/viz/side.ts',
    "import type { Job } from '../nn/job.js'\n",
    'viz may not import nn',
  ),
  layer(
    'an import() type',
    'src/frame/side.ts',
    "export type Job = import('../nn/job.js').Job\n",
    'frame may not import nn',
  ),
  layer(
    'a dynamic import',
    'kernel/front/late.ts',
    "export const f = () => import('../../src/frame/frame.js')\n",
    'kernel may not import frame',
  ),
  layer('a re-export', 'src/store/again.ts', "export * from '../frame/frame.js'\n", 'store may not import frame'),
  layer(
    'a named re-export',
    'src/nn/again.ts',
    "export { pool } from '../distributed/pool.js'\n",
    'nn may not import distributed',
  ),
  layer(
    'a process of another part',
    'src/engine/spawn.ts',
    "export const main = new URL('../nn/main.js', import.meta.url)\n",
    'engine may not import nn',
  ),
  layer('the public list', 'src/nn/all.ts', "import { area } from '../index.js'\n", 'nn may not import index'),
  layer('the package by name', 'src/nn/self.ts', "import { area } from 'shardbook'\n", 'own name'),
  layer(
    'a vendor beside its door',
    'src/nn/door.ts',
    "import type { Chart } from 'vega'\n",
    /vega, whose only door is src\/viz/,
  ),
  layer('a vendor without a door', 'src/core/new.ts', "import left from 'left-pad'\n", 'left-pad, which has no door'),
  layer('a vendor by require', 'src/nn/req.ts', "const zmq = require('zeromq')\n", 'zeromq, whose only door'),
  layer('a computed name', 'src/frame/any.ts', 'export const load = (name: string) => import(name)\n', 'computed'),
  layer('a bare builtin', 'src/core/fs.ts', "import fs from 'fs'\n", 'write node:fs'),
  {
    check: 'layers',
    plant: 'a vendor loaded by the root',
    files: {
      'src/index.ts': "export { size } from './ffi/size.js'\n",
      'src/ffi/size.ts': "import koffi from 'koffi'\n\nexport const size = koffi.sizeof\n",
    },
    at: 'src/ffi/size.ts:1:',
    says: 'when the root is imported',
  },
  {
    check: 'layers',
    plant: 'a table that says otherwise',
    files: edited('ARCHITECTURE.md', 'core, frame ', 'core, nn '),
    at: 'ARCHITECTURE.md:',
    says: "the row of viz says 'core, nn'",
  },

  file('dead code', 'an unused file', 'src/core/dead.ts', 'export const x = 1\n', 'nothing uses'),
  file(
    'dead code',
    'an unused export',
    'src/core/area.ts',
    'export const area = (width: number): number => width\nexport const half = 0.5\n',
    'half',
    2,
  ),
  {
    check: 'dead code',
    plant: 'an unused dependency',
    files: edited('package.json', '"koffi": "3.3.4"', '"koffi": "3.3.4",\n    "vega": "6.4.0"'),
    at: 'package.json:',
    says: 'vega',
  },
  file(
    'dead code',
    'an undeclared dependency',
    'src/core/area.ts',
    "import 'vega'\n\nexport const area = (width: number): number => width\n",
    'vega',
  ),

  {
    check: 'pins',
    plant: 'a caret',
    files: edited('package.json', '"3.3.4"', '"^3.3.4"'),
    at: 'package.json:20:',
    says: 'koffi is not pinned',
  },
  {
    check: 'pins',
    plant: 'a tilde',
    files: edited('package.json', '"7.0.2"', '"~7.0.2"'),
    at: 'package.json:24:',
    says: 'typescript is not pinned',
  },
  {
    check: 'pins',
    plant: 'a package named twice',
    files: edited('package.json', '"typescript"', '"koffi"'),
    at: 'package.json:',
    says: 'named twice',
  },
  file('pins', 'a free Python package', 'test/requirements.txt', 'jupyterlab>=4\n', 'not pinned'),

  {
    check: 'lockfile',
    plant: 'a host',
    files: edited('package-lock.json', '"license"', '"resolved": "https://example.org/koffi.tgz",\n      "license"'),
    at: 'package-lock.json:',
    says: 'names a host',
  },
  {
    check: 'lockfile',
    plant: 'another version',
    files: edited('package-lock.json', '"koffi": "3.3.4"', '"koffi": "3.3.5"'),
    at: 'package-lock.json:1:',
    says: 'koffi is 3.3.5',
  },
  {
    check: 'lockfile',
    plant: 'no checksum',
    files: edited('package-lock.json', '"integrity"', '"integral"'),
    at: 'package-lock.json:',
    says: 'no checksum',
  },
  {
    check: 'lockfile',
    plant: 'a build that npm left out',
    files: edited('package-lock.json', '"node_modules/@koromix/koffi-linux-x64"', '"node_modules/other"'),
    at: 'package-lock.json:1:',
    says: 'lacks node_modules/@koromix/koffi-linux-x64',
  },
  {
    check: 'lockfile',
    plant: 'a second copy',
    files: edited(
      'package-lock.json',
      '"node_modules/@koromix/koffi-linux-x64"',
      '"node_modules/x/node_modules/koffi"',
    ),
    at: 'package-lock.json:',
    says: 'second copy',
  },

  {
    check: 'reviewed packages',
    plant: 'a new version',
    files: edited('package-lock.json', '"version": "3.3.4"', '"version": "3.4.0"'),
    at: 'tools/reviewed-packages.json:1:',
    says: 'koffi 3.4.0 (MIT) is installed, not reviewed',
  },
  {
    check: 'reviewed packages',
    plant: 'a package that went',
    files: edited('package-lock.json', '"license": "MIT",\n', '"license": "MIT",\n      "dev": true,\n'),
    at: 'tools/reviewed-packages.json:4:',
    says: 'no longer installed',
  },
  {
    check: 'reviewed packages',
    plant: 'an empty review',
    files: edited('tools/reviewed-packages.json', 'foreign function calls', ''),
    at: 'tools/reviewed-packages.json:4:',
    says: 'empty review',
  },
  {
    check: 'reviewed packages',
    plant: 'a high advisory',
    files: edited('tools/reviewed-packages.json', 'foreign', 'high: CVE-2031-1'),
    at: 'tools/reviewed-packages.json:4:',
    says: 'high or critical',
  },
  {
    check: 'reviewed packages',
    plant: 'a licence that may not come along',
    files: {
      ...edited('tools/reviewed-packages.json', 'MIT', 'AGPL-3.0'),
      ...edited('package-lock.json', 'MIT', 'AGPL-3.0'),
    },
    at: 'tools/reviewed-packages.json:4:',
    says: 'not on the list',
  },

  file('file length', '301 lines', 'src/core/long.ts', '// A line.\n'.repeat(301), '301 lines', 301),
  file('words', 'an issue number', 'src/core/note.ts', ['\n// See', 'issue', '12.\n'].join(' '), 'no place', 2),

  {
    check: 'package',
    plant: 'types that are not there',
    files: { 'dist/src/index.d.ts': undefined },
    at: 'package.json:1:',
    says: 'publint',
  },
  {
    check: 'package',
    plant: 'CommonJS',
    files: { 'dist/src/index.js': 'module.exports = { area: 1 }\n' },
    at: 'package.json:1:',
    says: /publint|attw/,
  },
  {
    check: 'package',
    plant: 'types that name a file without its ending',
    files: {
      'dist/src/index.d.ts': "export { area } from './area'\n",
      'dist/src/area.d.ts': 'export declare const area: number\n',
    },
    at: 'package.json:1:',
    says: 'attw',
  },
]
