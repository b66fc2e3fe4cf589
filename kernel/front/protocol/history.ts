/** `history_request`: cells of this kernel's life and of earlier ones. */
import type { History, HistoryEntry } from '../history.js'
import type { Handler } from './handler.js'
import type { Content } from './message.js'
import { numberField, textField } from './message.js'

export const history: Handler = async (kernel, { content }) => ({
  status: 'ok',
  history: (await select(kernel.history, content)).map(({ session, line, input, output }) => [
    session,
    line,
    content['output'] === true ? [input, output ?? null] : input,
  ]),
})

async function select(cells: History, content: Content): Promise<readonly HistoryEntry[]> {
  const n = Math.max(0, numberField(content, 'n', Infinity))
  switch (textField(content, 'hist_access_type')) {
    case 'range':
      return range(cells, content)
    case 'search': {
      const pattern = glob(textField(content, 'pattern') || '*')
      const all = (await Promise.all(cells.sessions().map((session) => cells.entries(session)))).flat()
      const found = all.filter(({ input }) => pattern.test(input))
      const last = new Map(found.map((entry) => [entry.input, entry]))
      return tail(content['unique'] === true ? found.filter((entry) => last.get(entry.input) === entry) : found, n)
    }
    default: {
      let found: readonly HistoryEntry[] = []
      for (const session of cells.sessions().toReversed()) {
        if (found.length >= n) break
        found = [...(await cells.entries(session)), ...found]
      }
      return tail(found, n)
    }
  }
}

/** Session 0 is the current one, negative ones count back from it; `stop` is not included. */
async function range(cells: History, content: Content): Promise<readonly HistoryEntry[]> {
  const asked = numberField(content, 'session', 0)
  const session = asked > 0 ? asked : cells.sessions().at(asked - 1)
  const start = numberField(content, 'start', 0)
  const stop = numberField(content, 'stop', Infinity)
  const entries = session === undefined ? [] : await cells.entries(session)
  return entries.filter(({ line }) => line >= start && line < stop)
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
