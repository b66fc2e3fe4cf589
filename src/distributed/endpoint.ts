/**
 * Where a process of a pool listens: the path of a unix socket within a host, `tls:HOST:PORT` between hosts.
 *
 * TLS is by pre-shared key: both sides derive it from the pool's secret, so there are no certificates to make, to trust or to
 * let expire, and the key exchange (ECDHE) keeps what was recorded secret even if the pool's secret becomes known later. The
 * pool's own handshake follows inside.
 */
import { createHmac } from 'node:crypto'
import { connect as connectSocket, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { ShardbookError } from '../core/errors.js'

const identity = 'shardbook-pool'
const ciphers = 'ECDHE-PSK-CHACHA20-POLY1305:ECDHE-PSK-AES256-CBC-SHA384'
const tlsOptions = { ciphers, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const

/** A socket that listens, and the endpoint under which others reach it. */
export interface Listener {
  readonly endpoint: string
  close(): void
}

/** Listens at an endpoint; sockets come paused. Port 0 takes a free one. @throws ShardbookError `pool` when it is taken. */
export async function listen(endpoint: string, secret: Buffer, onSocket: (socket: Socket) => void): Promise<Listener> {
  const place = parse(endpoint)
  let server: Server
  if (place.kind === 'unix') server = createServer({ pauseOnConnect: true, noDelay: true }, onSocket)
  else {
    const psk = keyOf(secret)
    server = createTlsServer(
      { ...tlsOptions, pskCallback: (_, name) => (name === identity ? psk : null) },
      (socket) => {
        socket.setNoDelay(true)
        onSocket(socket.pause())
      },
    )
    server.on('tlsClientError', (error) => process.stderr.write(`turned a caller away: ${error.message}\n`))
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE'
      const got = taken ? 'one that is taken' : cause.message
      reject(
        new ShardbookError('pool', `pool: expected to listen at ${endpoint}, got ${got}.`, {
          ...(taken ? { hint: 'Name another port, or none for any that is free.' } : {}),
          cause,
        }),
      )
    })
    if (place.kind === 'unix') server.listen(place.path, resolve)
    else server.listen(place.port, place.host, resolve)
  })
  const bound = place.kind === 'unix' ? endpoint : `tls:${place.host}:${(server.address() as AddressInfo).port}`
  return { endpoint: bound, close: () => void server.close() }
}

/** Connects to an endpoint. @throws ShardbookError `pool` when nobody is there, or, over TLS, when the secret is another. */
export async function dial(endpoint: string, secret: Buffer): Promise<Socket> {
  const place = parse(endpoint)
  const psk = { psk: keyOf(secret), identity }
  const socket =
    place.kind === 'unix'
      ? connectSocket(place.path)
      : connectTls({
          ...tlsOptions,
          host: place.host,
          port: place.port,
          pskCallback: () => psk,
          checkServerIdentity: () => undefined, // the key says who it is
        })
  await new Promise<void>((resolve, reject) => {
    socket.once(place.kind === 'unix' ? 'connect' : 'secureConnect', resolve)
    socket.once('error', (cause) => {
      reject(
        new ShardbookError('pool', `connection: expected a pool process at ${endpoint}, got ${cause.message}.`, {
          cause,
        }),
      )
    })
  })
  if (place.kind === 'tls') socket.setNoDelay(true)
  return socket
}

type Place =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tls'; readonly host: string; readonly port: number }

function parse(endpoint: string): Place {
  const match = /^tls:(.+):(\d+)$/.exec(endpoint)
  return match === null ? { kind: 'unix', path: endpoint } : { kind: 'tls', host: match[1]!, port: Number(match[2]) }
}

function keyOf(secret: Buffer): Buffer {
  return createHmac('sha256', secret).update('tls').digest()
}
