/** `prompt`: asks the user for a line of text. */
import { host } from './host.js'

/**
 * Asks the user for a line of text; with `password` it does not show what is typed.
 *
 * @throws ShardbookError `state` where nobody can answer, as in a headless run
 *
 * @example
 * ```ts
 * const name = await prompt('Your name? ')
 * ```
 */
export function prompt(text: string, options: { readonly password?: boolean } = {}): Promise<string> {
  return host().prompt(text, options)
}
