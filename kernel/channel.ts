/**
 * What the front process and the session process say to each other.
 *
 * The session's fd 1 and 2 carry what the user's code and its native libraries and children print, fd 3 its messages, fd 4
 * interrupts to its control thread, fd 5 the front's messages. Node's own IPC channel is not used: a cell's `process.send`
 * and `process.removeAllListeners` would reach it, and what it sends late is lost when a cell ends the process.
 * Messages that must keep their place among the printed text have a `seq`: the session prints a mark with that number on
 * both streams when it sends one (see `mark`), and the front waits until both marks have passed.
 */
import { deserialize, serialize } from 'node:v8'
import type { MimeBundle } from '../src/core/display.js'
import { ShardbookError } from '../src/core/errors.js'
import type { Script } from './compile/compile.js'

/** The session's file descriptors beyond the three standard ones. */
export const descriptors = { messages: 3, interrupts: 4, requests: 5 } as const

/** An error as Jupyter shows it. */
export interface CellError {
  readonly ename: string
  readonly evalue: string
  /** Text with ANSI colours, one entry a block. */
  readonly traceback: readonly string[]
}

/** How a cell ended. */
export interface Outcome {
  /** What the last expression shows; absent where it is undefined or there is none. */
  readonly result?: MimeBundle
  /** Absent where the cell ended well. */
  readonly error?: CellError
  /** Names that the cell declares and that have a value now, also when it failed half-way. */
  readonly defined: readonly string[]
  /** Static types, as TypeScript text, of the values (of names the cell used) that know theirs. */
  readonly types: Readonly<Record<string, string>>
}

export type ToSession =
  /** Runs a cell; `serial` grows with each, and interrupts name it. */
  | { readonly kind: 'execute'; readonly serial: number; readonly script: Script }
  /** Forgets all names; an `idle` event follows. */
  | { readonly kind: 'reset' }
  /** The answer to an `input` event; `text` is absent when there is none, then `reason` says why. */
  | { readonly kind: 'input'; readonly id: number; readonly text?: string; readonly reason?: string }
  /** Asks for an `idle` event, which follows everything printed so far. */
  | { readonly kind: 'sync' }

export type FromSession =
  | { readonly kind: 'ready' }
  | { readonly kind: 'track'; readonly id: number; readonly label: string }
  | { readonly kind: 'untrack'; readonly id: number }
  /** The session cannot go on and ends; `reason` completes "the session ended: …". */
  | { readonly kind: 'broken'; readonly reason: string }
  | SessionEvent

/** Messages with a place among the printed text. */
export type SessionEvent =
  | {
      readonly kind: 'display'
      readonly seq: number
      readonly bundle: MimeBundle
      readonly id?: string
      readonly update: boolean
    }
  | {
      readonly kind: 'input'
      readonly seq: number
      readonly id: number
      readonly text: string
      readonly password: boolean
    }
  | { readonly kind: 'done'; readonly seq: number; readonly outcome: Outcome }
  | { readonly kind: 'idle'; readonly seq: number }

/** The environment variable that tells the session its secret, so that printed text cannot be taken for a mark. */
export const markVariable = 'SHARDBOOK_SESSION_MARK'

/** What stands before the number of a mark in the printed text. */
export function markPrefix(secret: string): string {
  return `\u0000${secret}:`
}

/** The mark with number `seq`; short enough that the pipe takes it in one piece. */
export function mark(secret: string, seq: number): string {
  return `${markPrefix(secret)}${seq}\u0000`
}

/** What every message begins with: anything else on the pipe is no message. */
const signature = 0x53424b31

/** A message as it travels: signature and length in four bytes each, then its structured clone. */
export function encode(message: ToSession | FromSession): Buffer {
  const body = serialize(message)
  const head = Buffer.alloc(8)
  head.writeUInt32LE(signature)
  head.writeUInt32LE(body.length, 4)
  return Buffer.concat([head, body])
}

/** Puts messages together again from what a stream brings. */
export class Decoder<M extends ToSession | FromSession> {
  private chunks: Buffer[] = []
  private size = 0

  /** The messages that `chunk` completes. @throws where the bytes are no message */
  push(chunk: Buffer): M[] {
    this.chunks.push(chunk)
    this.size += chunk.length
    const messages: M[] = []
    while (this.size >= 8) {
      const head = this.join(8)
      if (head.readUInt32LE() !== signature) {
        throw new ShardbookError('data', 'session: expected a message, got other bytes.')
      }
      const end = 8 + head.readUInt32LE(4)
      if (this.size < end) break
      const bytes = this.join(end)
      messages.push(deserialize(bytes.subarray(8, end)) as M)
      this.chunks = [bytes.subarray(end)]
      this.size -= end
    }
    return messages
  }

  /** The first chunk, made to hold at least `length` bytes. */
  private join(length: number): Buffer {
    if (this.chunks[0]!.length < length) this.chunks = [Buffer.concat(this.chunks)]
    return this.chunks[0]!
  }
}
