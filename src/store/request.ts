/**
 * One HTTP request, tried again while that can help: broken connections, silence, overload. The body is read here, so that
 * a connection that breaks half-way counts as broken; an answer is whole or an error.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { currentSignal } from '../core/cancel.js'
import { ShardbookError } from '../core/errors.js'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array
}

export interface Query {
  readonly method?: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Stops reading the body after so many bytes, for servers that send more than was asked for. */
  readonly readBytes?: number
}

/** Makes a query one that its server accepts: credentials, signature. */
export type Sign = (query: Query) => Promise<Query>

const triesMs = [100, 300, 900, 2000]
const stallMs = 30_000
const again = new Set([408, 425, 429, 500, 502, 503, 504])

/** Sends a query and reads its answer, with four more tries. @throws `io` when the server cannot be reached, `interrupted` */
export async function request(caller: string, query: Query, sign?: Sign): Promise<Answer> {
  for (let tried = 0; ; tried++) {
    const pauseMs = triesMs[tried]
    try {
      const answer = await send(sign === undefined ? query : await sign(query))
      if (pauseMs === undefined || !again.has(answer.status)) return answer
    } catch (cause) {
      if (cause instanceof ShardbookError) throw cause
      const signal = currentSignal()
      if (signal?.aborted) throw signal.reason as ShardbookError
      if (pauseMs === undefined) {
        throw new ShardbookError('io', `${caller}: cannot reach ${shown(query.url)}: ${reasonOf(cause)}.`, { cause })
      }
    }
    await delay(pauseMs, undefined, { signal: currentSignal() })
  }
}

async function send({ url, method = 'GET', headers = {}, body, readBytes = Infinity }: Query): Promise<Answer> {
  const stalled = new AbortController()
  const timer = setTimeout(() => stalled.abort(new Error(`no answer for ${stallMs / 1000} s`)), stallMs)
  const outer = currentSignal()
  try {
    const response = await fetch(url, {
      method,
      // An encoded body would make ranges and sizes meaningless.
      headers: { 'accept-encoding': 'identity', ...headers },
      ...(body === undefined ? {} : { body }),
      signal: outer === undefined ? stalled.signal : AbortSignal.any([stalled.signal, outer]),
    })
    const parts: Uint8Array[] = []
    let held = 0
    for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      timer.refresh()
      parts.push(part)
      held += part.length
      if (held >= readBytes) break
    }
    const length = Number(response.headers.get('content-length') ?? Number.NaN)
    if (method !== 'HEAD' && held < Math.min(length, readBytes)) throw new Error(`${held} of ${length} bytes came`)
    const { status, headers: answered } = response
    return { status, headers: answered, body: new Uint8Array(Buffer.concat(parts)) }
  } finally {
    clearTimeout(timer)
  }
}

/** An address without what must not show: user, password, signed queries. */
export function shown(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

function reasonOf(cause: unknown): string {
  const below = cause instanceof Error ? (cause.cause as { code?: unknown; message?: unknown } | undefined) : undefined
  const reason = below?.message || below?.code || (cause instanceof Error ? cause.message : cause)
  return String(reason).replace(/\.$/, '')
}
