/** Who shows that work takes long: a query that can say how far it is, unless whoever asked shows that already. */
import { afterEach, expect, test, vi } from 'vitest'
import { hostSymbol, terminalHost } from '../../../src/core/host.js'
import { showingItself } from '../../../src/core/quiet.js'
import { withConnection } from '../../../src/frame/engine/duckdb/database.js'
import { showProgress } from '../../../src/frame/io/progress.js'

const holder = globalThis as { [hostSymbol]?: unknown }
const previous = holder[hostSymbol]
afterEach(() => {
  vi.useRealTimers()
  holder[hostSymbol] = previous
})

/** A kernel's host that notes what is shown, under a clock that moves by hand. */
function listen(): string[] {
  const shown: string[] = []
  const note = (bundle: Readonly<Record<string, unknown>>): void => void shown.push(String(bundle['text/plain']))
  holder[hostSymbol] = {
    ...terminalHost(),
    kind: 'kernel',
    publish: note,
    update: (_: string, bundle: object) => note(bundle as never),
  }
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  return shown
}

/** Work that takes five seconds. */
const long = async (): Promise<void> => void vi.advanceTimersByTime(5000)

test('what takes long says how far it is, and at the end what was done', async () => {
  const shown = listen()
  const progress = showProgress((state) => state)
  await long()
  progress.end('done')
  expect(new Set(shown)).toEqual(new Set(['running', 'done']))
})

test('work that shows itself has no lines of what it asks for on the way', async () => {
  const shown = listen()
  await showingItself(async () => {
    await Promise.resolve()
    const progress = showProgress((state) => state)
    await long()
    progress.end('done')
  })
  expect(shown).toEqual([])
})

test('a connection with nothing to say of its work says nothing', async () => {
  const shown = listen()
  await withConnection(long)
  expect(shown).toEqual([])
  await withConnection(long, (_, state) => state)
  expect(shown.at(-1)).toBe('done')
})
