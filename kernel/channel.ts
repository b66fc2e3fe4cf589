/**
 * What the front process and the session process say to each other.
 *
 * Four ways connect them: the IPC channel carries these messages, the session's fd 1 and 2 carry what the user's code
 * and its native libraries and children print, fd 4 of the session carries interrupts to its control thread, and fd 5 the
 * debugger's requests to it, one JSON a line.
 * Messages that must keep their place among the printed text have a `seq`: the session prints a mark with that number on
 * both streams when it sends one (see `mark`), and the front waits until both marks have passed.
 *
 * Whatever a request causes, now or later, carries that request's number, its origin: in messages as a field, in printed
 * text as a mark before it (see `originMark`).
 */
import type { SourceMapPayload } from 'node:module'
import type { CommContent } from '../src/core/host.js'
import type { MimeBundle } from '../src/core/display.js'

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
  /** The values of the expressions that were asked for with the cell, where it ended well. */
  readonly expressions?: Expressions
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

/** A cell as the session runs it. */
export interface CompiledCell {
  /** The name of its script. */
  readonly filename: string
  readonly label: string
  readonly code: string
  /** Source maps from the script back to the user's text, outermost first. */
  readonly maps: readonly SourceMapPayload[]
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

/** A cell to run. */
export interface CellTask {
  readonly origin: number
  /** `Cell[3]` */
  readonly label: string
  readonly code: string
  /** Whether it sends a `compiled` event before it runs, and waits for `go`. */
  readonly isDebugged: boolean
  /** Expressions to evaluate when it has ended well, by name. */
  readonly expressions: Readonly<Record<string, string>>
}

/** What a session is asked to do; it ends with a `done` or `handled` event of the same origin. */
export type Task =
  | ({ readonly kind: 'execute' } & CellTask)
  | { readonly kind: 'comm'; readonly origin: number; readonly comm: CommMessage }
  /** Asks for an event that follows everything printed so far. */
  | { readonly kind: 'sync'; readonly origin: number }

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
  | { readonly kind: 'compiled'; readonly cell: CompiledCell }
  | { readonly kind: 'done'; readonly outcome: Outcome }
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
