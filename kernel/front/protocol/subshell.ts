/** Subshells: `create_subshell_request`, `delete_subshell_request` and `list_subshell_request` on the control channel. */
import { ShardbookError } from '../../../src/core/errors.js'
import type { Handler } from './handler.js'
import { textField } from './message.js'

export const createSubshell: Handler = (kernel) => ({ status: 'ok', subshell_id: kernel.shells.create() })

export const listSubshells: Handler = (kernel) => ({ status: 'ok', subshell_id: kernel.shells.list() })

export const deleteSubshell: Handler = (kernel, { content }) => {
  const id = textField(content, 'subshell_id')
  if (kernel.shells.delete(id)) return { status: 'ok' }
  throw new ShardbookError(
    'argument',
    `delete_subshell_request: expected the id of a subshell, got ${JSON.stringify(id)}.`,
  )
}
