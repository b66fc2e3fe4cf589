/** A progress bar lives in one output and ends full. */
import { afterEach, expect, test } from 'vitest'
import type { MimeBundle } from '../../src/core/display.js'
import { type Host, hostSymbol, terminalHost } from '../../src/core/host.js'
import { display } from '../../src/core/show-value.js'

const holder = globalThis as { [hostSymbol]?: Host }
afterEach(() => delete holder[hostSymbol])

test('a progress bar is one output, sent rarely, that ends full', () => {
  const shown: (string | undefined)[] = []
  const updates: [string, MimeBundle][] = []
  holder[hostSymbol] = {
    ...terminalHost(),
    publish: (_, options) => void shown.push(options?.id),
    update: (id, bundle) => void updates.push([id, bundle]),
  }
  const bar = display.progress(1000, 'a<b')
  for (let i = 0; i < 1000; i++) bar.advance()
  bar.end('done')
  expect(shown).toHaveLength(1)
  expect(updates.length).toBeLessThan(500)
  const [id, last] = updates.at(-1)!
  expect(id).toBe(shown[0])
  expect(last['text/plain']).toBe('a<b [####################] 1000 / 1000 done')
  expect(last['text/html']).toContain('a&lt;b')
  expect(() => display.progress(-1)).toThrow('display.progress: expected total')
})
