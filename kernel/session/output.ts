/**
 * The session's way to the front: messages, and marks among the printed text so that the two keep their order.
 *
 * A message goes first, its marks second: a mark that the front has seen then means that the message is on its way.
 * Everything is written at once, waiting where the front is slower: what a cell sent before it ended the process, or in a
 * loop without end, is neither lost nor piled up.
 * Text of native code and of children counts for the foreground: the cell that was started last. Text that another
 * request's code prints stands between two marks of its own.
 */
import { fstatSync, writeSync } from 'node:fs'
import type { FromSession, SessionEvent } from '../channel.js'
import { descriptors, encode, mark, originMark } from '../channel.js'
import { currentOrigin } from './origin.js'

/** A session event before it has its number and origin. */
export type Unsent = SessionEvent extends infer E ? (E extends SessionEvent ? Omit<E, 'seq' | 'origin'> : never) : never

export interface Output {
  /** Sends a message with a place among the printed text. */
  event(event: Unsent): void
  /** Sends a message that has none. */
  send(message: FromSession): void
  /** Prints text to stdout, past anything that a cell may have put in its place. */
  print(text: string): void
  /** Prints text to stderr, past anything that a cell may have put in its place. */
  complain(text: string): void
  /** A cell begins: printed text comes from it, unless it says otherwise. */
  begin(origin: number): void
  /** A cell has ended: where others still run, text comes from the one of them that began last. */
  end(origin: number): void
  /** Says so where a cell has closed one of the two streams. */
  checkStreams(): void
}

export function openOutput(secret: string): Output {
  let seq = 0
  let foreground: number | undefined
  const running = new Set<number>()
  const streams = [openStream(1, process.stdout), openStream(2, process.stderr)] as const
  const [stdout, stderr] = streams
  const send = (message: FromSession): void => {
    const bytes = encode(message)
    for (let sent = 0; sent < bytes.length;) sent += writeSync(descriptors.messages, bytes, sent)
  }
  /** Puts marks around what another request than the foreground's prints. */
  const attributed =
    ({ stream, write }: Stream): Write =>
    (chunk, ...rest) => {
      const origin = currentOrigin()?.number ?? foreground
      if (origin === foreground) return write(chunk, ...rest)
      stream.cork()
      write(originMark(secret, origin))
      const hasRoom = write(chunk, ...rest)
      write(originMark(secret, foreground))
      stream.uncork()
      return hasRoom
    }
  /** A descriptor that was closed may be a file of the cell's by now: no marks for that. */
  const markAll = (text: string): void => {
    for (const { isLost, write } of streams) if (!isLost) write(text)
  }
  const bringForward = (origin: number): void => {
    if (origin === foreground) return
    foreground = origin
    markAll(originMark(secret, origin))
  }
  const print = attributed(stdout)
  const complain = attributed(stderr)
  process.stdout.write = print
  process.stderr.write = complain
  return {
    send,
    event: (event) => {
      const origin = currentOrigin()?.number
      seq++
      send({ ...event, seq, ...(origin === undefined ? {} : { origin }) })
      markAll(mark(secret, seq))
    },
    print: (text) => void print(text),
    complain: (text) => void complain(text),
    begin: (origin) => {
      running.add(origin)
      bringForward(origin)
    },
    end: (origin) => {
      running.delete(origin)
      bringForward([...running].at(-1) ?? origin)
    },
    checkStreams: () => {
      for (const one of streams) {
        if (one.isLost || inodeOf(one.fd) === one.inode) continue
        one.isLost = true
        const name = one.fd === 1 ? 'stdout' : 'stderr'
        const text = `The session's ${name} was closed: what is printed there is lost. Restart the kernel to have it back.\n`
        if (one === stdout) complain(text)
        else print(text)
      }
    },
  }
}

type Write = (chunk: string | Uint8Array, ...rest: unknown[]) => boolean

interface Stream {
  readonly fd: number
  readonly inode: number | undefined
  readonly stream: NodeJS.WriteStream
  /** Its own `write`: a cell may put something else in its place. */
  readonly write: Write
  /** A cell has closed it. */
  isLost: boolean
}

function openStream(fd: number, stream: NodeJS.WriteStream): Stream {
  // A cell may close it; `checkStreams` says so.
  stream.on('error', () => {})
  makeBlocking(stream)
  return { fd, inode: inodeOf(fd), stream, write: stream.write.bind(stream) as Write, isLost: false }
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
