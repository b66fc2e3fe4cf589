import fc from 'fast-check'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { UsageError } from '../../src/cli/command.js'
import {
  type CodeCell,
  languageOf,
  type Notebook,
  type Output,
  parseNotebook,
  printNotebook,
  readNotebook,
} from '../../src/cli/notebook/notebook.js'
import { collectOutputs } from '../../src/cli/notebook/outputs.js'
import { injectParameters, parseParameters, undeclaredParameters } from '../../src/cli/notebook/parameters.js'
import { codeCell, displayData, markdownCell, notebookOf } from './sample.js'

const text = fc.array(fc.constantFrom('a', '\n', 'é', '\r\n', '"', '\u2028')).map((parts) => parts.join(''))
const output: fc.Arbitrary<Output> = fc.oneof(
  fc.record({ output_type: fc.constant('stream' as const), name: fc.constantFrom('stdout', 'stderr'), text }),
  fc.record({
    output_type: fc.constant('display_data' as const),
    data: fc.record({
      'text/plain': text,
      'application/json': fc.jsonValue({ noUnicodeString: false }),
      'image/png': fc.constant('iVBO'),
    }),
    metadata: fc.constant({ a: 1 }),
  }),
  fc.record({ output_type: fc.constant('error' as const), ename: text, evalue: text, traceback: fc.array(text) }),
)
const cell = fc.oneof(
  text.map((source) => markdownCell(source, { attachments: { 'a.png': {} } })),
  fc.tuple(text, fc.array(output)).map(([source, outputs]) => codeCell(source, outputs)),
)

/** JSON knows no -0. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe('parseNotebook', () => {
  test('reads what printNotebook writes, without loss', () => {
    fc.assert(
      fc.property(fc.array(cell), (cells) => {
        const notebook = notebookOf(cells, { kernelspec: { name: 'shardbook' }, custom: [1] })
        expect(plain(parseNotebook(printNotebook(notebook), 'x.ipynb'))).toEqual(plain(notebook))
      }),
    )
  })

  test('says what is wrong with a file that is no notebook of version 4', async () => {
    const message = (content: string): string => {
      try {
        parseNotebook(content, 'x.ipynb')
      } catch (error) {
        if (error instanceof UsageError) return error.message
        throw error
      }
      return 'accepted'
    }
    expect(message('{ "cells": [')).toMatch(/x\.ipynb, got text that is not JSON/)
    expect(message('[]')).toMatch(/not a notebook: no object/)
    expect(message('{"nbformat": 3, "worksheets": []}')).toMatch(/got nbformat 3\. Convert it with/)
    expect(message('{"nbformat": 4}')).toMatch(/no list "cells"/)
    expect(message('{"nbformat": 4, "cells": [{"cell_type": "code", "source": 7}]}')).toMatch(
      /malformed cell \(number 1\)/,
    )
    const folder = mkdtempSync(join(tmpdir(), 'shardbook-nb-'))
    await expect(readNotebook(join(folder, 'none.ipynb'))).rejects.toThrow(/none\.ipynb, but there is no such file/)
    await expect(readNotebook(folder)).rejects.toThrow(UsageError)
    rmSync(folder, { recursive: true })
  })

  test('knows the language of a notebook', () => {
    expect(languageOf(notebookOf([], { kernelspec: { language: 'python' } }))).toBe('python')
    expect(languageOf(notebookOf([], { language_info: { name: 'TypeScript' }, kernelspec: {} }))).toBe('typescript')
    expect(languageOf(notebookOf([]))).toBeUndefined()
  })
})

describe('collectOutputs', () => {
  const outputsOf = (notebook: Notebook, index: number): Output[] => (notebook.cells[index] as CodeCell).outputs
  const show = (cellIndex: number, id: string, value: string) =>
    ({
      type: 'display_data',
      cell: cellIndex,
      content: { data: { 'text/plain': value }, metadata: {}, transient: { display_id: id } },
    }) as const

  test('joins streams that follow each other and keeps others apart', () => {
    const notebook = notebookOf([codeCell('x')])
    const collect = collectOutputs(notebook)
    for (const [name, part] of [
      ['stdout', 'a'],
      ['stdout', 'b'],
      ['stderr', 'c'],
      ['stdout', 'd'],
    ]) {
      collect({ type: 'stream', cell: 0, content: { name, text: part } })
    }
    expect(outputsOf(notebook, 0).map((o) => (o.output_type === 'stream' ? `${o.name} ${o.text}` : ''))).toEqual([
      'stdout ab',
      'stderr c',
      'stdout d',
    ])
  })

  test('an update rewrites every output of its id, in any cell, and leaves no output of its own', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ id: fc.constantFrom('a', 'b'), cell: fc.nat(2), update: fc.boolean() })),
        (steps) => {
          const notebook = notebookOf([codeCell('x'), codeCell('y'), codeCell('z')])
          const collect = collectOutputs(notebook)
          const last: Record<string, string> = {}
          let displays = 0
          steps.forEach((step, i) => {
            const shown = show(step.cell, step.id, `${i}`)
            const known = step.id in last
            if (step.update) collect({ ...shown, type: 'update_display_data' })
            else {
              // A second display of an id shows in all places, as front ends do when the kernel updates it.
              collect(shown)
              collect({ ...shown, type: 'update_display_data' })
              displays++
            }
            if (known || !step.update) last[step.id] = `${i}`
          })
          const all = notebook.cells.flatMap((_, i) => outputsOf(notebook, i))
          expect(all.length).toBe(displays)
          for (const one of all)
            expect(Object.values(last)).toContain(one.output_type === 'display_data' ? one.data['text/plain'] : '')
          expect(JSON.stringify(notebook)).not.toContain('transient')
        },
      ),
    )
  })

  test('clears at once, or when the next output comes', () => {
    const notebook = notebookOf([codeCell('x')])
    const collect = collectOutputs(notebook)
    collect(show(0, 'a', '1'))
    collect({ type: 'clear_output', cell: 0, content: { wait: true } })
    expect(outputsOf(notebook, 0)).toEqual([displayData({ 'text/plain': '1' })])
    collect(show(0, 'b', '2'))
    expect(outputsOf(notebook, 0)).toEqual([displayData({ 'text/plain': '2' })])
    collect({ type: 'clear_output', cell: 0, content: { wait: false } })
    expect(outputsOf(notebook, 0)).toEqual([])
  })
})

describe('parameters', () => {
  test('are JSON, and names are identifiers', () => {
    expect([...parseParameters(['epochs=3', 'name="a=b"', 'list=[1]'])]).toEqual([
      ['epochs', 3],
      ['name', 'a=b'],
      ['list', [1]],
    ])
    expect(() => parseParameters(['name=abc'])).toThrow(
      /expected JSON as the value of name, got abc\. A text needs quotes: --param 'name="abc"'/,
    )
    expect(() => parseParameters(['epochs'])).toThrow(/expected --param NAME=JSON/)
    expect(() => parseParameters(['a b=1'])).toThrow(UsageError)
  })

  test('go behind the tagged cell, else to the top, and replace those of an earlier run', () => {
    const tagged = notebookOf([
      markdownCell('# a'),
      codeCell('const epochs = 5', [], { tags: ['parameters'] }),
      codeCell('epochs'),
    ])
    const once = injectParameters(tagged, new Map([['epochs', 1]]))
    expect(once.cells.map((c) => c.source)).toEqual([
      '# a',
      'const epochs = 5',
      '// Parameters of this run\nlet epochs = 1',
      'epochs',
    ])
    const twice = injectParameters(once, new Map([['epochs', 2]]))
    expect(twice.cells.map((c) => c.source)).toEqual([
      '# a',
      'const epochs = 5',
      '// Parameters of this run\nlet epochs = 2',
      'epochs',
    ])
    expect(injectParameters(notebookOf([codeCell('x')]), new Map([['x', 'é']])).cells[0]!.source).toBe(
      '// Parameters of this run\nlet x = "é"',
    )
    expect(injectParameters(tagged, new Map())).toBe(tagged)
  })

  test('that the tagged cell does not mention are named, with the nearest one that it does', () => {
    const tagged = notebookOf([codeCell('const epochs = 5\nconst { a, b } = c', [], { tags: ['parameters'] })])
    expect(
      undeclaredParameters(
        tagged,
        new Map([
          ['epochs', 1],
          ['b', 1],
        ]),
      ),
    ).toEqual([])
    expect(undeclaredParameters(tagged, new Map([['epoch', 1]]))).toEqual([
      "the cell tagged parameters doesn't mention epoch. Did you mean epochs?",
    ])
    expect(undeclaredParameters(notebookOf([codeCell('x')]), new Map([['epoch', 1]]))).toEqual([])
  })
})
