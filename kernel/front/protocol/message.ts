/** Jupyter's messages (protocol 5.5) as plain data: https://jupyter-client.readthedocs.io/en/stable/messaging.html */
import { randomUUID } from 'node:crypto'

export const protocolVersion = '5.5'

export type Content = Readonly<Record<string, unknown>>

export interface Header {
  readonly msg_id: string
  readonly session: string
  readonly username: string
  readonly date: string
  readonly msg_type: string
  readonly version: string
  /** The subshell that is to handle the request; absent or null for the main shell. */
  readonly subshell_id?: string | null
}

/** A message as it travels, without its frames. */
export interface Message {
  readonly header: Header
  readonly parentHeader: Header | Record<string, never>
  readonly metadata: Content
  readonly content: Content
  readonly buffers: readonly Uint8Array[]
}

/** A request and the way to answer it. */
export interface Request {
  readonly header: Header
  readonly metadata: Content
  readonly content: Content
  readonly buffers: readonly Uint8Array[]
  reply(type: string, content: Content): void
  /** Asks the one who sent it for a line of text. */
  askInput(content: Content): Promise<string>
}

/** What may go with a message beside its content. */
export interface Extra {
  readonly metadata?: Content
  readonly buffers?: readonly Uint8Array[]
}

export function newHeader(type: string, session: string): Header {
  return {
    msg_id: randomUUID(),
    session,
    username: 'kernel',
    date: new Date().toISOString(),
    msg_type: type,
    version: protocolVersion,
  }
}

/** A text field of a request, or the empty text. */
export function textField(content: Content, name: string): string {
  const value = content[name]
  return typeof value === 'string' ? value : ''
}

/** An object field of a request, or an empty object. */
export function objectField(content: Content, name: string): Content {
  const value = content[name]
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Content) : {}
}

/** A number field of a request, or `fallback`. */
export function numberField(content: Content, name: string, fallback: number): number {
  const value = content[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : fallback
}
