/** `display`: shows a value where the code runs, and changes it in place later. */
import { inspect } from 'node:util'
import { displaySymbol, isDisplayable } from './display.js'
import type { MimeBundle } from './display.js'
import { host } from './host.js'

/** An output that was shown. */
export interface Shown {
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
  host().publish(await bundleOf(value), { id })
  return { id, update: async (next) => host().update(id, await bundleOf(next)) }
}

async function bundleOf(value: unknown): Promise<MimeBundle> {
  if (isDisplayable(value)) return value[displaySymbol]()
  return { 'text/plain': typeof value === 'string' ? value : inspect(value) }
}
