/** Which handler answers which request. */
import { commClose, commInfo, commMessage, commOpen } from './comm.js'
import { complete } from './complete.js'
import { execute } from './execute.js'
import { debug } from './debug.js'
import type { Handler } from './handler.js'
import { history } from './history.js'
import { inspect } from './inspect.js'
import { isComplete } from './is-complete.js'
import { kernelInfo } from './kernel-info.js'
import { interrupt, shutdown } from './lifecycle.js'
import { createSubshell, deleteSubshell, listSubshells } from './subshell.js'

/** Requests by type. Those with a reply have it named `…_reply`. */
export const handlers: Readonly<Record<string, Handler>> = {
  execute_request: execute,
  complete_request: complete,
  inspect_request: inspect,
  is_complete_request: isComplete,
  kernel_info_request: kernelInfo,
  history_request: history,
  comm_info_request: commInfo,
  comm_open: commOpen,
  comm_msg: commMessage,
  comm_close: commClose,
  interrupt_request: interrupt,
  shutdown_request: shutdown,
  debug_request: debug,
  create_subshell_request: createSubshell,
  delete_subshell_request: deleteSubshell,
  list_subshell_request: listSubshells,
}
