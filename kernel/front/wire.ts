/**
 * Frames of Jupyter's wire protocol: identities, a delimiter, a signature, four JSON parts, buffers.
 *
 * A message counts only when its HMAC-SHA256 is right (compared in constant time) and was not seen before; whatever is
 * malformed, badly signed or replayed is refused with a reason, never answered.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Content, Header, Message } from './protocol/message.js'

/** Bytes that are not UTF-8 make a message malformed, not different. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

const delimiter = Buffer.from('<IDS|MSG>')

/** So many signatures are remembered against replays. */
const rememberedSignatures = 65536

export interface Received {
  readonly identities: readonly Buffer[]
  readonly message: Message
}

export class Codec {
  private readonly key: string
  private readonly seen = new Set<string>()

  /** With an empty key nothing is signed, as the protocol has it. */
  constructor(key: string) {
    this.key = key
  }

  /** The frames of a message for `identities` (or a topic). */
  encode(identities: readonly (Buffer | string)[], message: Message): (Buffer | string | Uint8Array)[] {
    const { header, parentHeader, metadata, content, buffers } = message
    const parts = [header, parentHeader, metadata, content].map((part) => JSON.stringify(part))
    return [...identities, delimiter, this.sign(parts), ...parts, ...buffers]
  }

  /** The message of `frames`, or why there is none. */
  decode(frames: readonly Buffer[]): Received | string {
    const at = frames.findIndex((frame) => frame.equals(delimiter))
    if (at < 0) return 'a message without a delimiter'
    const [signature, ...rest] = frames.slice(at + 1)
    const parts = rest.slice(0, 4)
    if (signature === undefined || parts.length < 4) return 'a message with too few parts'
    if (this.key !== '') {
      const wanted = Buffer.from(this.sign(parts))
      if (wanted.length !== signature.length || !timingSafeEqual(wanted, signature))
        return 'a message with a bad signature'
      const text = signature.toString('latin1')
      if (this.seen.has(text)) return 'a message that came before'
      this.remember(text)
    }
    const [header, parentHeader, metadata, content] = parts.map(parseObject)
    if (header === undefined || parentHeader === undefined || metadata === undefined || content === undefined) {
      return 'a message whose parts are not JSON objects'
    }
    if (!isHeader(header)) return 'a message whose header lacks msg_id, session or msg_type'
    const message: Message = {
      header,
      parentHeader: isHeader(parentHeader) ? parentHeader : {},
      metadata,
      content,
      buffers: rest.slice(4),
    }
    return { identities: frames.slice(0, at), message }
  }

  private sign(parts: readonly (string | Buffer)[]): string {
    if (this.key === '') return ''
    const hmac = createHmac('sha256', this.key)
    for (const part of parts) hmac.update(part)
    return hmac.digest('hex')
  }

  private remember(signature: string): void {
    this.seen.add(signature)
    if (this.seen.size <= rememberedSignatures) return
    for (const oldest of this.seen) {
      this.seen.delete(oldest)
      return
    }
  }
}

function parseObject(bytes: Buffer): Content | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Content) : undefined
  } catch {
    // Told by the caller as a malformed message.
    return undefined
  }
}

function isHeader(value: Content): value is Content & Header {
  return ['msg_id', 'session', 'msg_type'].every((name) => typeof value[name] === 'string')
}
