/** Handlers that need neither a session nor a language server. */
import { describe, expect, test } from 'vitest'
import type { Handler, KernelState } from '../../../kernel/front/protocol/handler.js'
import { askedName } from '../../../kernel/front/protocol/execute.js'
import { History } from '../../../kernel/front/history.js'
import { history } from '../../../kernel/front/protocol/history.js'
import { isComplete } from '../../../kernel/front/protocol/is-complete.js'
import type { Content } from '../../../kernel/front/protocol/message.js'
import { newHeader } from '../../../kernel/front/protocol/message.js'

function ask(handler: Handler, content: Content, cells?: History): Content | Promise<Content> {
  const request = {
    header: newHeader('x', 'y'),
    metadata: {},
    content,
    buffers: [],
    reply: () => {},
    askInput: () => Promise.resolve(''),
  }
  return handler({ history: cells } as unknown as KernelState, request)
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
  const cells = new History({ log: () => {} })
  for (const [i, input] of ['a = 1', 'b = 2', 'a = 1', 'c(*)'].entries()) cells.add(i + 1, input)
  cells.addOutput(4, '7')
  const inputs = async (content: Content): Promise<unknown> =>
    ((await ask(history, content, cells))['history'] as unknown[][]).map((one) => one[2])
  test('tail', async () => {
    expect(await inputs({ hist_access_type: 'tail', n: 2 })).toEqual(['a = 1', 'c(*)'])
    expect(await inputs({ hist_access_type: 'tail', n: 0 })).toEqual([])
  })
  test('range', async () => {
    expect(await inputs({ hist_access_type: 'range', session: 0, start: 2, stop: 4 })).toEqual(['b = 2', 'a = 1'])
    expect(await inputs({ hist_access_type: 'range', session: -3, start: 1, stop: 4 })).toEqual([])
  })
  test('search', async () => {
    expect(await inputs({ hist_access_type: 'search', pattern: 'a*' })).toEqual(['a = 1', 'a = 1'])
    expect(await inputs({ hist_access_type: 'search', pattern: 'a*', unique: true })).toEqual(['a = 1'])
    expect(await inputs({ hist_access_type: 'search', pattern: '?(?)' })).toEqual(['c(*)'])
    expect(await inputs({ hist_access_type: 'search', pattern: '*=*', n: 1 })).toEqual(['a = 1'])
  })
  test('with outputs, where there are any', async () => {
    const { history: found } = await ask(history, { hist_access_type: 'tail', n: 2, output: true }, cells)
    expect(found).toEqual([
      [1, 3, ['a = 1', null]],
      [1, 4, ['c(*)', '7']],
    ])
  })
})

describe('a question about a name', () => {
  test.each([
    ['?name', 'name', 0],
    [' name? ', 'name', 0],
    ['a.b.c??', 'a.b.c', 1],
    ['??$x', '$x', 1],
  ] as const)('%j', (code, name, detail) => {
    expect(askedName(code)).toEqual({ name, detail })
  })
  test.each(['a ? b : c', 'name', 'a?.b', 'f(x)?', '?', 'a\nb?', 'a ?? b'])('%j is none', (code) => {
    expect(askedName(code)).toBeUndefined()
  })
})
