/** An HTTP server of files in memory that can be told to misbehave. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FileServer {
  readonly base: string
  /** Path to content; a new content is a new version. */
  readonly files: Map<string, Uint8Array>
  /** Requests so far: method, path, range. */
  readonly requests: string[]
  /** Answers a request in place of the server when it returns true. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean
  /** Whether ranges are answered. */
  ranges: boolean
  close(): Promise<void>
}

export async function startFiles(): Promise<FileServer> {
  const versions = new WeakMap<Uint8Array, string>()
  let counter = 0
  const served: FileServer = {
    base: '',
    files: new Map(),
    requests: [],
    intercept: () => false,
    ranges: true,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request
    served.requests.push(`${method} ${url} ${headers.range ?? ''}`.trim())
    if (served.intercept(request, response)) return
    const body = served.files.get(url)
    if (method === 'PUT') {
      void request.toArray().then((parts) => {
        served.files.set(url, new Uint8Array(Buffer.concat(parts as Buffer[])))
        response.writeHead(201).end()
      })
      return
    }
    if (body === undefined) {
      response.writeHead(404).end()
      return
    }
    if (!versions.has(body)) versions.set(body, `"v${++counter}"`)
    const etag = versions.get(body)!
    const [, from, to] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? '') ?? []
    if (!served.ranges || from === undefined) {
      response.writeHead(200, { etag, 'content-length': body.length }).end(body)
      return
    }
    if (Number(from) >= body.length) {
      response.writeHead(416, { etag, 'content-range': `bytes */${body.length}` }).end()
      return
    }
    const part = body.subarray(Number(from), to === '' ? undefined : Number(to) + 1)
    const range = `bytes ${from}-${Number(from) + part.length - 1}/${body.length}`
    response.writeHead(206, { etag, 'content-range': range, 'content-length': part.length }).end(part)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(served, { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}
