/** What handlers of requests get to work with. A handler returns the content of the reply; sockets are not its business. */
import type { NotebookLanguage } from '../language/notebook.js'
import type { Runner } from '../runner.js'
import type { Content, Request } from './message.js'

export interface HistoryEntry {
  readonly session: number
  readonly line: number
  readonly input: string
}

export interface KernelState {
  readonly runner: Runner
  readonly language: NotebookLanguage
  readonly history: HistoryEntry[]
  /** The number of the last cell that counted. */
  executionCount: number
  /** Sends something to everybody, as an output of the cell that runs or ran last. */
  publish(type: string, content: Content): void
  /** Makes `request` the one that outputs belong to. */
  attach(request: Request): void
  /** Refuses the execute requests that wait. */
  abortWaiting(): void
  /** Ends the session and the language server. */
  close(): Promise<void>
  /** Ends the kernel once the reply is sent. */
  stop(): void
}

export type Handler = (kernel: KernelState, request: Request) => Content | Promise<Content>
