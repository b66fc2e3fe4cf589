/** Comms: `comm_open`, `comm_msg`, `comm_close`, which have no reply, and `comm_info_request`. */
import type { CommMessage } from '../../channel.js'
import type { Handler } from './handler.js'
import type { Content } from './message.js'
import { objectField, textField } from './message.js'

export const commInfo: Handler = (kernel, { content }) => {
  const wanted = textField(content, 'target_name')
  const comms = [...kernel.comms.list()].filter(([, target]) => wanted === '' || target === wanted)
  return { status: 'ok', comms: Object.fromEntries(comms.map(([id, target]) => [id, { target_name: target }])) }
}

function receive(step: CommMessage['step']): Handler {
  return async (kernel, request) => {
    const { content, metadata, buffers } = request
    const message: CommMessage = {
      step,
      id: textField(content, 'comm_id'),
      target: textField(content, 'target_name'),
      data: objectField(content, 'data'),
      metadata,
      buffers,
    }
    await kernel.comms.fromClient(message, request)
    return {}
  }
}

export const commOpen = receive('open')
export const commMessage = receive('message')
export const commClose = receive('close')

const types = { open: 'comm_open', message: 'comm_msg', close: 'comm_close' } as const

/** The message that tells clients of a step. */
export function commContent({ step, id, target, data }: CommMessage): { type: string; content: Content } {
  return { type: types[step], content: { comm_id: id, data, ...(step === 'open' ? { target_name: target } : {}) } }
}
