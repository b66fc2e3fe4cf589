/** Programs that people run notebooks with drive the kernel: nbconvert, papermill, jupyter console. */
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Notebook } from '../../../src/cli/notebook/notebook.js'
import { pythonEnv } from '../../../tools/python-env.mjs'
import { missing } from '../../needs.js'

const run = promisify(execFile)
const lacking = missing('python')
const home = mkdtempSync(join(tmpdir(), 'shardbook-clients-'))
const folder = join(home, 'work')
let bin: string
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  if (lacking !== undefined) return
  bin = dirname(await pythonEnv())
  mkdirSync(folder)
  env = {
    ...process.env,
    JUPYTER_PATH: join(home, 'share', 'jupyter'),
    JUPYTER_RUNTIME_DIR: join(home, 'runtime'),
    JUPYTER_CONFIG_DIR: join(home, 'config'),
  }
  await run(process.execPath, ['dist/src/cli/main.js', 'install', '--prefix', home])
}, 400_000)
afterAll(() => rmSync(home, { recursive: true, force: true }))

function write(
  name: string,
  sources: readonly string[],
  tags: Readonly<Record<number, readonly string[]>> = {},
): string {
  const path = join(folder, name)
  const cells = sources.map((source, i) => ({
    cell_type: 'code',
    id: `cell-${i}`,
    metadata: { tags: tags[i] ?? [] },
    execution_count: null,
    outputs: [],
    source,
  }))
  const kernelspec = { name: 'shardbook', display_name: 'TypeScript (Shardbook)', language: 'typescript' }
  writeFileSync(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells }))
  return path
}

function outputs(path: string): unknown[] {
  const { cells } = JSON.parse(readFileSync(path, 'utf8')) as Notebook
  return cells.flatMap((cell) => (cell.cell_type === 'code' ? (cell.outputs as unknown[]) : []))
}

describe.skipIf(lacking)('clients', () => {
  test('nbconvert executes a notebook', { timeout: 120_000 }, async () => {
    write('plain.ipynb', ['const one: number = 1', 'console.log(one); one + 1'])
    await run(
      join(bin, 'python'),
      ['-m', 'nbconvert', '--to', 'notebook', '--execute', '--output', 'done.ipynb', 'plain.ipynb'],
      { cwd: folder, env },
    )
    expect(outputs(join(folder, 'done.ipynb'))).toMatchObject([
      { output_type: 'stream', text: ['1\n'] },
      { output_type: 'execute_result', data: { 'text/plain': ['2'] } },
    ])
  })

  test('nbconvert tells of a cell that fails', { timeout: 120_000 }, async () => {
    write('wrong.ipynb', ['const text: string = 1'])
    const failure = await run(
      join(bin, 'python'),
      ['-m', 'nbconvert', '--to', 'notebook', '--execute', 'wrong.ipynb'],
      {
        cwd: folder,
        env,
      },
    ).catch((error: unknown) => error as { stderr: string })
    expect(failure.stderr).toContain("Type 'number' is not assignable to type 'string'")
  })

  test('papermill executes a notebook', { timeout: 120_000 }, async () => {
    write('paper.ipynb', ['const rows = [1, 2, 3]', 'rows.length'])
    await run(join(bin, 'papermill'), ['paper.ipynb', 'paper-done.ipynb', '--no-progress-bar'], { cwd: folder, env })
    expect(outputs(join(folder, 'paper-done.ipynb'))).toMatchObject([{ data: { 'text/plain': ['3'] } }])
  })

  test('jupyter console runs lines and shows their values', { timeout: 120_000 }, async () => {
    const child = spawn(join(bin, 'jupyter-console'), ['--kernel', 'shardbook', '--simple-prompt'], {
      cwd: folder,
      env,
    })
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()))
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    child.stdin.end('const six: number = 6\nsix * 7\n')
    await ended
    expect(printed).toContain('Out[2]: 42')
  })
})
