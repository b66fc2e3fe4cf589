/** `display`: shows a value where the code runs, and changes it in place later. */
import { checkNumber } from './check.js'
import type { Displayable, MimeBundle } from './display.js'
import { bundleOf, displaySymbol } from './display.js'
import { host } from './host.js'
import { escapeHtml } from './html.js'

/** An output that was shown; as a cell's value it shows nothing more. */
export interface Shown extends Displayable {
  readonly id: string
  /** Shows another value in its place. */
  update(value: unknown): Promise<void>
}

export interface DisplayOptions {
  /** A name under which the output can be replaced later. */
  readonly id?: string
}

/** A bar that shows how far something is, in one output. */
export interface Progress extends Displayable {
  /** Moves the bar to `done`, with a text behind it; by default one step on. */
  advance(done?: number, text?: string): void
  /** Fills the bar. */
  end(text?: string): void
}

type ShowAs<Content> = (content: Content, options?: DisplayOptions) => Promise<Shown>

interface Display {
  (value: unknown, options?: DisplayOptions): Promise<Shown>
  readonly html: ShowAs<string>
  readonly markdown: ShowAs<string>
  /** TeX between its own dollar signs: `$x^2$`. */
  readonly latex: ShowAs<string>
  readonly svg: ShowAs<string>
  /** Any JSON value, as a tree where the client has one. */
  readonly json: ShowAs<unknown>
  readonly png: ShowAs<Uint8Array>
  readonly jpeg: ShowAs<Uint8Array>
  readonly progress: typeof progress
}

/** At most so often a progress bar is sent anew. */
const progressMs = 100

let counter = 0

/**
 * Shows a value now: one that renders itself (a frame, a chart, a training) as it does, records as a table, other objects as
 * a tree, anything else as text. With an `id`, the value can be replaced later.
 *
 * `display.html`, `markdown`, `latex`, `svg`, `json`, `png` and `jpeg` show text or bytes as what they are.
 *
 * @example
 * ```ts
 * const shown = await display('working', { id: 'progress' })
 * await shown.update('done')
 * await display.markdown('the **bold** one')
 * ```
 */
export const display: Display = Object.freeze(
  Object.assign(
    async (value: unknown, options: DisplayOptions = {}): Promise<Shown> => publish(await plainBundle(value), options),
    {
      html: showAs('text/html'),
      markdown: showAs('text/markdown'),
      latex: showAs('text/latex'),
      svg: showAs('image/svg+xml'),
      json: showAs('application/json'),
      png: showAs('image/png'),
      jpeg: showAs('image/jpeg'),
      progress,
    },
  ),
)

/** A function that shows content of a MIME type. */
function showAs(type: string): (content: unknown, options?: DisplayOptions) => Promise<Shown> {
  return async (content, options = {}) => {
    const text = typeof content === 'string' ? content : type
    return publish(await bundleOf({ [displaySymbol]: () => ({ [type]: content, 'text/plain': text }) }, raise), options)
  }
}

/**
 * Shows a progress bar, which moves in its output at most ten times a second.
 *
 * @param total - the number of steps
 * @throws ShardbookError `argument` when `total` is no number >= 0
 *
 * @example
 * ```ts
 * const bar = display.progress(3, 'files')
 * for (let i = 0; i < 3; i++) bar.advance()
 * bar.end('all read')
 * ```
 */
function progress(total: number, label = ''): Progress {
  checkNumber('display.progress', 'total', total, 0)
  const id = newId()
  let [done, text] = [0, '']
  let sentAt = Date.now()
  let timer: NodeJS.Timeout | undefined
  const bundle = (): MimeBundle => progressBundle(label, done, total, text)
  const send = (): void => {
    clearTimeout(timer)
    timer = undefined
    sentAt = Date.now()
    host().update(id, bundle())
  }
  host().publish(bundle(), { id })
  return {
    advance(next = done + 1, words = text) {
      ;[done, text] = [Math.min(Math.max(next, 0), total), words]
      const wait = sentAt + progressMs - Date.now()
      if (wait <= 0) send()
      else timer ??= setTimeout(send, wait)
    },
    end(words = text) {
      ;[done, text] = [total, words]
      send()
    },
    [displaySymbol]: () => ({}),
  }
}

function progressBundle(label: string, done: number, total: number, text: string): MimeBundle {
  const share = total === 0 ? 1 : done / total
  const words = `${done} / ${total}${text === '' ? '' : ` ${text}`}`
  const filled = Math.round(share * 20)
  const bar = `<progress value="${done}" max="${Math.max(total, 1)}" style="width:20em"></progress>`
  return {
    'text/html': `<label>${escapeHtml(label)} ${bar}</label> ${escapeHtml(words)}`,
    'text/plain': `${label === '' ? '' : `${label} `}[${'#'.repeat(filled)}${'.'.repeat(20 - filled)}] ${words}`,
  }
}

function publish(bundle: MimeBundle, { id = newId() }: DisplayOptions): Shown {
  host().publish(bundle, { id })
  return {
    id,
    update: async (next) => host().update(id, await plainBundle(next)),
    [displaySymbol]: () => ({}),
  }
}

function newId(): string {
  return `display-${process.pid}-${++counter}`
}

/** Text is shown as it is, without the quotes that it has as a value. */
async function plainBundle(value: unknown): Promise<MimeBundle> {
  if (typeof value === 'string') return { 'text/plain': value }
  return bundleOf(value, raise)
}

function raise(error: unknown): never {
  throw error
}
