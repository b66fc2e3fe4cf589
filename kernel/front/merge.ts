/**
 * Puts a session's printed text and its messages back into one order.
 *
 * The two streams and the messages arrive by three ways. A message with number n is let through when both streams have
 * shown mark n; text behind mark n waits until message n is through. A stream that a cell has closed is not waited for, and
 * one that shows no mark for another reason no longer than `patienceMs`.
 */
import { StringDecoder } from 'node:string_decoder'
import type { SessionEvent } from '../channel.js'
import { markPrefix } from '../channel.js'

export type StreamName = 'stdout' | 'stderr'

export interface MergerTarget {
  /** `origin` is the number of the request whose code printed it, if one is known. */
  text(name: StreamName, text: string, origin: number | undefined): void
  event(event: SessionEvent): void
}

interface OriginMark {
  readonly origin: number | undefined
}

interface Stream {
  readonly name: StreamName
  readonly decoder: StringDecoder
  /** Text and marks that wait for a message. */
  readonly waiting: (string | number | OriginMark)[]
  /** The request that the text comes from. */
  origin: number | undefined
  /** The number of the last mark that was passed. */
  passed: number
  isClosed: boolean
  /** Bytes that may be the beginning of a mark. */
  rest: Buffer
}

const patienceMs = 1000

export class Merger {
  private readonly streams: readonly Stream[]
  private readonly events: SessionEvent[] = []
  private readonly prefix: Buffer
  private readonly target: MergerTarget
  private timer: NodeJS.Timeout | undefined
  /** The number of the last message that arrived. */
  private arrived = 0

  constructor(secret: string, target: MergerTarget) {
    this.prefix = Buffer.from(markPrefix(secret))
    this.target = target
    this.streams = (['stdout', 'stderr'] as const).map((name) => ({
      name,
      decoder: new StringDecoder('utf8'),
      waiting: [],
      origin: undefined,
      passed: 0,
      isClosed: false,
      rest: Buffer.alloc(0),
    }))
  }

  /** Takes what one of the streams printed. */
  print(name: StreamName, chunk: Buffer): void {
    const stream = this.streams.find((one) => one.name === name)!
    let bytes = stream.rest.length === 0 ? chunk : Buffer.concat([stream.rest, chunk])
    for (;;) {
      const start = bytes.indexOf(this.prefix)
      const end = start < 0 ? -1 : bytes.indexOf(0, start + this.prefix.length)
      if (end < 0) {
        const keep = start < 0 ? partialMatch(bytes, this.prefix) : bytes.length - start
        this.queue(stream, bytes.subarray(0, bytes.length - keep))
        stream.rest = Buffer.from(bytes.subarray(bytes.length - keep))
        break
      }
      this.queue(stream, bytes.subarray(0, start))
      stream.waiting.push(parseMark(bytes.toString('latin1', start + this.prefix.length, end)))
      bytes = bytes.subarray(end + 1)
    }
    this.advance()
  }

  /** Takes a message. */
  event(event: SessionEvent): void {
    this.arrived = event.seq
    this.events.push(event)
    this.advance()
    if (this.events.length > 0 && this.timer === undefined) {
      this.timer = setTimeout(() => {
        this.timer = undefined
        this.flush()
      }, patienceMs)
    }
  }

  /** Takes note that nothing more comes on a stream. */
  close(name: StreamName): void {
    const stream = this.streams.find((one) => one.name === name)!
    stream.isClosed = true
    this.advance()
  }

  /** Lets everything through that has arrived: the session ended, or a stream is broken. */
  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    for (const stream of this.streams) {
      stream.passed = Math.max(stream.passed, this.arrived)
      this.queue(stream, stream.rest)
      stream.rest = Buffer.alloc(0)
    }
    this.advance()
    for (const stream of this.streams) {
      for (const item of stream.waiting.splice(0)) this.pass(stream, item)
    }
  }

  private queue(stream: Stream, bytes: Buffer): void {
    const text = stream.decoder.write(bytes)
    if (text !== '') stream.waiting.push(text)
  }

  private advance(): void {
    for (;;) {
      for (const stream of this.streams) this.release(stream)
      const next = this.events[0]
      if (next === undefined || this.streams.some((stream) => isAwaited(stream, next.seq))) break
      this.events.shift()
      this.target.event(next)
    }
    if (this.events.length === 0) {
      clearTimeout(this.timer)
      this.timer = undefined
    }
  }

  /** Passes on a stream's text up to the mark of a message that has not been let through. */
  private release(stream: Stream): void {
    for (;;) {
      const item = stream.waiting[0]
      if (item === undefined) return
      const isHeld = this.events.length > 0 ? stream.passed >= this.events[0]!.seq : stream.passed > this.arrived
      if (isHeld) return
      stream.waiting.shift()
      this.pass(stream, item)
    }
  }

  private pass(stream: Stream, item: string | number | OriginMark): void {
    if (typeof item === 'number') stream.passed = Math.max(stream.passed, item)
    else if (typeof item === 'string') this.target.text(stream.name, item, stream.origin)
    else stream.origin = item.origin
  }
}

function parseMark(text: string): number | OriginMark {
  if (!text.startsWith('@')) return Number(text)
  return { origin: text === '@' ? undefined : Number(text.slice(1)) }
}

function isAwaited(stream: Stream, seq: number): boolean {
  return stream.passed < seq && !(stream.isClosed && stream.waiting.length === 0)
}

/** The length of the longest end of `bytes` that begins `prefix`. */
function partialMatch(bytes: Buffer, prefix: Buffer): number {
  for (let length = Math.min(bytes.length, prefix.length - 1); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(prefix.subarray(0, length))) return length
  }
  return 0
}
