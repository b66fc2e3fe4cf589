/**
 * What the front process and the session process say to each other.
 *
 * The session's fd 1 and 2 carry what the user's code and its native libraries and children print, fd 3 its messages, fd 4
 * interrupts to its control thread, fd 5 the front's messages, fd 6 the debugger's requests to the control thread, one JSON
 * a line. Node's own IPC channel is not used: a cell's `process.send` and `process.removeAllListeners` would reach it, and
 * what it sends late is lost when a cell ends the process.
 * Messages that must keep their place among the printed text have a `seq`: the session prints a mark with that number on
 * both streams when it sends one (see `mark`), and the front waits until both marks have passed.
 *
 * Whatever a request causes, now or later, carries that request's number, its origin: in messages as a field, in printed
 * text as a mark before it (see `originMark`).
 */
import { deserialize, serialize } from 'node:v8'
import type { CommContent } from '../src/core/host.js'
import type { MimeBundle } from '../src/core/display.js'
import { ShardbookError } from '../src/core/errors.js'
import type { Script } from './compile/compile.js'
import type { Aliases } from './local-modules.js'

/** The session's file descriptors beyond the three standard ones. */
export const descriptors = { messages: 3, interrupts: 4, requests: 5, debug: 6 } as const

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
  /** What the client is to do beside showing outputs. */
  readonly payload?: readonly Payload[]
}

/** Values by the name under which each was asked for. */
export type Expressions = Readonly<Record<string, { readonly data: MimeBundle } | { readonly error: CellError }>>

/** What a client does when a cell has ended: show a text beside the notebook, or put code into the next cell. */
export type Payload =
  | { readonly source: 'page'; readonly data: MimeBundle; readonly start: number }
  | { readonly source: 'set_next_input'; readonly text: string; readonly replace: boolean }

/** A step in the life of a comm. */
export interface CommMessage extends Required<CommContent> {
  readonly step: 'open' | 'message' | 'close'
  readonly id: string
  /** The target's name; empty but for `open`. */
  readonly target: string
}

/** What the debugger asks of the session's inspector, in terms of the Chrome DevTools Protocol; `disconnect` leaves it. */
export interface DebugRequest {
  readonly id: number
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

/** An answer (with `id`) or an event (with `method`). */
export interface DebugReply {
  readonly id?: number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: unknown
  readonly error?: string
}

/** What a session is asked to do; it ends with a `done`, `values` or `handled` event of the same origin. */
export type Task = {
  readonly origin: number
  /** Grows with each task that is sent: an interrupt names the last one that it means. */
  readonly serial: number
} & (
  | {
      readonly kind: 'execute'
      readonly script: Script
      /** What names of modules mean beside Node's own rules. */
      readonly aliases: Aliases
      /** Whether it sends a `loaded` event before it runs, and waits for `go`. */
      readonly isDebugged: boolean
    }
  /** Asks for the values of expressions, by the name under which each is wanted. */
  | { readonly kind: 'evaluate'; readonly scripts: Readonly<Record<string, Script>> }
  | { readonly kind: 'comm'; readonly comm: CommMessage }
  /** Forgets all names. */
  | { readonly kind: 'reset' }
  /** Asks for an event that follows everything printed so far. */
  | { readonly kind: 'sync' }
)

export type ToSession =
  | Task
  /** The debugger is ready for the cell of this origin. */
  | { readonly kind: 'go'; readonly origin: number }
  /** The answer to an `input` event; `text` is absent when there is none, then `reason` says why. */
  | { readonly kind: 'input'; readonly id: number; readonly text?: string; readonly reason?: string }

export type FromSession =
  | { readonly kind: 'ready' }
  | { readonly kind: 'track'; readonly id: number; readonly label: string }
  | { readonly kind: 'untrack'; readonly id: number }
  /** The session takes comms that a client opens under this name, or takes them no longer. */
  | { readonly kind: 'target'; readonly name: string; readonly isRegistered: boolean }
  /** The session cannot go on and ends; `reason` completes "the session ended: …". */
  | { readonly kind: 'broken'; readonly reason: string }
  | SessionEvent

/** Messages with a place among the printed text. The origin is absent where no request is known to have caused it. */
export type SessionEvent = { readonly seq: number; readonly origin?: number } & (
  | {
      readonly kind: 'display'
      readonly bundle: MimeBundle
      readonly id?: string
      readonly update: boolean
    }
  | {
      readonly kind: 'input'
      readonly id: number
      readonly text: string
      readonly password: boolean
    }
  | { readonly kind: 'clear'; readonly wait: boolean }
  | { readonly kind: 'comm'; readonly comm: CommMessage }
  /** V8 has the script of a cell that waits for the debugger. */
  | { readonly kind: 'loaded' }
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'values'; readonly values: Expressions }
  | { readonly kind: 'handled' }
)

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

/** The mark that says which request the text behind it comes from. */
export function originMark(secret: string, origin: number | undefined): string {
  return `${markPrefix(secret)}@${origin ?? ''}\u0000`
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
