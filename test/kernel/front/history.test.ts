/** What is remembered of cells: across kernels, by several at once, within bounds, whatever happens to the files. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { HistoryEntry } from '../../../kernel/front/history.js'
import { History } from '../../../kernel/front/history.js'

let folder: string
let told: string[]
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'shardbook-history-')), 'history')
  told = []
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }))

function open(boundBytes?: number): History {
  return new History({ folder, log: (text) => told.push(text), ...(boundBytes === undefined ? {} : { boundBytes }) })
}

async function everything(history: History): Promise<HistoryEntry[]> {
  return (await Promise.all(history.sessions().map((session) => history.entries(session)))).flat()
}

describe('the history', () => {
  test('of any kernels, writing in any order, is read whole by the next one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ kernel: fc.nat({ max: 2 }), input: fc.string(), output: fc.option(fc.string()) })),
        async (cells) => {
          rmSync(folder, { recursive: true, force: true })
          const kernels = [open(), open(), open()]
          const wanted = new Map<number, unknown[]>()
          cells.forEach(({ kernel, input, output }, line) => {
            const one = kernels[kernel]!
            one.add(line, input)
            if (output !== null) one.addOutput(line, output)
            const entry = { session: one.session, line, input, ...(output === null ? {} : { output }) }
            wanted.set(one.session, [...(wanted.get(one.session) ?? []), entry])
          })
          const sorted = [...wanted].sort(([a], [b]) => a - b).flatMap(([, entries]) => entries)
          expect(await everything(open())).toEqual(sorted)
        },
      ),
      { numRuns: 30 },
    )
  })

  test('is for its owner only', () => {
    const history = open()
    history.add(1, 'secret')
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, '1.jsonl')).mode & 0o777).toBe(0o600)
  })

  test('loses no line but a broken one', async () => {
    const first = open()
    first.add(1, 'one')
    writeFileSync(
      join(folder, '1.jsonl'),
      '{"line":2,"inp\nnull\n[1]\n{"line":3,"input":"three"}\n{"line":9,"output":"x"}\n',
      {
        flag: 'a',
      },
    )
    expect((await open().entries(1)).map(({ input }) => input)).toEqual(['one', 'three'])
    expect(await open().entries(77)).toEqual([])
  })

  test('drops the oldest sessions when there is too much, and keeps other files', () => {
    for (let i = 0; i < 5; i++) open().add(1, 'x'.repeat(1000))
    writeFileSync(join(folder, 'notes.txt'), 'mine')
    const last = open(2500)
    last.add(1, 'y')
    expect(last.sessions()).toEqual([4, 5, 6])
    expect(existsSync(join(folder, 'notes.txt'))).toBe(true)
  })

  test('works without a place to write, and says so', async () => {
    writeFileSync(join(folder, '..', 'file'), '')
    const history = new History({ folder: join(folder, '..', 'file', 'below'), log: (text) => told.push(text) })
    history.add(1, 'kept')
    history.addOutput(1, '1')
    expect(await everything(history)).toEqual([{ session: 1, line: 1, input: 'kept', output: '1' }])
    expect(told.join()).toContain("only this session's cells")
  })

  test('touches nothing before the first cell', () => {
    open()
    expect(existsSync(folder)).toBe(false)
  })

  test('tells of sessions that it cannot read', async () => {
    mkdirSync(join(folder, '1.jsonl'), { recursive: true })
    expect(await open().entries(1)).toEqual([])
    expect(told.join()).toContain('cannot be read')
  })
})
