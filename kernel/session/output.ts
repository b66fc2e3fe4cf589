/**
 * The session's way to the front: messages, and marks among the printed text so that the two keep their order.
 *
 * A message goes first, its marks second: a mark that the front has seen then means that the message is on its way.
 * Everything is written at once, waiting where the front is slower: what a cell sent before it ended the process, or in a
 * loop without end, is neither lost nor piled up.
 */
import { fstatSync, writeSync } from 'node:fs'
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
  /** Says so where a cell has closed one of the two streams. */
  checkStreams(): void
}

export function openOutput(secret: string): Output {
  let seq = 0
  const inodes = [inodeOf(1), inodeOf(2)]
  const isLost = [false, false]
  // Taken now: a cell may replace them, and the streams keep the order of writes that the pipe had no room for yet.
  const { stdout, stderr } = process
  const print = stdout.write.bind(stdout)
  const printError = stderr.write.bind(stderr)
  for (const stream of [stdout, stderr]) {
    // A cell may close them; `checkStreams` says so.
    stream.on('error', () => {})
    makeBlocking(stream)
  }
  const send = (message: FromSession): void => {
    const bytes = encode(message)
    for (let sent = 0; sent < bytes.length;) sent += writeSync(descriptors.messages, bytes, sent)
  }
  return {
    send,
    event: (event) => {
      seq++
      send({ ...event, seq })
      // A descriptor that was closed may be a file of the cell's by now.
      if (isLost[0] === false) print(mark(secret, seq))
      if (isLost[1] === false) printError(mark(secret, seq))
    },
    complain: (text) => void printError(text),
    checkStreams: () => {
      for (const index of [0, 1]) {
        if (isLost[index] === true || inodeOf(index + 1) === inodes[index]) continue
        isLost[index] = true
        const name = index === 0 ? 'stdout' : 'stderr'
        const text = `The session's ${name} was closed: what is printed there is lost. Restart the kernel to have it back.\n`
        if (index === 0) printError(text)
        else print(text)
      }
    },
  }
}

/** Node itself would pile up what the pipe has no room for, without end where a loop prints without end. */
function makeBlocking(stream: NodeJS.WriteStream): void {
  const { _handle: handle } = stream as { _handle?: { setBlocking?(isBlocking: boolean): number } }
  handle?.setBlocking?.(true)
}

function inodeOf(fd: number): number | undefined {
  try {
    return fstatSync(fd).ino
  } catch {
    // It is closed.
    return undefined
  }
}
