/** `display`: shows a value where the code runs, and changes it in place later. */
import type { Displayable, MimeBundle } from './display.js'
import { bundleOf, displaySymbol } from './display.js'
import { host } from './host.js'

/** An output that was shown; as a cell's value it shows nothing more. */
export interface Shown extends Displayable {
  readonly id: string
  /** Shows another value in its place. */
  update(value: unknown): Promise<void>
}

let counter = 0

/**
 * Shows a value now: one that renders itself (a frame, a chart, a training) as it does, anything else as text. With an
 * `id`, the value can be replaced later.
 *
 * @example
 * ```ts
 * const shown = await display('working', { id: 'progress' })
 * await shown.update('done')
 * ```
 */
export async function display(value: unknown, options: { readonly id?: string } = {}): Promise<Shown> {
  const id = options.id ?? `display-${process.pid}-${++counter}`
  host().publish(await shownAs(value), { id })
  return {
    id,
    update: async (next) => host().update(id, await shownAs(next)),
    [displaySymbol]: () => ({}),
  }
}

/** Text is shown as it is, without the quotes that it has as a value. */
async function shownAs(value: unknown): Promise<MimeBundle> {
  if (typeof value === 'string') return { 'text/plain': value }
  return bundleOf(value, (error) => {
    throw error
  })
}
