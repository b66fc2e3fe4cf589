/** The compiler's words for misuse: sentences that name the column. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

/** What the compiler says about each of these statements, in order. */
async function compile(statements: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'types-'))
  try {
    const header = `import { col, type Frame } from '${root}/src/frame/index.js'; declare const f: Frame<{ id: number; petal: number | null; species: string }>;\n`
    await writeFile(join(folder, 'a.ts'), `${header}${statements.join('\n')}\n`)
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--skipLibCheck',
      '--types',
      'node',
    ]
    const { stdout } = await promisify(execFile)(
      join(root, 'node_modules/.bin/tsc'),
      [...options, '--typeRoots', join(root, 'node_modules/@types'), '--pretty', 'false', join(folder, 'a.ts')],
      { cwd: folder },
    ).catch((error: unknown) => error as { stdout: string })
    const messages = stdout.split(/^(?=\S*a\.ts\()/m)
    return statements.map((_, i) => messages.filter((message) => message.includes(`a.ts(${i + 2},`)).join(''))
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('misuse is a compile-time error that reads as a sentence, and good use is none', async () => {
  const messages = await compile([
    `f.filter(col('petall').gt(1.5))`,
    `f.filter(c => c.petall.gt(1.5))`,
    `f.withColumns({ x: col('species').add(1) })`,
    `f.sort(col('petall').desc())`,
    `f.groupBy('specie')`,
    `f.filter(c => c.petal.gt(1.5)).withColumns({ x: col('id').add(col('petal')) }).groupBy('species').agg({ n: col.count() })`,
  ])
  expect(messages[0]).toContain(`There is no column 'petall' in this frame.`)
  expect(messages[1]).toContain(`Did you mean 'petal'?`)
  expect(messages[2]).toContain(`The column 'species' is a string, but this takes a number.`)
  expect(messages[3]).toContain(`There is no column 'petall' in this frame.`)
  expect(messages[4]).toContain(`'"specie"' is not assignable`)
  expect(messages[5]).toBe('')
})
