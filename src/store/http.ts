/**
 * The store over HTTP: ranged reads, put and delete where the server has them.
 *
 * The version of an object is its ETag (else its date) and size. It is compared on every answer: bytes of two versions are
 * never mixed. A server that ignores ranges is read up to the end of the range.
 */
import { ShardbookError } from '../core/errors.js'
import { request, shown, type Answer, type Sign } from './request.js'
import type { ObjectInfo, Store } from './store.js'

export interface HttpOptions {
  /** The address of a path; by default the path itself. */
  readonly urlOf?: (path: string) => Promise<string> | string
  readonly sign?: Sign
  /** What may be wrong when the server says 401 or 403. */
  readonly deniedHint?: string
}

/**
 * An HTTP server as a store; paths are URLs.
 *
 * @example
 * ```ts
 * const head = await httpStore().get('https://example.org/data.parquet', { offset: 0, length: 4 })
 * ```
 */
export function httpStore(options: HttpOptions = {}): Omit<Store, 'list'> {
  const { urlOf = (path) => path, sign } = options
  const failure = (caller: string, path: string, answer: Answer): ShardbookError =>
    refused(caller, path, answer, options)
  return {
    async get(path, range, version) {
      const { offset, length } = range ?? { offset: 0, length: Infinity }
      if (length === 0) return new Uint8Array(0)
      const url = await urlOf(path)
      const last = length === Infinity ? '' : offset + length - 1
      const headers: Record<string, string> = range === undefined ? {} : { range: `bytes=${offset}-${last}` }
      const answer = await request('get', { url, headers, readBytes: offset + length }, sign)
      if (answer.status === 416) return new Uint8Array(0)
      if (answer.status !== 200 && answer.status !== 206) throw failure('get', path, answer)
      if (version !== undefined && infoOf(answer).version !== version) {
        throw new ShardbookError(
          'data',
          `get: expected ${name(path)} not to change while it is read, got another version.`,
          {
            hint: 'Read it again.',
          },
        )
      }
      return answer.status === 206 ? answer.body.subarray(0, length) : answer.body.subarray(offset, offset + length)
    },
    async put(path, bytes) {
      const body = bytes instanceof Uint8Array ? bytes : await whole(bytes)
      const answer = await request('put', { method: 'PUT', url: await urlOf(path), body }, sign)
      if (answer.status >= 300) throw failure('put', path, answer)
    },
    async stat(path): Promise<ObjectInfo | undefined> {
      // One byte rather than HEAD: signed addresses and simple servers often know GET only.
      const query = { url: await urlOf(path), headers: { range: 'bytes=0-0' }, readBytes: 1 }
      const answer = await request('stat', query, sign)
      if (answer.status === 404) return undefined
      if (answer.status !== 200 && answer.status !== 206 && answer.status !== 416) throw failure('stat', path, answer)
      const info = infoOf(answer)
      if (!Number.isNaN(info.sizeBytes)) return info
      // A server that says no length is read through once.
      const { body } = await request('stat', { url: query.url }, sign)
      return { ...info, sizeBytes: body.length }
    },
    async delete(path) {
      const answer = await request('delete', { method: 'DELETE', url: await urlOf(path) }, sign)
      if (answer.status >= 300 && answer.status !== 404) throw failure('delete', path, answer)
    },
  }
}

function infoOf({ status, headers }: Answer): ObjectInfo {
  const ranged = status === 206 || status === 416
  const total = ranged ? /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1] : headers.get('content-length')
  const sizeBytes = Number(total ?? Number.NaN)
  return { sizeBytes, version: `${headers.get('etag') ?? headers.get('last-modified') ?? ''} ${total ?? ''}`.trim() }
}

function refused(caller: string, path: string, { status, body }: Answer, { deniedHint }: HttpOptions): ShardbookError {
  const text = new TextDecoder().decode(body.subarray(0, 4096))
  const said = /<Code>([^<]*)<\/Code>/.exec(text)?.[1]
  const reason = `HTTP ${status}${said === undefined ? '' : ` ${said}`}`
  if (status === 404) {
    return new ShardbookError('io', `${caller}: cannot read ${name(path)} (${reason}).`, {
      hint: 'There is no such object.',
    })
  }
  const denied = status === 401 || status === 403
  const hint = denied ? (deniedHint ?? 'Access was denied.') : undefined
  return new ShardbookError(
    'io',
    `${caller}: ${name(path)} was refused (${reason}).`,
    hint === undefined ? {} : { hint },
  )
}

/** A path as errors show it. */
function name(path: string): string {
  return path.startsWith('http') ? shown(path) : path
}

async function whole(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of bytes) parts.push(part)
  return new Uint8Array(Buffer.concat(parts))
}
