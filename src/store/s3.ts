/**
 * The store over S3's protocol: `s3://bucket/key`, at Amazon or any compatible server (`AWS_ENDPOINT_URL`).
 *
 * Streams go up in parts, of which nothing shows before the last one is confirmed.
 * Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html
 */
import { ShardbookError } from '../core/errors.js'
import { httpStore } from './http.js'
import { request, type Answer, type Query } from './request.js'
import { s3Settings, type S3Settings } from './s3-settings.js'
import type { Store } from './store.js'

/** The smallest part that S3 takes is 5 MiB, the most parts are 10,000. */
const partBytes = 16 * 2 ** 20

const deniedHint =
  'Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, or AWS_PROFILE for a profile of ~/.aws/credentials; AWS_ENDPOINT_URL for a server of your own.'

/**
 * S3-compatible object stores; paths are `s3://bucket/key`. Settings are those of the AWS tools.
 *
 * @example
 * ```ts
 * const paths = await s3Store().list('s3://bucket/trips/')
 * ```
 */
export function s3Store(): Store {
  let settings: Promise<S3Settings> | undefined
  const known = (): Promise<S3Settings> => (settings ??= s3Settings())
  const urlOf = async (path: string, search = ''): Promise<string> => addressOf(path, await known(), search)
  const sign = async (query: Query): Promise<Query> => signed(query, await known())
  const http = httpStore({ urlOf, sign, deniedHint })
  const send = async (caller: string, path: string, query: Query): Promise<Answer> => {
    const answer = await request(caller, query, sign)
    if (answer.status < 300) return answer
    const [, code = ''] = /<Code>([^<]*)<\/Code>/.exec(textOf(answer)) ?? []
    const denied = answer.status === 401 || answer.status === 403
    throw new ShardbookError(
      'io',
      `${caller}: ${path} was refused (HTTP ${answer.status} ${code}).`,
      denied ? { hint: deniedHint } : {},
    )
  }

  /** Uploads a stream in parts. */
  async function upload(path: string, parts: AsyncGenerator<Uint8Array>, first: Uint8Array): Promise<void> {
    const started = await send('put', path, { method: 'POST', url: await urlOf(path, 'uploads=') })
    const id = encodeURIComponent(/<UploadId>([^<]*)</.exec(textOf(started))![1]!)
    try {
      const tags: string[] = []
      for (let body: Uint8Array | undefined = first; body !== undefined;) {
        const url = await urlOf(path, `partNumber=${tags.length + 1}&uploadId=${id}`)
        tags.push((await send('put', path, { method: 'PUT', url, body })).headers.get('etag')!)
        const next = await parts.next()
        body = next.done === true ? undefined : next.value
      }
      const list = tags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`).join('')
      const body = new TextEncoder().encode(`<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`)
      const done = await send('put', path, { method: 'POST', url: await urlOf(path, `uploadId=${id}`), body })
      // The confirmation may fail after its status was sent.
      const failed = /<Error>.*?<Code>([^<]*)</s.exec(textOf(done))
      if (failed !== null) throw new ShardbookError('io', `put: ${path} was refused (${failed[1]}).`)
    } catch (cause) {
      await request('put', { method: 'DELETE', url: await urlOf(path, `uploadId=${id}`) }, sign).catch(() => undefined)
      throw cause
    }
  }

  return {
    ...http,
    async put(path, bytes) {
      if (bytes instanceof Uint8Array && bytes.length <= 4 * partBytes) return http.put(path, bytes)
      const parts = inParts(bytes instanceof Uint8Array ? [bytes] : bytes)
      const first = await parts.next()
      if (first.done === true || first.value.length < partBytes) return http.put(path, first.value ?? new Uint8Array(0))
      return upload(path, parts, first.value)
    },
    async list(prefix) {
      const { bucket, key } = split(prefix)
      const paths: string[] = []
      for (let token = ''; ;) {
        const more = token === '' ? '' : `&continuation-token=${encodeURIComponent(token)}`
        const search = `list-type=2&encoding-type=url&prefix=${encodeURIComponent(key)}${more}`
        const text = textOf(await send('list', prefix, { url: await urlOf(`s3://${bucket}/`, search) }))
        // Not every server escapes as it is asked to.
        const escaped = text.includes('<EncodingType>url</EncodingType>')
        for (const [, found = ''] of text.matchAll(/<Contents>.*?<Key>([^<]*)<\/Key>/gs)) {
          const name = unescapeXml(found)
          paths.push(`s3://${bucket}/${escaped ? decodeURIComponent(name.replaceAll('+', ' ')) : name}`)
        }
        token = unescapeXml(/<NextContinuationToken>([^<]*)</.exec(text)?.[1] ?? '')
        if (token === '') return paths.sort()
      }
    },
  }
}

function split(path: string): { bucket: string; key: string } {
  const [, bucket, key = ''] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(path) ?? []
  if (bucket === undefined) {
    throw new ShardbookError('argument', `store: expected a path s3://bucket/key, got ${JSON.stringify(path)}.`)
  }
  return { bucket, key }
}

function addressOf(path: string, { endpoint, region }: S3Settings, search: string): string {
  const { bucket, key } = split(path)
  const escaped = key.split('/').map(escapeSegment).join('/')
  const base =
    endpoint === undefined
      ? `https://${bucket}.s3.${region}.amazonaws.com/`
      : `${endpoint.replace(/\/$/, '')}/${bucket}/`
  return `${base}${escaped}${search === '' ? '' : `?${search}`}`
}

/** S3 signs what RFC 3986 reserves in its escaped form, which `encodeURIComponent` leaves as it is. */
function escapeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

async function signed(query: Query, { credentials, region }: S3Settings): Promise<Query> {
  if (credentials === undefined) return query
  const { AwsV4Signer } = await import('aws4fetch')
  const { method = 'GET', url, headers = {}, body = null } = query
  const signer = new AwsV4Signer({ ...credentials, method, url, headers, body, service: 's3', region })
  const { headers: own } = await signer.sign()
  return { ...query, headers: Object.fromEntries(own as unknown as Iterable<[string, string]>) }
}

/** A stream cut into parts of one size but for the last. */
async function* inParts(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = []
  let heldBytes = 0
  for await (const chunk of bytes) {
    held.push(chunk)
    heldBytes += chunk.length
    if (heldBytes < partBytes) continue
    const joined = new Uint8Array(Buffer.concat(held))
    let from = 0
    for (; heldBytes - from >= partBytes; from += partBytes) yield joined.subarray(from, from + partBytes)
    held = [joined.subarray(from)]
    heldBytes -= from
  }
  if (heldBytes > 0) yield new Uint8Array(Buffer.concat(held))
}

function textOf({ body }: Answer): string {
  return new TextDecoder().decode(body)
}

function unescapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = { quot: '"', apos: "'", lt: '<', gt: '>', amp: '&' }
  return text.replaceAll(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, name: string) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    return hex === undefined ? (named[name] ?? whole) : String.fromCodePoint(Number.parseInt(String(hex), 16))
  })
}
