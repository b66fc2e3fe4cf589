/**
 * The five zeromq sockets of a kernel, bound to the ports of a connection file. The only door to zeromq.
 *
 * Sends on one socket go one after the other (zeromq allows one at a time), in the order in which they were asked for; a
 * reply goes when everything that was published before it has gone.
 */
import { randomUUID } from 'node:crypto'
import { Reply, Router, XPublisher } from 'zeromq'
import { ShardbookError } from '../../src/core/errors.js'
import type { Content, Extra, Header, Message, Request } from './protocol/message.js'
import { newHeader, textField } from './protocol/message.js'
import type { Received } from './wire.js'
import { Codec } from './wire.js'

export interface Connection {
  readonly transport: string
  readonly ip: string
  readonly key: string
  readonly signature_scheme?: string
  readonly shell_port: number
  readonly control_port: number
  readonly iopub_port: number
  readonly stdin_port: number
  readonly hb_port: number
}

export interface SocketsTarget {
  shell(request: Request): void
  control(request: Request): void
  log(text: string): void
}

type Socket = Router | XPublisher

export class Sockets {
  private readonly codec: Codec
  private readonly session = randomUUID()
  private readonly target: SocketsTarget
  private readonly options = { linger: 1000, sendHighWaterMark: 0 }
  private readonly shell = new Router(this.options)
  private readonly control = new Router(this.options)
  private readonly stdin = new Router(this.options)
  private readonly iopub = new XPublisher({ ...this.options, verbosity: 'allSubs' })
  private readonly heartbeat = new Reply()
  private readonly sending = new Map<Socket, Promise<void>>()
  /** Who waits for the answer to a question, by the id of the `input_request`. */
  private readonly questions = new Map<string, (text: string) => void>()

  private constructor(connection: Connection, target: SocketsTarget) {
    this.codec = new Codec(connection.key)
    this.target = target
  }

  /**
   * Binds the sockets and starts to listen.
   *
   * @throws ShardbookError where a port is taken or the signature scheme is another than hmac-sha256
   */
  static async open(connection: Connection, target: SocketsTarget): Promise<Sockets> {
    const scheme = connection.signature_scheme ?? 'hmac-sha256'
    if (connection.key !== '' && scheme !== 'hmac-sha256') {
      throw new ShardbookError('argument', `kernel: expected the signature scheme hmac-sha256, got ${scheme}.`)
    }
    const sockets = new Sockets(connection, target)
    const separator = connection.transport === 'ipc' ? '-' : ':'
    const address = (port: number): string => `${connection.transport}://${connection.ip}${separator}${port}`
    await Promise.all([
      sockets.shell.bind(address(connection.shell_port)),
      sockets.control.bind(address(connection.control_port)),
      sockets.stdin.bind(address(connection.stdin_port)),
      sockets.iopub.bind(address(connection.iopub_port)),
      sockets.heartbeat.bind(address(connection.hb_port)),
    ])
    sockets.listen()
    return sockets
  }

  publish(type: string, content: Content, parent: Header | undefined, extra?: Extra): void {
    this.send(this.iopub, [type], type, content, parent, extra)
  }

  /** Sends what still waits and closes the sockets. */
  async close(): Promise<void> {
    await Promise.all(this.sending.values())
    for (const socket of [this.shell, this.control, this.stdin, this.iopub, this.heartbeat]) socket.close()
  }

  private listen(): void {
    void this.read(this.shell, (received) => this.target.shell(this.request(this.shell, received)))
    void this.read(this.control, (received) => this.target.control(this.request(this.control, received)))
    void this.read(this.stdin, ({ message }) => {
      if (message.header.msg_type === 'input_reply') this.takeAnswer(message)
    })
    void this.welcome()
    void this.beat()
  }

  private async read(socket: Router, take: (received: Received) => void): Promise<void> {
    for await (const frames of socket) {
      const received = this.codec.decode(frames)
      if (typeof received === 'string') this.target.log(`dropped ${received}`)
      else take(received)
    }
  }

  private async beat(): Promise<void> {
    for await (const frames of this.heartbeat) await this.heartbeat.send(frames)
  }

  /** Tells each new subscriber that it is one; the first one also that the kernel starts, which nobody could hear before. */
  private async welcome(): Promise<void> {
    let isFirst = true
    for await (const [subscription] of this.iopub) {
      if (subscription?.[0] !== 1) continue
      const topic = subscription.subarray(1)
      this.send(this.iopub, [topic], 'iopub_welcome', { subscription: topic.toString() }, undefined)
      if (isFirst) this.publish('status', { execution_state: 'starting' }, undefined)
      isFirst = false
    }
  }

  /** Not every client names the question that it answers: then it is the last one. */
  private takeAnswer({ parentHeader, content }: Message): void {
    const id = parentHeader.msg_id ?? [...this.questions.keys()].at(-1) ?? ''
    const answer = this.questions.get(id)
    if (answer === undefined) return this.target.log('dropped an answer that nobody waits for')
    this.questions.delete(id)
    answer(textField(content, 'value'))
  }

  private request(socket: Router, { identities, message }: Received): Request {
    const { header, metadata, content, buffers } = message
    return {
      header,
      metadata,
      content,
      buffers,
      reply: (type, reply) => this.send(socket, identities, type, reply, header),
      askInput: (question) =>
        new Promise((resolve) => {
          const id = this.send(this.stdin, identities, 'input_request', question, header)
          this.questions.set(id, resolve)
        }),
    }
  }

  private send(
    socket: Socket,
    to: readonly (Buffer | string)[],
    type: string,
    content: Content,
    parent: Header | undefined,
    { metadata = {}, buffers = [] }: Extra = {},
  ): string {
    const message: Message = {
      header: newHeader(type, this.session),
      parentHeader: parent ?? {},
      metadata,
      content,
      buffers,
    }
    const frames = this.codec.encode(to, message)
    const published = socket === this.iopub ? undefined : this.sending.get(this.iopub)
    const sent = Promise.all([this.sending.get(socket), published])
      .then(() => socket.send(frames))
      .catch((error: unknown) => this.target.log(`could not send ${type}: ${String(error)}`))
    this.sending.set(socket, sent)
    return message.header.msg_id
  }
}
