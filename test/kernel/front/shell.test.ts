/** Queues of requests: each in its own order, beside each other, whatever is sent. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newHeader } from '../../../kernel/front/protocol/message.js'
import type { Request } from '../../../kernel/front/protocol/message.js'
import { Shells } from '../../../kernel/front/shell.js'

function request(id: string, subshell: string | undefined, type = 'execute_request'): Request {
  const header = {
    ...newHeader(type, 'client'),
    msg_id: id,
    ...(subshell === undefined ? {} : { subshell_id: subshell }),
  }
  return { header, metadata: {}, content: {}, buffers: [], reply: () => {}, askInput: () => Promise.resolve('') }
}

describe('shells', () => {
  test('handle the requests of each in order, one at a time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ shell: fc.nat({ max: 2 }), turns: fc.nat({ max: 4 }) })), async (sent) => {
        const handled: string[][] = [[], [], []]
        const working = new Set<number>()
        const shells = new Shells({
          handle: async ({ header }) => {
            const [shell = 0, turns = 0] = header.msg_id.split(':').map(Number)
            expect(working.has(shell)).toBe(false)
            working.add(shell)
            for (let turn = 0; turn < turns; turn++) await Promise.resolve()
            working.delete(shell)
            handled[shell]!.push(header.msg_id)
          },
          abort: () => expect.unreachable(),
          refuse: () => expect.unreachable(),
        })
        const ids = [undefined, shells.create(), shells.create()]
        const names = sent.map(({ shell, turns }, index) => `${shell}:${turns}:${index}`)
        sent.forEach(({ shell }, index) => shells.take(request(names[index]!, ids[shell])))
        await shells.quiet()
        expect(handled).toEqual([0, 1, 2].map((shell) => names.filter((_, index) => sent[index]!.shell === shell)))
      }),
    )
  })

  test('abort what waits in one of them, but only cells', async () => {
    const handled: string[] = []
    const aborted: string[] = []
    const shells = new Shells({
      handle: async ({ header }) => void handled.push(header.msg_id),
      abort: ({ header }) => void aborted.push(header.msg_id),
      refuse: () => expect.unreachable(),
    })
    const sub = shells.create()
    const first = request('1', undefined)
    for (const one of [first, request('2', undefined), request('3', undefined, 'complete_request')]) shells.take(one)
    for (const id of ['4', '5']) shells.take(request(id, sub))
    shells.abortWaiting(first)
    await shells.quiet()
    expect([handled.sort(), aborted]).toEqual([['1', '3', '4', '5'], ['2']])
  })

  test('refuse requests for one that is gone, and abort what waited in it', async () => {
    const refused: string[] = []
    const aborted: string[] = []
    const shells = new Shells({
      handle: () => Promise.resolve(),
      abort: ({ header }) => void aborted.push(header.msg_id),
      refuse: (_request, id) => void refused.push(id),
    })
    const sub = shells.create()
    for (const id of ['1', '2']) shells.take(request(id, sub))
    expect([shells.list(), shells.delete(sub), shells.delete(sub), shells.list()]).toEqual([[sub], true, false, []])
    shells.take(request('3', sub))
    await shells.quiet()
    await Promise.resolve()
    expect([refused, aborted]).toEqual([[sub], ['2']])
  })
})
