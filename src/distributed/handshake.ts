/**
 * The handshake: both ends of a connection prove that they know the pool's secret before anything else is read.
 *
 *   server -> challenge { nonce }
 *   client -> hello { nonce, claim, proof over both nonces and the claim }
 *   server -> welcome { proof } | refused { reason }
 *
 * Proofs are HMAC-SHA256 and compared in constant time; the secret itself never travels on the socket.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Socket } from 'node:net'
import { ShardbookError } from '../core/errors.js'
import { encode, FrameReader, strictLimits } from './codec.js'
import { protocolVersion, type Claim, type HandshakeMessage } from './messages.js'

const handshakeMs = 10_000

/** Server side: challenges a client and returns what it proved to be. `admit` may refuse with a reason. */
export async function greet(
  socket: Socket,
  secret: Buffer,
  admit: (claim: Claim) => string | undefined = () => undefined,
): Promise<Claim> {
  const nonce = randomBytes(16).toString('hex')
  const dialog = new Dialog(socket)
  try {
    dialog.send({ type: 'challenge', nonce })
    const hello = await dialog.receive('hello')
    if (!equalProofs(hello.proof, prove(secret, 'client', nonce, hello.nonce, hello.claim))) {
      throw new ShardbookError(
        'pool',
        'connection: expected a client that knows the secret of this pool, got a wrong proof.',
      )
    }
    const objection = admit(hello.claim)
    if (objection !== undefined) throw new ShardbookError('pool', `connection: ${objection}`)
    dialog.send({ type: 'welcome', proof: prove(secret, 'server', nonce, hello.nonce, hello.claim) })
    return hello.claim
  } catch (error) {
    dialog.send({ type: 'refused', reason: error instanceof Error ? error.message : String(error) })
    socket.destroySoon()
    throw error
  } finally {
    dialog.leave()
  }
}

/** Client side: proves a claim, and has the server prove itself. */
export async function introduce(socket: Socket, secret: Buffer, claim: Claim): Promise<void> {
  const nonce = randomBytes(16).toString('hex')
  const dialog = new Dialog(socket)
  try {
    const challenge = await dialog.receive('challenge')
    dialog.send({ type: 'hello', nonce, claim, proof: prove(secret, 'client', challenge.nonce, nonce, claim) })
    const welcome = await dialog.receive('welcome')
    if (!equalProofs(welcome.proof, prove(secret, 'server', challenge.nonce, nonce, claim))) {
      throw new ShardbookError(
        'pool',
        'connection: expected a server that knows the secret of this pool, got a wrong proof.',
      )
    }
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    dialog.leave()
  }
}

function prove(secret: Buffer, side: 'client' | 'server', challenge: string, nonce: string, claim: Claim): string {
  const text = JSON.stringify([
    side,
    protocolVersion,
    challenge,
    nonce,
    Object.entries(claim).sort(([a], [b]) => (a < b ? -1 : 1)),
  ])
  return createHmac('sha256', secret).update(text).digest('hex')
}

function equalProofs(given: unknown, expected: string): boolean {
  if (typeof given !== 'string' || given.length !== expected.length) return false
  return timingSafeEqual(Buffer.from(given, 'latin1'), Buffer.from(expected, 'latin1'))
}

/** A few small frames in turn on a socket that is handed on afterwards, paused and with nothing lost. */
class Dialog {
  readonly #socket: Socket
  readonly #reader = new FrameReader(strictLimits)
  readonly #waiting: { resolve: (message: HandshakeMessage) => void; reject: (error: unknown) => void }[] = []
  readonly #messages: HandshakeMessage[] = []
  #error: Error | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', this.#onData).on('error', this.#onError).on('close', this.#onClose)
    socket.setTimeout(handshakeMs, () =>
      this.#fail(new ShardbookError('pool', `connection: expected a handshake within ${handshakeMs} ms.`)),
    )
    socket.resume()
  }

  send(message: HandshakeMessage): void {
    if (!this.#socket.destroyed && this.#socket.writable) for (const chunk of encode(message)) this.#socket.write(chunk)
  }

  async receive<T extends HandshakeMessage['type']>(type: T): Promise<Extract<HandshakeMessage, { type: T }>> {
    const message =
      this.#messages.shift() ??
      (await new Promise<HandshakeMessage>((resolve, reject) => {
        if (this.#error === undefined) this.#waiting.push({ resolve, reject })
        else reject(this.#error)
      }))
    if (message.type === 'refused') throw new ShardbookError('pool', message.reason)
    if (message.type !== type) {
      throw new ShardbookError('pool', `connection: expected ${type}, got ${message.type}.`)
    }
    return message as Extract<HandshakeMessage, { type: T }>
  }

  leave(): void {
    this.#socket.pause()
    this.#socket.setTimeout(0)
    this.#socket.removeAllListeners('timeout')
    this.#socket.off('data', this.#onData).off('close', this.#onClose)
    // The listener for errors stays: a socket without one would end the process.
  }

  readonly #onData = (bytes: Buffer): void => {
    try {
      let rest: Uint8Array = bytes
      while (rest.length > 0) {
        const { used, message } = this.#reader.take(rest)
        rest = rest.subarray(used)
        if (message === undefined) continue
        if (typeof message !== 'object' || message === null) {
          throw new ShardbookError('pool', 'connection: expected a message, got another value.')
        }
        const waiting = this.#waiting.shift()
        if (waiting === undefined) this.#messages.push(message as HandshakeMessage)
        else waiting.resolve(message as HandshakeMessage)
        // Bytes behind the last message belong to whoever takes the socket over.
        if ((message as HandshakeMessage).type === 'welcome' && rest.length > 0) {
          this.#socket.pause()
          this.#socket.unshift(rest)
          return
        }
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  readonly #onError = (error: Error): void => this.#fail(error)
  readonly #onClose = (): void => this.#fail(new ShardbookError('pool', 'connection: closed during the handshake.'))

  #fail(error: Error): void {
    this.#error ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#error)
  }
}
