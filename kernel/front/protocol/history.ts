/** `history_request`: the cells of this kernel's life; it keeps them in memory. */
import type { Handler, HistoryEntry } from './handler.js'
import { numberField, textField } from './message.js'

export const history: Handler = (kernel, { content }) => ({
  status: 'ok',
  history: select(kernel.history, content).map(({ session, line, input }) => [
    session,
    line,
    content['output'] === true ? [input, null] : input,
  ]),
})

function select(entries: readonly HistoryEntry[], content: Readonly<Record<string, unknown>>): readonly HistoryEntry[] {
  const n = Math.max(0, numberField(content, 'n', entries.length))
  switch (textField(content, 'hist_access_type')) {
    case 'range': {
      // Session 0 is the current one, the only one that is known.
      if (![0, 1].includes(numberField(content, 'session', 0))) return []
      const start = numberField(content, 'start', 0)
      const stop = numberField(content, 'stop', Infinity)
      return entries.filter(({ line }) => line >= start && line < stop)
    }
    case 'search': {
      const pattern = glob(textField(content, 'pattern') || '*')
      const found = entries.filter(({ input }) => pattern.test(input))
      const last = new Map(found.map((entry) => [entry.input, entry]))
      return tail(content['unique'] === true ? found.filter((entry) => last.get(entry.input) === entry) : found, n)
    }
    default:
      return tail(entries, n)
  }
}

function tail<T>(entries: readonly T[], n: number): readonly T[] {
  return n === 0 ? [] : entries.slice(-n)
}

function glob(pattern: string): RegExp {
  const parts = pattern.split(/([*?])/).map((part) => {
    if (part === '*') return '[^]*'
    if (part === '?') return '[^]'
    return part.replace(/[\\^$.|+()[\]{}]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('')}$`)
}
