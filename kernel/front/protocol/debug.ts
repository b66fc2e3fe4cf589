/** `debug_request`: a message of the debug adapter protocol, on the control channel. */
import type { Handler } from './handler.js'

export const debug: Handler = (kernel, { content }) => kernel.debugger.request(content)
