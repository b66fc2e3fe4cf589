/** Hundreds of cells before the real language server: types find their way, and files are there before they are needed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type * as Notebook from '../../../kernel/front/language/notebook.js'
import type * as Project from '../../../kernel/front/language/project.js'

// Built: it finds the package's own types from where it lies.
const built = resolve('dist/kernel/front/language')
let folder: string
let project: Project.OpenProject
let language: Notebook.NotebookLanguage
let fileOf: (cell: number) => string

beforeEach(async () => {
  const { NotebookLanguage } = (await import(join(built, 'notebook.js'))) as typeof Notebook
  const { cellFile, openProject } = (await import(join(built, 'project.js'))) as typeof Project
  folder = mkdtempSync(join(tmpdir(), 'shardbook-room-'))
  fileOf = (cell) => cellFile(folder, cell)
  project = openProject(folder)
  language = new NotebookLanguage(folder, project)
})
afterEach(() => {
  language.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Checks a cell and, where nothing is wrong, leaves its names to later ones. */
async function run(code: string): Promise<Notebook.Problem[]> {
  const module = language.moduleOf(code)
  const problems = await language.check(module)
  if (problems.length === 0) language.accept(module, new Set(module.declared.keys()), {})
  return problems
}

describe('a long notebook', () => {
  test('keeps the types of all its cells', { timeout: 60_000 }, async () => {
    for (let n = 0; n < 70; n++)
      expect(await run(`const x${n} = { n: ${n}, before: ${n === 0 ? 0 : `x${n - 1}`} }`)).toEqual([])
    expect(await run('const text: string = x0.n')).toMatchObject([{ code: 'TS2322', start: { line: 1, column: 7 } }])
    expect(await run('const sum: number = x0.n + x33.before.before.n + x69.before.n')).toEqual([])
    const { items } = await language.complete('x69.before.be', 13)
    expect(items).toMatchObject([{ text: 'before', signature: expect.stringContaining('before') }])
  })

  test('has files for cells to come before anything runs', { timeout: 60_000 }, async () => {
    await language.prepare()
    await vi.waitFor(() => expect(project.server.read(fileOf(7))).toBeDefined(), { timeout: 50_000 })
    expect(await run('const one: number = 1')).toEqual([])
    expect(await run('const two: string = one')).toMatchObject([{ code: 'TS2322' }])
  })

  test('has its garbage collected while nobody asks', { timeout: 60_000 }, async () => {
    const { server } = project
    for (let n = 0; n < 8; n++) expect(await run(`const x${n} = ${n}`)).toEqual([])
    await vi.waitFor(() => expect(server.isLittered).toBe(false), { timeout: 50_000 })
    expect(await server.collect()).toBe(true)
    language.close()
    expect(await server.collect()).toBe(false)
  })
})
