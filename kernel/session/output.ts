/**
 * The session's way to the front: messages over IPC, marks among the printed text so that the two keep their order.
 *
 * A message goes first, its marks second: a mark that the front has seen then means that the message is on its way.
 * Text of native code and of children counts for the foreground: the cell that was started last. Text that another
 * request's code prints stands between two marks of its own.
 */
import type { FromSession, SessionEvent } from '../channel.js'
import { mark, originMark } from '../channel.js'
import { currentOrigin } from './origin.js'

/** A session event before it has its number and origin. */
export type Unsent = SessionEvent extends infer E ? (E extends SessionEvent ? Omit<E, 'seq' | 'origin'> : never) : never

export interface Output {
  /** Sends a message with a place among the printed text. */
  event(event: Unsent): void
  /** Sends a message that has none. */
  send(message: FromSession): void
  /** Prints text to stderr, past anything that a cell may have put in its place. */
  complain(text: string): void
  /** A cell begins: printed text comes from it, unless it says otherwise. */
  begin(origin: number): void
  /** A cell has ended: where others still run, text comes from the one of them that began last. */
  end(origin: number): void
}

export function openOutput(secret: string): Output {
  let seq = 0
  let foreground: number | undefined
  const running = new Set<number>()
  // Taken now: a cell may replace them, and the streams keep the order of writes that the pipe had no room for yet.
  const { stdout, stderr } = process
  const print = stdout.write.bind(stdout)
  const printError = stderr.write.bind(stderr)
  const ipc = process.send?.bind(process)
  const send = (message: FromSession): void => {
    if (process.connected) ipc?.(message)
  }
  const attributed =
    (stream: NodeJS.WriteStream, write: typeof print): typeof print =>
    (chunk: string | Uint8Array, ...rest: unknown[]) => {
      const origin = currentOrigin()?.number ?? foreground
      const whole = write as (chunk: string | Uint8Array, ...rest: unknown[]) => boolean
      if (origin === foreground) return whole(chunk, ...rest)
      stream.cork()
      write(originMark(secret, origin))
      const hasRoom = whole(chunk, ...rest)
      write(originMark(secret, foreground))
      stream.uncork()
      return hasRoom
    }
  const bringForward = (origin: number): void => {
    if (origin === foreground) return
    foreground = origin
    print(originMark(secret, origin))
    printError(originMark(secret, origin))
  }
  stdout.write = attributed(stdout, print)
  const complain = (stderr.write = attributed(stderr, printError))
  return {
    send,
    event: (event) => {
      const origin = currentOrigin()?.number
      seq++
      send({ ...event, seq, ...(origin === undefined ? {} : { origin }) })
      print(mark(secret, seq))
      printError(mark(secret, seq))
    },
    complain: (text) => void complain(text),
    begin: (origin) => {
      running.add(origin)
      bringForward(origin)
    },
    end: (origin) => {
      running.delete(origin)
      bringForward([...running].at(-1) ?? origin)
    },
  }
}
