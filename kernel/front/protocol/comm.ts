/** Comms: the kernel offers none yet, so it closes what a client opens and has nothing to list. */
import type { Handler } from './handler.js'

export const commInfo: Handler = () => ({ status: 'ok', comms: {} })

export const commOpen: Handler = (kernel, { content }) => {
  kernel.publish('comm_close', { comm_id: content['comm_id'], data: {} })
  return {}
}
