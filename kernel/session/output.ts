/**
 * The session's way to the front: messages over IPC, marks among the printed text so that the two keep their order.
 *
 * A message goes first, its marks second: a mark that the front has seen then means that the message is on its way.
 */
import type { FromSession, SessionEvent } from '../channel.js'
import { mark } from '../channel.js'

/** A session event before it has its number. */
export type Unsent = SessionEvent extends infer E ? (E extends SessionEvent ? Omit<E, 'seq'> : never) : never

export interface Output {
  /** Sends a message with a place among the printed text. */
  event(event: Unsent): void
  /** Sends a message that has none. */
  send(message: FromSession): void
  /** Prints text to stderr, past anything that a cell may have put in its place. */
  complain(text: string): void
}

export function openOutput(secret: string): Output {
  let seq = 0
  // Taken now: a cell may replace them, and the streams keep the order of writes that the pipe had no room for yet.
  const { stdout, stderr } = process
  const print = stdout.write.bind(stdout)
  const printError = stderr.write.bind(stderr)
  const ipc = process.send?.bind(process)
  const send = (message: FromSession): void => {
    if (process.connected) ipc?.(message)
  }
  return {
    send,
    event: (event) => {
      seq++
      send({ ...event, seq })
      print(mark(secret, seq))
      printError(mark(secret, seq))
    },
    complain: (text) => void printError(text),
  }
}
