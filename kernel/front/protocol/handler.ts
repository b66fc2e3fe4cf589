/** What handlers of requests get to work with. A handler returns the content of the reply; sockets are not its business. */
import type { Comms } from '../comms.js'
import type { DebugAdapter } from '../debug/adapter.js'
import type { History } from '../history.js'
import type { NotebookLanguage } from '../language/notebook.js'
import type { Runner } from '../runner.js'
import type { Shells } from '../shell.js'
import type { Content, Extra, Request } from './message.js'

export interface KernelState {
  readonly runner: Runner
  readonly language: NotebookLanguage
  readonly comms: Comms
  readonly shells: Shells
  readonly debugger: DebugAdapter
  readonly history: History
  /** The number of the last cell that counted. */
  executionCount: number
  /** Sends something to everybody, as an output of `request`. */
  publish(type: string, content: Content, request: Request | undefined, extra?: Extra): void
  /** A number for `request`, by which what it causes in the session finds its way back. */
  originOf(request: Request): number
  /** Ends the session and the language server. */
  close(): Promise<void>
  /** Ends the kernel once the reply is sent. */
  stop(): void
}

export type Handler = (kernel: KernelState, request: Request) => Content | Promise<Content>
