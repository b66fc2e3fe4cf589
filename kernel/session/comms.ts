/**
 * The session's ends of comms: two-way channels between its code and objects in the client.
 *
 * Messages come while the main thread is free: between cells, and while a cell awaits. What their listeners print and
 * show belongs to the message. A listener's error is told and ends nothing.
 */
import { randomUUID } from 'node:crypto'
import type { Comm, CommContent, Host } from '../../src/core/host.js'
import type { CommMessage } from '../channel.js'
import type { Output } from './output.js'

type Listener = (message: Required<CommContent>) => unknown

interface OpenComm extends Comm {
  readonly onStep: Readonly<Record<'message' | 'close', Set<Listener>>>
}

export interface SessionComms extends Pick<Host, 'openComm' | 'registerTarget'> {
  /** Hands a client's message to its listeners; resolves when the last of them has ended. */
  receive(message: CommMessage): Promise<void>
}

/** `onError` gets what listeners throw. */
export function createComms(output: Output, onError: (title: string, error: unknown) => void): SessionComms {
  const comms = new Map<string, OpenComm>()
  const targets = new Map<string, (comm: Comm, opened: Required<CommContent>) => unknown>()

  const send = (step: CommMessage['step'], id: string, target: string, content: CommContent): void => {
    const { data = {}, metadata = {}, buffers = [] } = content
    output.event({ kind: 'comm', comm: { step, id, target, data: plain(data), metadata: plain(metadata), buffers } })
  }

  const create = (id: string, target: string): OpenComm => {
    const onStep = { message: new Set<Listener>(), close: new Set<Listener>() }
    const listen = (step: 'message' | 'close', listener: Listener): (() => void) => {
      // A function of its own: one listener may be added twice.
      const own: Listener = (message) => listener(message)
      onStep[step].add(own)
      return () => void onStep[step].delete(own)
    }
    const comm: OpenComm = {
      id,
      target,
      onStep,
      send: (data, options) => {
        if (comms.has(id)) send('message', id, '', { data, ...options })
      },
      onMessage: (listener) => listen('message', listener),
      onClose: (listener) => listen('close', listener),
      close: (data, options) => {
        if (comms.delete(id)) send('close', id, '', { data, ...options })
      },
    }
    comms.set(id, comm)
    return comm
  }

  const tell = async (listeners: Iterable<Listener>, message: CommMessage): Promise<void> => {
    const { data, metadata, buffers } = message
    for (const listener of listeners) {
      try {
        await listener({ data, metadata, buffers })
      } catch (error) {
        onError(`Error in a listener of the comm ${message.id}`, error)
      }
    }
  }

  return {
    openComm: (target, data, options) => {
      const comm = create(randomUUID(), target)
      send('open', comm.id, target, { data, ...options })
      return comm
    },
    registerTarget: (target, handler) => {
      targets.set(target, handler)
      output.send({ kind: 'target', name: target, isRegistered: true })
      return () => {
        if (targets.get(target) !== handler) return
        targets.delete(target)
        output.send({ kind: 'target', name: target, isRegistered: false })
      }
    },
    receive: async (message) => {
      const { step, id, target } = message
      if (step === 'open') {
        const handler = targets.get(target)
        if (handler === undefined) return send('close', id, '', {})
        const comm = create(id, target)
        try {
          await handler(comm, message)
        } catch (error) {
          onError(`Error in the handler of the comm target ${JSON.stringify(target)}`, error)
          comm.close()
        }
        return
      }
      const comm = comms.get(id)
      if (comm === undefined) return
      if (step === 'close') comms.delete(id)
      await tell([...comm.onStep[step]], message)
    },
  }
}

/** A JSON value, made here, where the mistake of the one who sends can still be reported to him. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
