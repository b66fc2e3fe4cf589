/** Which lines of a cell are magics, and what TypeScript sees in their place. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { magicWords } from '../../../kernel/compile/magic-kinds.js'
import { blankMagics, findMagics } from '../../../kernel/compile/magics.js'

const noName = (): boolean => false

function names(code: string, known: readonly string[] = []): string[] {
  return findMagics(code, (name) => known.includes(name)).map(({ name }) => name)
}

function problem(code: string): string | undefined {
  return findMagics(code, noName).find((magic) => magic.problem !== undefined)?.problem?.message
}

describe('magics', () => {
  test('begin lines where a statement may begin', () => {
    expect(names('const a = 1\n%who\n!ls -la\n%time a')).toEqual(['who', 'shell', 'time'])
    expect(names('const t = `\n%who\n!ls\n`')).toEqual([])
    expect(names('/*\n%who\n*/')).toEqual([])
    expect(names('f(\n%who\n)')).toEqual([])
    expect(names('  %who')).toEqual([])
  })
  test('take the whole cell where they begin it', () => {
    const [magic] = findMagics('// why\n%%bash\necho 1\n!x\n%y', noName)
    expect(magic).toMatchObject({ name: 'bash', argument: '\necho 1\n!x\n%y' })
    expect(names('%%time\n!ls\n1')).toEqual(['time'])
    expect(problem('1\n%%bash\nls')).toContain('to stand on the first line of its cell')
  })
  test.each([
    ['!ls', [], ['shell']],
    ['!ls', ['ls'], []],
    ['!git status', ['git'], ['shell']],
    ['!./run.sh', [], ['shell']],
    ['let done = 1\n!done', [], []],
    ['!true', [], []],
    ['!!x', [], []],
    ['!(1 + 1)', [], []],
    ['![]', [], []],
  ])('%j with the names %j has the magics %j', (code, known, wanted) => {
    expect(names(code, known)).toEqual(wanted)
  })
  test('that are unknown or misplaced say what to write', () => {
    expect(problem('%tme 1')).toBe('%tme: expected a magic, got an unknown one. Did you mean %time? %help lists them.')
    expect(problem('%bash ls')).toContain('to be written %%bash')
    expect(problem('%reset\n1')).toContain('to be alone in its cell')
    expect(problem('// start anew\n%reset')).toBeUndefined()
    expect(problem('%shell ls')).toContain('unknown')
  })
  test('become blanks of the same length, and code that they take stays where it is', () => {
    expect(blankMagics('%time f(1)\n!ls\nx', findMagics('%time f(1)\n!ls\nx', noName))).toBe('      f(1)\n   \nx')
    const line = fc.oneof(
      fc.constantFrom(...magicWords, '!ls -la', 'const a = 1', '`', 'f(', ')', '// x', '%time a', '%nothing', '', '!a'),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const code = lines.join('\n')
        const plain = blankMagics(code, findMagics(code, noName))
        expect(plain.length).toBe(code.length)
        expect(plain.split('\n').length).toBe(code.split('\n').length)
        for (let at = 0; at < code.length; at++) expect([' ', code[at]]).toContain(plain[at])
      }),
    )
  })
})
