/**
 * The session's way to the front: messages, and marks among the printed text so that the two keep their order.
 *
 * A message goes first, its marks second: a mark that the front has seen then means that the message is on its way.
 * Everything is written at once, waiting where the front is slower: what a cell sent before it ended the process, or in a
 * loop without end, is neither lost nor piled up.
 */
import { writeSync } from 'node:fs'
import type { FromSession, SessionEvent } from '../channel.js'
import { descriptors, encode, mark } from '../channel.js'

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
  // A cell may close them; the front then says so.
  stdout.on('error', () => {})
  stderr.on('error', () => {})
  const send = (message: FromSession): void => {
    const bytes = encode(message)
    for (let sent = 0; sent < bytes.length;) sent += writeSync(descriptors.messages, bytes, sent)
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
