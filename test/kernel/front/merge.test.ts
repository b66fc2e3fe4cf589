/** Printed text and messages come out in the order in which the session made them, however their bytes arrive. */
import * as fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import type { SessionEvent } from '../../../kernel/channel.js'
import { mark } from '../../../kernel/channel.js'
import type { StreamName } from '../../../kernel/front/merge.js'
import { Merger } from '../../../kernel/front/merge.js'

const secret = 'secret'

function display(seq: number): SessionEvent {
  return { kind: 'display', seq, bundle: {}, update: false }
}

function recorder(): { merger: Merger; seen: string[] } {
  const seen: string[] = []
  const merger = new Merger(secret, {
    text: (name, text) => {
      const last = seen.at(-1)
      if (last?.startsWith(`${name}:`)) seen[seen.length - 1] = last + text
      else seen.push(`${name}:${text}`)
    },
    event: (event) => void seen.push(`event ${event.seq}`),
  })
  return { merger, seen }
}

test('any arrival order gives the order of making, on each stream', () => {
  const action = fc.oneof(
    fc.record({
      name: fc.constantFrom<StreamName>('stdout', 'stderr'),
      text: fc.string({ unit: 'grapheme', minLength: 1 }),
    }),
    fc.constant('event' as const),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 20 }), fc.infiniteStream(fc.nat()), (actions, choices) => {
      const ways: { stdout: Buffer; stderr: Buffer; events: SessionEvent[] } = {
        stdout: Buffer.alloc(0),
        stderr: Buffer.alloc(0),
        events: [],
      }
      const made: Record<StreamName, string[]> = { stdout: [], stderr: [] }
      for (const one of actions) {
        if (one === 'event') {
          const seq = ways.events.length + 1
          ways.events.push(display(seq))
          for (const name of ['stdout', 'stderr'] as const) {
            ways[name] = Buffer.concat([ways[name], Buffer.from(mark(secret, seq))])
            made[name].push(`<${seq}>`)
          }
        } else {
          ways[one.name] = Buffer.concat([ways[one.name], Buffer.from(one.text)])
          made[one.name].push(one.text)
        }
      }
      const { merger, seen } = recorder()
      const choose = (n: number): number => choices.next().value % n
      while (ways.stdout.length + ways.stderr.length + ways.events.length > 0) {
        const way = (['stdout', 'stderr', 'events'] as const)[choose(3)]!
        if (way === 'events') {
          const event = ways.events.shift()
          if (event !== undefined) merger.event(event)
        } else if (ways[way].length > 0) {
          const length = 1 + choose(ways[way].length)
          merger.print(way, ways[way].subarray(0, length))
          ways[way] = ways[way].subarray(length)
        }
      }
      for (const name of ['stdout', 'stderr'] as const) {
        const own = seen.filter((one) => one.startsWith('event') || one.startsWith(name))
        const text = own.map((one) => one.replace(/^event (\d+)$/, '<$1>').replace(`${name}:`, '')).join('')
        expect(text).toBe(made[name].join(''))
      }
    }),
  )
})

test('a stream that a cell closed is waited for only so long', () => {
  vi.useFakeTimers()
  try {
    const { merger, seen } = recorder()
    merger.print('stderr', Buffer.from(`text${mark(secret, 1)}later`))
    merger.event(display(1))
    expect(seen).toEqual(['stderr:text'])
    vi.advanceTimersByTime(2000)
    expect(seen).toEqual(['stderr:text', 'event 1', 'stderr:later'])
  } finally {
    vi.useRealTimers()
  }
})

test('text that looks like the beginning of a mark is text', () => {
  const { merger, seen } = recorder()
  merger.print('stdout', Buffer.from('a\u0000secreX'))
  merger.print('stdout', Buffer.from('b\u0000'))
  merger.print('stdout', Buffer.from('other:1\u0000.'))
  expect(seen).toEqual(['stdout:a\u0000secreXb\u0000other:1\u0000.'])
})
