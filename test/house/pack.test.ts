/** What a user gets: the packed package, installed into an empty folder, with install scripts on and off. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { productionTree, readReviewed } from '../../tools/advisories.mjs'
import { prepare } from '../../tools/provision.mjs'

const home = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'shardbook-user-'))
const list = readFileSync(join(home, 'tools/reviewed-packages.json'), 'utf8')
const run = promisify(execFile)

/** A user's environment: nothing of the npm run that these tests may be part of. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))

let packed: { filename: string; files: { path: string; size: number }[] }

beforeAll(async () => {
  prepare(home)
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: home, env })
  packed = (JSON.parse(stdout) as [typeof packed])[0]
  // As of the review: what is published later is no matter of this commit.
  const { reviewedAt } = JSON.parse(list) as { reviewedAt: string }
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', `--before=${reviewedAt}`]
  const scripts = { on: ['--ignore-scripts=false', '--dangerously-allow-all-scripts'], off: ['--ignore-scripts'] }
  for (const [name, more] of Object.entries(scripts)) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'package.json'), '{ "private": true, "type": "module" }\n')
    await run('npm', ['install', ...flags, ...more, join(folder, packed.filename)], { cwd: join(folder, name), env })
  }
}, 600_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the packed package', () => {
  it('holds what a user needs and nothing else', () => {
    const paths = packed.files.map(({ path }) => path)
    expect(paths).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'FEATURES.md',
        'LICENSE',
        'THIRD-PARTY.md',
        'dist/src/index.js',
        'dist/src/index.d.ts',
        'dist/src/cli/main.js',
        'dist/vendor/tfjs-node-kernels.cjs',
        'dist/vendor/tfjs-node-kernels.LICENSE',
      ]),
    )
    const documents = /^(?:package\.json|README\.md|FEATURES\.md|LICENSE|THIRD-PARTY\.md|notebooks\/[\w-]+\.ipynb)$/
    const built = /^dist\/(?:src|kernel|vendor)\/.*(?:\.d\.ts|\.js|\.cjs|\.css|\.py|\.svg|\.png|\.LICENSE)$/
    expect(paths.filter((path) => !documents.test(path) && !built.test(path))).toEqual([])
  })

  it('gets the same files from npm with install scripts on and off, so nothing was downloaded or compiled', () => {
    const [on, off] = ['on', 'off'].map((name) => tree(join(folder, name, 'node_modules')))
    expect(on!.length).toBeGreaterThan(1000)
    expect(on).toEqual(off)
  })

  it('resolves to exactly the reviewed packages', () => {
    const installed = [...productionTree(join(folder, 'off')).keys()].filter((key) => !key.startsWith('shardbook@'))
    expect(installed.toSorted()).toEqual([...readReviewed(list).keys()].toSorted())
  })

  describe.each(['on', 'off'])('installed with scripts %s', (name) => {
    const cwd = join(folder, name)
    const node = (source: string) => run(process.execPath, ['--input-type=module', '--eval', source], { cwd, env })

    it('offers the command', async () => {
      const { stdout } = await run(join(cwd, 'node_modules/.bin/shardbook'), ['--help'], { cwd, env })
      expect(stdout).toContain('Usage: shardbook <command>')
      const version = await run('npx', ['--no-install', 'shardbook', '--version'], { cwd, env })
      expect(version.stdout.trim()).toBe('0.1.0')
    })

    it('offers the library, which loads no vendor until it is used', async () => {
      const { stdout, stderr } = await node(`
        import { createRequire } from 'node:module'
        const names = Object.keys(await import('shardbook'))
        const cached = Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('node_modules'))
        process.stdout.write(JSON.stringify({ names, cached }))`)
      expect(stderr).toBe('')
      const { names, cached } = JSON.parse(stdout) as { names: string[]; cached: string[] }
      expect(names).toEqual(
        expect.arrayContaining(['col', 'datasets', 'display', 'engine', 'ml', 'nn', 'pool', 'read', 'viz']),
      )
      expect(cached).toEqual([])
    })

    it('finds its vendors when it is used', async () => {
      writeFileSync(join(cwd, 'rows.csv'), 'kind,size\na,1\nb,2\na,3\n')
      const { stdout } = await node(`
        import { read } from 'shardbook'
        const frame = await read.csv('rows.csv')
        process.stdout.write(String(await frame.count()))`)
      expect(stdout).toBe('3')
    })
  })

  it('type-checks in strict mode, its declarations included', async () => {
    const cwd = join(folder, 'off')
    writeFileSync(
      join(cwd, 'use.ts'),
      `import { col, datasets, ml, pool, type Frame } from 'shardbook'
const digits = await datasets.mnist({ split: 'test' })
const dark = digits.filter(col('label').gt(4))
const cnn = new ml.CNNClassifier({ inputCol: 'image', labelCol: 'label', outputCol: 'prediction', maxIter: 1 })
const workers = await pool({ workers: 2 })
const model = await cnn.fit(dark, { on: workers })
export const predictions: Frame<{ prediction: number }> = model.transform(dark).select('prediction')
`,
    )
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
      strict: true,
      noEmit: true,
      types: ['node'],
    }
    writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['use.ts'] }))
    const messages = await run(join(home, 'node_modules/.bin/tsc'), ['-p', '.', '--pretty', 'false'], {
      cwd,
      env,
    }).then(
      ({ stdout }) => stdout,
      (error: { stdout: string }) => error.stdout,
    )
    // Vendors' own declarations are theirs; ours, and what a user writes, must be clean.
    const ours = messages.split('\n').filter((line) => /^(?:use\.ts|node_modules\/shardbook\/)/.test(line))
    expect(ours).toEqual([])
  })
})

/** Path and size of every file. npm's own note of what it installed is left out. */
function tree(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== '.package-lock.json')
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${relative(root, path)} ${statSync(path).size}`)
    .toSorted()
}
