/** The compiler's words for misuse, sentences that name the column, on the declarations that users have. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

/** What the compiler says about each of these statements, in order, and all of it. */
async function compile(header: string, statements: readonly string[]): Promise<{ messages: string[]; all: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'types-'))
  try {
    await writeFile(
      join(folder, 'a.ts'),
      `import { col, type Frame } from '${root}/dist/src/index.js'; ${header}\n${statements.join('\n')}\n`,
    )
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--skipLibCheck',
      '--extendedDiagnostics',
      '--types',
      'node',
    ]
    const { stdout } = await promisify(execFile)(
      join(root, 'node_modules/.bin/tsc'),
      [...options, '--typeRoots', join(root, 'node_modules/@types'), '--pretty', 'false', join(folder, 'a.ts')],
      { cwd: folder },
    ).catch((error: unknown) => error as { stdout: string })
    const messages = stdout.split(/^Files: /m)[0]!.split(/^(?=\S*a\.ts\()/m)
    const at = (i: number): string => messages.filter((message) => message.includes(`a.ts(${i + 2},`)).join('')
    return { messages: statements.map((_, i) => at(i)), all: stdout }
  } finally {
    await rm(folder, { recursive: true })
  }
}

const flowers = 'declare const f: Frame<{ id: number; petal: number | null; species: string }>'

test('misuse is a compile-time error that reads as a sentence, and good use is none', async () => {
  const { messages } = await compile(flowers, [
    `f.filter(col('petall').gt(1.5))`,
    `f.filter(c => c.petall.gt(1.5))`,
    `f.withColumns({ x: col('species').add(1) })`,
    `f.sort(col('petall').desc())`,
    `f.groupBy('specie')`,
    `f.select('petall')`,
    `f.withColumns({ x: col('id').add(1).over() })`,
    `f.join(f, { on: 'petall' })`,
    `f.filter(c => c.petal.gt(1.5)).withColumns({ x: col('id').add(col('petal')) }).groupBy('species').agg({ n: col.count() })`,
  ])
  expect(messages[0]).toContain(`There is no column 'petall' in this frame. Columns: id, petal, species.`)
  expect(messages[1]).toContain(`Did you mean 'petal'?`)
  expect(messages[2]).toContain(`The column 'species' is a string, but this takes a number.`)
  expect(messages[3]).toContain(`There is no column 'petall' in this frame.`)
  expect(messages[4]).toContain(`'"specie"' is not assignable to parameter of type '"id" | "petal" | "species"'`)
  expect(messages[5]).toContain(`'"petall"' is not assignable to parameter of type '"id" | "petal" | "species"'`)
  expect(messages[6]).toContain('over() is for aggregates and window functions')
  expect(messages[7]).toContain(`Type '"petall"' is not assignable to type '"id" | "petal" | "species"`)
  expect(messages[8]).toBe('')
})

test('a frame of 120 columns through 40 verbs costs the compiler little', async () => {
  const kinds = ['number', 'string', 'number | null', 'boolean', 'Date', 'string | null']
  const columns = Array.from({ length: 120 }, (_, i) => `c${i}: ${kinds[i % 6]}`)
  const header = `declare const f0: Frame<{ ${columns.join('; ')} }>; declare const other: Frame<{ c1: string; extra: number }>`
  const verbs: readonly ((i: number) => string)[] = [
    (i) => `.withColumns({ x${i}: col('c0').add(col('c2')) })`,
    (i) => `.filter((c) => c.c0.gt(${i}).and(c.c3))`,
    (i) => `.withColumns((c) => ({ y${i}: c.c1.upper(), z${i}: c.c2.mul(2).sum().over({ partitionBy: 'c1' }) }))`,
    () => `.sort('c0', (c) => c.c1.desc())`,
    (i) => `.drop('x${i - 4}')`,
    (i) => `.rename({ y${i - 3}: 'r${i}' })`,
    (i) => `.join(other, { on: 'c1', how: 'left', suffix: '_${i}' })`,
    (i) => `.filter(col('c${6 * i + 2 - 6 * Math.floor(i / 20) * 20}').isNotNull())`,
  ]
  const chain = Array.from({ length: 40 }, (_, i) => `const f${i + 1} = f${i}${verbs[i % 8]!(i)}`)
  const instantiations = (all: string): number => Number(/^Instantiations:\s+(\d+)/m.exec(all)?.[1])
  const out = `export const out: Promise<{ c0: number }[]> = f40.select('c0').toRows()`
  const wide = await compile(header, [...chain, out])
  expect(wide.messages.join('')).toBe('')
  expect(instantiations(wide.all)).toBeLessThan(250_000)
})
