/**
 * The kernel without sockets: takes requests, answers them, publishes outputs through a `Port`.
 *
 * Invariants: shell requests are handled one after the other, control requests at once; each request is framed by one
 * `busy` and one `idle`; printed text that is still held back goes out before anything else is published.
 */
import type { StreamName } from './merge.js'
import { NotebookLanguage } from './language/notebook.js'
import { handlers } from './protocol/index.js'
import type { HistoryEntry, KernelState } from './protocol/handler.js'
import type { Content, Header, Request } from './protocol/message.js'
import { Runner } from './runner.js'

export interface Port {
  publish(type: string, content: Content, parent: Header | undefined): void
  log(text: string): void
  /** The kernel has shut down. */
  stopped(): void
}

export interface KernelOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly port: Port
}

/** Printed text is collected this long, or up to this many characters, before it is sent. */
const collectMs = 30
const collectChars = 65536

export class Kernel implements KernelState {
  readonly language: NotebookLanguage
  readonly runner: Runner
  readonly history: HistoryEntry[] = []
  executionCount = 0
  private readonly port: Port
  private readonly waiting: { readonly request: Request; isAborted: boolean }[] = []
  private isWorking = false
  /** The request that outputs belong to: the cell that runs, or that ran last. */
  private current: Request | undefined
  private printed: { name: StreamName; text: string } | undefined
  private printTimer: NodeJS.Timeout | undefined
  private isStopped = false

  constructor({ cwd, env, port }: KernelOptions) {
    this.port = port
    this.language = new NotebookLanguage(cwd)
    this.runner = new Runner({
      cwd,
      env,
      language: this.language,
      target: {
        stream: (name, text) => this.print(name, text),
        display: ({ bundle, id, update }) =>
          this.publish(update ? 'update_display_data' : 'display_data', {
            data: bundle,
            metadata: {},
            transient: id === undefined ? {} : { display_id: id },
          }),
        prompt: (text, password) => this.prompt(text, password),
      },
    })
  }

  /** Takes a request of the shell channel. */
  shell(request: Request): void {
    this.waiting.push({ request, isAborted: false })
    if (!this.isWorking) void this.work()
  }

  /** Takes a request of the control channel. */
  control(request: Request): void {
    void this.handle(request)
  }

  publish(type: string, content: Content): void {
    this.flush()
    this.port.publish(type, content, this.current?.header)
  }

  attach(request: Request): void {
    this.flush()
    this.current = request
  }

  abortWaiting(): void {
    for (const one of this.waiting) one.isAborted = one.request.header.msg_type === 'execute_request'
  }

  /** Ends the session and the language server. */
  async close(): Promise<void> {
    await this.runner.close()
    this.language.close()
    this.flush()
  }

  stop(): void {
    this.isStopped = true
  }

  private async work(): Promise<void> {
    this.isWorking = true
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      if (next.isAborted) this.abort(next.request)
      else await this.handle(next.request)
    }
    this.isWorking = false
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

  private abort(request: Request): void {
    this.status('busy', request)
    request.reply('execute_reply', { status: 'aborted', execution_count: this.executionCount })
    this.status('idle', request)
  }

  private status(state: 'busy' | 'idle', request: Request): void {
    this.flush()
    this.port.publish('status', { execution_state: state }, request.header)
  }

  private print(name: StreamName, text: string): void {
    if (this.printed !== undefined && this.printed.name !== name) this.flush()
    this.printed = { name, text: (this.printed?.text ?? '') + text }
    if (this.printed.text.length >= collectChars) this.flush()
    else this.printTimer ??= setTimeout(() => this.flush(), collectMs)
  }

  private flush(): void {
    clearTimeout(this.printTimer)
    this.printTimer = undefined
    const printed = this.printed
    this.printed = undefined
    if (printed !== undefined) this.port.publish('stream', { ...printed }, this.current?.header)
  }

  private async prompt(text: string, password: boolean): Promise<string> {
    this.flush()
    if (this.current?.content['allow_stdin'] !== true) throw new Error('this client does not take questions')
    return this.current.askInput({ prompt: text, password })
  }
}
