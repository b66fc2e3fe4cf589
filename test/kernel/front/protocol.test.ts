/** Handlers that need neither a session nor a language server. */
import { describe, expect, test } from 'vitest'
import type { Handler, HistoryEntry, KernelState } from '../../../kernel/front/protocol/handler.js'
import { history } from '../../../kernel/front/protocol/history.js'
import { isComplete } from '../../../kernel/front/protocol/is-complete.js'
import type { Content } from '../../../kernel/front/protocol/message.js'
import { newHeader } from '../../../kernel/front/protocol/message.js'

function ask(handler: Handler, content: Content, entries: readonly HistoryEntry[] = []): Content {
  const request = {
    header: newHeader('x', 'y'),
    metadata: {},
    content,
    buffers: [],
    reply: () => {},
    askInput: () => Promise.resolve(''),
  }
  return handler({ history: entries } as unknown as KernelState, request) as Content
}

describe('is_complete', () => {
  test.each(['1 + 1', 'const a = {\n  b: 1\n}', 'await foo()', 'interface A { b: string }', '', '// only a comment'])(
    '%j is complete',
    (code) => {
      expect(ask(isComplete, { code })).toEqual({ status: 'complete' })
    },
  )
  test.each([
    ['if (a) {', '  '],
    ['foo(1,', '  '],
    ['f({', '    '],
    ['x =>', ''],
    ['`text', ''],
    ['/* text', ''],
    ['class A {\n  b() {\n', '    '],
    ['a ? b', ''],
    ['foo.', ''],
  ])('%j is incomplete', (code, indent) => {
    expect(ask(isComplete, { code })).toEqual({ status: 'incomplete', indent })
  })
  test.each(['const = 3', 'a b', '}', 'if (a) { ]', '"text'])('%j is invalid', (code) => {
    expect(ask(isComplete, { code })).toEqual({ status: 'invalid' })
  })
})

describe('history', () => {
  const entries = ['a = 1', 'b = 2', 'a = 1', 'c(*)'].map((input, i) => ({ session: 1, line: i + 1, input }))
  const inputs = (content: Content): unknown =>
    (ask(history, content, entries)['history'] as unknown[][]).map((one) => one[2])
  test('tail', () => {
    expect(inputs({ hist_access_type: 'tail', n: 2 })).toEqual(['a = 1', 'c(*)'])
    expect(inputs({ hist_access_type: 'tail', n: 0 })).toEqual([])
  })
  test('range', () => {
    expect(inputs({ hist_access_type: 'range', session: 0, start: 2, stop: 4 })).toEqual(['b = 2', 'a = 1'])
    expect(inputs({ hist_access_type: 'range', session: -3, start: 1, stop: 4 })).toEqual([])
  })
  test('search', () => {
    expect(inputs({ hist_access_type: 'search', pattern: 'a*' })).toEqual(['a = 1', 'a = 1'])
    expect(inputs({ hist_access_type: 'search', pattern: 'a*', unique: true })).toEqual(['a = 1'])
    expect(inputs({ hist_access_type: 'search', pattern: '?(?)' })).toEqual(['c(*)'])
    expect(inputs({ hist_access_type: 'search', pattern: '*=*', n: 1 })).toEqual(['a = 1'])
  })
  test('with outputs, of which none are kept', () => {
    expect(ask(history, { hist_access_type: 'tail', n: 1, output: true }, entries)['history']).toEqual([
      [1, 4, ['c(*)', null]],
    ])
  })
})
