/** The host that the package meets inside a session: everything goes to the front, in order with the printed text. */
import type { MimeBundle } from '../../src/core/display.js'
import { bundleOf } from '../../src/core/display.js'
import { ShardbookError } from '../../src/core/errors.js'
import type { Host } from '../../src/core/host.js'
import type { Payload } from '../channel.js'
import type { SessionComms } from './comms.js'
import type { Interrupts } from './interrupt.js'
import { currentOrigin } from './origin.js'
import type { Output } from './output.js'

export interface SessionHost extends Host {
  /** The notebook's names with their values, for the debugger. */
  names(): Readonly<Record<string, unknown>>
  /** How a value shows itself, for the debugger. */
  bundleOf(value: unknown): Promise<MimeBundle>
  /** Takes what the cell that runs now wants of the client when it has ended. */
  takePayload(): Payload[]
  /** Hands over the front's answer to a prompt. */
  answer(id: number, text: string | undefined, reason: string | undefined): void
}

export function createHost(
  output: Output,
  interrupts: Interrupts,
  comms: SessionComms,
  names: SessionHost['names'],
): SessionHost {
  const questions = new Map<number, (text: string | undefined, reason?: string) => void>()
  let lastId = 0
  /** By origin. */
  const payloads = new Map<number, Payload[]>()
  const ask = (payload: Payload): void => {
    const origin = currentOrigin()?.number ?? 0
    payloads.set(origin, [...(payloads.get(origin) ?? []), payload])
  }
  return {
    kind: 'kernel',
    get cell() {
      return currentOrigin()?.cell
    },
    page: (data) => ask({ source: 'page', data, start: 0 }),
    setNextInput: (text, options = {}) => ask({ source: 'set_next_input', text, replace: options.replace ?? false }),
    names,
    bundleOf,
    takePayload: () => {
      const origin = currentOrigin()?.number ?? 0
      const taken = payloads.get(origin) ?? []
      payloads.delete(origin)
      return taken
    },
    openComm: comms.openComm,
    registerTarget: comms.registerTarget,
    clearOutput: (options = {}) => output.event({ kind: 'clear', wait: options.wait ?? false }),
    publish: (bundle, options = {}) =>
      output.event({ kind: 'display', bundle, update: false, ...(options.id === undefined ? {} : { id: options.id }) }),
    update: (id, bundle) => output.event({ kind: 'display', bundle, id, update: true }),
    prompt: (text, options = {}) =>
      new Promise((resolve, reject) => {
        const id = ++lastId
        questions.set(id, (answer, reason) => {
          if (answer !== undefined) resolve(answer)
          else reject(new ShardbookError('state', `prompt: expected an answer, got none: ${reason ?? 'no reason'}.`))
        })
        output.event({ kind: 'input', id, text, password: options.password ?? false })
      }),
    answer: (id, text, reason) => {
      questions.get(id)?.(text, reason)
      questions.delete(id)
    },
    onInterrupt: (listener) => interrupts.onInterrupt(listener),
    track: (label, work) => {
      const id = ++lastId
      output.send({ kind: 'track', id, label })
      const over = (): void => output.send({ kind: 'untrack', id })
      work.then(over, over)
    },
  }
}
