/**
 * The kernel without sockets: takes requests, answers them, publishes outputs through a `Port`.
 *
 * Invariants: requests of one shell are handled one after the other, control requests and comm messages at once; each is
 * framed by one `busy` and one `idle`; printed text that is still held back goes out before anything else is published;
 * outputs name the request as parent whose code made them.
 */
import { Comms } from './comms.js'
import { DebugAdapter } from './debug/adapter.js'
import { History } from './history.js'
import type { StreamName } from './merge.js'
import { NotebookLanguage } from './language/notebook.js'
import type { OpenProject } from './language/project.js'
import { commContent } from './protocol/comm.js'
import { handlers } from './protocol/index.js'
import type { KernelState } from './protocol/handler.js'
import type { Content, Extra, Header, Request } from './protocol/message.js'
import { Runner } from './runner.js'
import { Shells } from './shell.js'

export interface Port {
  publish(type: string, content: Content, parent: Header | undefined, extra?: Extra): void
  log(text: string): void
  /** The kernel has shut down. */
  stopped(): void
}

export interface KernelOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly port: Port
  /** Where cells are remembered; without it they are for this kernel's life only. */
  readonly historyFolder?: string
  /** A project whose server was started before the kernel itself was loaded. */
  readonly project?: OpenProject
}

/** Printed text is collected this long, or up to this many characters, before it is sent. */
const collectMs = 30
const collectChars = 65536

/** Of so many requests it is known which outputs are theirs; those of older ones go to the latest. */
const rememberedRequests = 4096

export class Kernel implements KernelState {
  readonly language: NotebookLanguage
  readonly runner: Runner
  readonly comms: Comms
  readonly shells: Shells
  readonly debugger: DebugAdapter
  readonly history: History
  executionCount = 0
  private readonly port: Port
  /** Requests by their numbers. */
  private readonly requests = new Map<number, Request>()
  /** The request that outputs without an origin belong to: the cell that runs, or that ran last. */
  private current: Request | undefined
  private printed: { name: StreamName; text: string; request: Request | undefined } | undefined
  private printTimer: NodeJS.Timeout | undefined
  private isStopped = false

  constructor({ cwd, env, port, historyFolder, project }: KernelOptions) {
    this.port = port
    this.history = new History({ folder: historyFolder, log: (text) => port.log(text) })
    this.language = new NotebookLanguage(cwd, project)
    this.runner = new Runner({
      cwd,
      env,
      language: this.language,
      target: {
        stream: (name, text, origin) => this.print(name, text, this.requestOf(origin)),
        display: ({ bundle, id, update, origin }) => {
          const content = { data: bundle, metadata: {}, transient: id === undefined ? {} : { display_id: id } }
          this.publish(update ? 'update_display_data' : 'display_data', content, this.requestOf(origin))
        },
        clear: (wait, origin) => this.publish('clear_output', { wait }, this.requestOf(origin)),
        prompt: (text, password, origin) => this.prompt(text, password, this.requestOf(origin)),
        comm: (message, origin) => this.comms.fromSession(message, this.requestOf(origin)),
        commTarget: (name, isRegistered) => this.comms.setTarget(name, isRegistered),
        sessionStarted: () => this.debugger.sessionStarted(),
        loaded: (script) => this.debugger.loaded(script),
        sessionEnded: () => this.sessionEnded(),
      },
    })
    this.debugger = new DebugAdapter({
      event: (event) => this.publish('debug_event', event, this.current),
      pipe: () => this.runner.sessions.debugPipe(),
    })
    this.shells = new Shells({
      handle: (request) => this.handle(request),
      abort: (request) => this.answer(request, { status: 'aborted', execution_count: this.executionCount }),
      refuse: (request, id) => {
        const evalue = `expected the id of a subshell, got ${JSON.stringify(id)}`
        this.answer(request, { status: 'error', ename: 'SubshellNotFound', evalue, traceback: [] })
      },
    })
    this.comms = new Comms({
      deliver: (message, request) => this.runner.comm(message, this.originOf(request)),
      complain: (text, request) => this.print('stderr', text, request),
      publish: (message, request) => {
        const { type, content } = commContent(message)
        this.publish(type, content, request, message)
      },
      quiet: () => this.shells.quiet(),
      log: (text) => port.log(text),
    })
  }

  /** Takes a request of the shell channel. */
  shell(request: Request): void {
    if (/^comm_(open|msg|close)$/.test(request.header.msg_type)) return void this.handle(request)
    this.shells.take(request)
  }

  /** Takes a request of the control channel. */
  control(request: Request): void {
    void this.handle(request)
  }

  publish(type: string, content: Content, request: Request | undefined, extra?: Extra): void {
    this.flush()
    this.port.publish(type, content, request?.header, extra)
  }

  originOf(request: Request | undefined): number {
    const origin = this.runner.sessions.newOrigin()
    if (request === undefined) return origin
    if (request.header.msg_type === 'execute_request') this.current = request
    this.requests.set(origin, request)
    this.requests.delete(origin - rememberedRequests)
    return origin
  }

  /** Ends the session and the language server. */
  async close(): Promise<void> {
    await this.runner.sessions.close()
    this.language.close()
    this.flush()
  }

  stop(): void {
    this.isStopped = true
  }

  private requestOf(origin: number | undefined): Request | undefined {
    return (origin === undefined ? undefined : this.requests.get(origin)) ?? this.current
  }

  private sessionEnded(): void {
    this.debugger.sessionEnded()
    const left = this.comms.sessionEnded()
    if (left > 0) this.port.log(`the session ended: ${left} comms wait for another that registers their target`)
  }

  private async handle(request: Request): Promise<void> {
    const type = request.header.msg_type
    const handler = handlers[type]
    if (handler === undefined) return this.port.log(`no answer to a message of type ${JSON.stringify(type)}`)
    this.status('busy', request)
    try {
      const content = await handler(this, request)
      this.flush()
      if (type.endsWith('_request')) request.reply(type.replace(/_request$/, '_reply'), content)
    } catch (error) {
      const evalue = error instanceof Error ? error.message : String(error)
      this.port.log(`${type} failed: ${error instanceof Error ? error.stack : evalue}`)
      if (type.endsWith('_request')) {
        const ename = error instanceof Error ? error.name : 'Error'
        request.reply(type.replace(/_request$/, '_reply'), { status: 'error', ename, evalue, traceback: [] })
      }
    } finally {
      this.status('idle', request)
    }
    if (this.isStopped) this.port.stopped()
  }

  /** Answers without handling. */
  private answer(request: Request, content: Content): void {
    this.status('busy', request)
    request.reply(request.header.msg_type.replace(/_request$/, '_reply'), content)
    this.status('idle', request)
  }

  private status(state: 'busy' | 'idle', request: Request): void {
    this.flush()
    this.port.publish('status', { execution_state: state }, request.header)
  }

  private print(name: StreamName, text: string, request: Request | undefined): void {
    if (this.printed !== undefined && (this.printed.name !== name || this.printed.request !== request)) this.flush()
    this.printed = { name, text: (this.printed?.text ?? '') + text, request }
    if (this.printed.text.length >= collectChars) this.flush()
    else this.printTimer ??= setTimeout(() => this.flush(), collectMs)
  }

  private flush(): void {
    clearTimeout(this.printTimer)
    this.printTimer = undefined
    const printed = this.printed
    this.printed = undefined
    if (printed === undefined) return
    const { name, text, request } = printed
    this.port.publish('stream', { name, text }, request?.header)
  }

  private async prompt(text: string, password: boolean, request: Request | undefined): Promise<string> {
    this.flush()
    if (request?.content['allow_stdin'] !== true) throw new Error('this client does not take questions')
    return request.askInput({ prompt: text, password })
  }
}
