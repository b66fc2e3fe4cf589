/** Only well-formed, rightly signed and new messages get in. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Message } from '../../../kernel/front/protocol/message.js'
import { newHeader } from '../../../kernel/front/protocol/message.js'
import { Codec } from '../../../kernel/front/wire.js'

function message(content: Record<string, unknown> = {}): Message {
  return { header: newHeader('test_request', 'client'), parentHeader: {}, metadata: {}, content, buffers: [] }
}

function frames(codec: Codec, one: Message): Buffer[] {
  return codec.encode(['identity'], one).map((frame) => Buffer.from(frame))
}

describe('the codec', () => {
  test('reads what it writes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.uint8Array(), (content, buffer) => {
        const sent = {
          ...message(JSON.parse(JSON.stringify(content)) as Record<string, unknown>),
          buffers: [Buffer.from(buffer)],
        }
        const received = new Codec('key').decode(frames(new Codec('key'), sent))
        expect(received).toEqual({ identities: [Buffer.from('identity')], message: sent })
      }),
    )
  })

  test('refuses any change of a signed part', () => {
    const good = frames(new Codec('key'), message({ code: 'x' }))
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.nat(), (frame, at) => {
        const bad = good.map((bytes) => Buffer.from(bytes))
        const bytes = bad[frame]!
        bytes[at % bytes.length]! ^= 1
        expect(new Codec('key').decode(bad)).toBeTypeOf('string')
      }),
    )
  })

  test('refuses another key, a cut signature and a message that came before', () => {
    const codec = new Codec('key')
    const good = frames(codec, message())
    expect(new Codec('other').decode(good)).toContain('bad signature')
    expect(codec.decode(good.map((one, i) => (i === 2 ? one.subarray(0, 10) : one)))).toContain('bad signature')
    expect(codec.decode(good)).toBeTypeOf('object')
    expect(codec.decode(good)).toContain('came before')
  })

  test('signs nothing without a key', () => {
    const codec = new Codec('')
    const sent = frames(codec, message())
    expect(sent[2]!.length).toBe(0)
    expect(codec.decode(sent)).toBeTypeOf('object')
    expect(codec.decode(sent)).toBeTypeOf('object')
  })

  test.each([
    ['no delimiter', [Buffer.from('a')], 'delimiter'],
    ['too few parts', ['<IDS|MSG>', '', '{}', '{}'], 'too few'],
    ['text that is not JSON', ['<IDS|MSG>', '', '{', '{}', '{}', '{}'], 'not JSON'],
    ['an array for an object', ['<IDS|MSG>', '', '{}', '{}', '{}', '[]'], 'not JSON objects'],
    ['an empty header', ['<IDS|MSG>', '', '{}', '{}', '{}', '{}'], 'lacks msg_id'],
  ])('refuses %s', (_what, parts, reason) => {
    expect(new Codec('').decode(parts.map((one) => Buffer.from(one)))).toContain(reason)
  })
})
