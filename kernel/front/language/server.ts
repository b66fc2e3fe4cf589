/**
 * TypeScript's native language server as a child process: JSON-RPC over its stdin and stdout, documents in memory.
 * The only door to the TypeScript compiler. A server that crashes is started anew, with its documents, at the next use.
 */
import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { ShardbookError } from '../../../src/core/errors.js'

/** 0-based line and UTF-16 column. */
export interface LspPosition {
  readonly line: number
  readonly character: number
}

export interface LspRange {
  readonly start: LspPosition
  readonly end: LspPosition
}

interface RpcMessage {
  readonly id?: number | string
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
}

interface Document {
  readonly languageId: string
  text: string
  version: number
}

const require = createRequire(import.meta.url)

/** A check leaves garbage of a tenth of what is in use, and more. */
const textsPerCollection = 8

/** The path of the native compiler (it is the server, too) that `typescript` brought for this platform. */
export function compilerExecutable(): string {
  const fromTypescript = createRequire(require.resolve('typescript/package.json'))
  const name = `@typescript/typescript-${process.platform}-${process.arch}/package.json`
  const file = process.platform === 'win32' ? 'tsc.exe' : 'tsc'
  return join(dirname(fromTypescript.resolve(name)), 'lib', file)
}

/** The version of TypeScript that checks the cells. */
export function typescriptVersion(): string {
  return (require('typescript/package.json') as { version: string }).version
}

export class LanguageServer {
  private readonly folder: string
  private readonly documents = new Map<string, Document>()
  private readonly waiting = new Map<number, Waiting>()
  isClosed = false
  /** When something was asked or answered last. */
  private lastUseMs = 0
  private child: ChildProcessByStdio<Writable, Readable, null> | undefined
  private started: Promise<void> | undefined
  /** How many texts it got since its garbage was collected. */
  private texts = 0
  private lastId = 0
  private received: Buffer = Buffer.alloc(0)

  /** `folder` is the notebook's. Nothing is started before the first request. */
  constructor(folder: string) {
    this.folder = folder
  }

  /** Sets the text of an in-memory file. */
  async write(path: string, text: string, languageId = 'typescript'): Promise<void> {
    const document = this.documents.get(path)
    if (document?.text === text && this.child !== undefined) return
    await this.start()
    const next = { languageId, text, version: (document?.version ?? 0) + 1 }
    this.documents.set(path, next)
    this.texts++
    if (document === undefined) this.open(path, next)
    else {
      const textDocument = { uri: pathToFileURL(path).href, version: next.version }
      this.send({ method: 'textDocument/didChange', params: { textDocument, contentChanges: [{ text }] } })
    }
  }

  /** The text of an in-memory file. */
  read(path: string): string | undefined {
    return this.documents.get(path)?.text
  }

  /** Asks something about an in-memory file; once more when the server died over it. */
  async ask<T>(method: string, path: string, params: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const question = { textDocument: { uri: pathToFileURL(path).href }, ...params }
    await this.start()
    const asked = this.child
    try {
      return await this.request<T>(method, question)
    } catch (error) {
      if (this.child === asked) throw error
      await this.start()
      return this.request<T>(method, question)
    }
  }

  /** Asks for the rest of something that the server gave in part. */
  async resolve<T>(method: string, part: T): Promise<T> {
    await this.start()
    return this.request<T>(method, part)
  }

  /** Says what has happened to files on disk. */
  async noteFiles(files: readonly { readonly path: string; readonly isNew: boolean }[]): Promise<void> {
    await this.start()
    const changes = files.map(({ path, isNew }) => ({ uri: pathToFileURL(path).href, type: isNew ? 1 : 2 }))
    this.send({ method: 'workspace/didChangeWatchedFiles', params: { changes } })
  }

  /** For how long the server has had nothing to do. */
  quietForMs(): number {
    return this.waiting.size > 0 ? 0 : performance.now() - this.lastUseMs
  }

  /** Whether texts have left garbage that is worth a collection. */
  get isLittered(): boolean {
    return this.texts >= textsPerCollection
  }

  /** Collects the server's garbage; resolves when that is done, false where it cannot be. */
  async collect(): Promise<boolean> {
    this.texts = 0
    if (this.child === undefined) return false
    return this.request('custom/runGC', undefined).then(
      () => true,
      () => false,
    )
  }

  /** Ends the server; the next use starts another, which reads all files anew. */
  restart(): void {
    const { child } = this
    this.stopped('it was restarted')
    child?.kill()
  }

  /** Ends the server for good: a question that it leaves open starts no other one. */
  close(): void {
    this.isClosed = true
    this.child?.kill()
    this.stopped('it was closed')
  }

  /** Starts the server, if none runs. */
  async start(): Promise<void> {
    if (this.isClosed)
      throw new ShardbookError('state', 'the TypeScript server: expected to be open, got a closed one.')
    this.started ??= this.launch()
    return this.started
  }

  private async launch(): Promise<void> {
    const child = spawn(compilerExecutable(), ['--lsp', '--stdio'], {
      cwd: this.folder,
      stdio: ['pipe', 'pipe', 'ignore'],
      // A terminal's Ctrl-C is for the front, not for every process of the group.
      detached: true,
      // Its collector runs less often: a start takes a quarter less processor time, the slowest checks half.
      env: { GOGC: '300', ...process.env, NODE_OPTIONS: '' },
    })
    this.child = child
    const stopped = (reason: string): void => {
      if (this.child === child) this.stopped(reason)
    }
    child.on('error', (error) => stopped(error.message))
    child.on('exit', (code, signal) => stopped(`it ended with ${signal ?? String(code)}`))
    child.stdin.on('error', () => {}) // its end is told by `exit`
    child.stdout.on('data', (chunk: Buffer) => this.receive(chunk))
    await this.request('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(this.folder).href,
      // Nobody reads what it says of the project unasked.
      initializationOptions: { disablePushDiagnostics: true },
      capabilities: {
        general: { positionEncodings: ['utf-16'] },
        textDocument: {
          diagnostic: {},
          completion: { completionItem: { snippetSupport: false } },
          hover: { contentFormat: ['markdown'] },
          definition: { linkSupport: true },
          signatureHelp: { signatureInformation: { documentationFormat: ['markdown'] } },
        },
        workspace: { configuration: true },
      },
    })
    this.send({ method: 'initialized', params: {} })
    for (const [path, document] of this.documents) this.open(path, document)
  }

  private open(path: string, document: Document): void {
    const { languageId, version, text } = document
    const textDocument = { uri: pathToFileURL(path).href, languageId, version, text }
    this.send({ method: 'textDocument/didOpen', params: { textDocument } })
  }

  private stopped(reason: string): void {
    this.child = undefined
    this.started = undefined
    this.received = Buffer.alloc(0)
    const error = new ShardbookError('state', `the TypeScript server: expected an answer, got none: ${reason}.`)
    for (const one of this.waiting.values()) one.reject(error)
    this.waiting.clear()
  }

  private request<T>(method: string, params: unknown): Promise<T> {
    const id = ++this.lastId
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve, reject })
      this.send({ id, method, params })
    })
  }

  private send(message: RpcMessage): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message })
    const stdin = this.child?.stdin
    if (stdin === undefined) return
    // A change and the question about it travel as one: each write wakes the server.
    stdin.cork()
    stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
    process.nextTick(() => stdin.uncork())
  }

  private receive(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk])
    for (;;) {
      const end = this.received.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/Content-Length: (\d+)/i.exec(this.received.toString('latin1', 0, end))?.[1])
      const start = end + 4
      if (this.received.length < start + length) return
      const message = JSON.parse(this.received.toString('utf8', start, start + length)) as RpcMessage
      this.received = this.received.subarray(start + length)
      this.dispatch(message)
    }
  }

  private dispatch(message: RpcMessage): void {
    if (message.method !== undefined) {
      // The server asks for settings and registrations; notifications are its log.
      if (message.id !== undefined) this.send({ id: message.id, result: answer(message) })
      return
    }
    this.lastUseMs = performance.now()
    const waiting = this.waiting.get(Number(message.id))
    this.waiting.delete(Number(message.id))
    if (message.error === undefined) waiting?.resolve(message.result)
    else waiting?.reject(new ShardbookError('state', `the TypeScript server: ${message.error.message}`))
  }
}

function answer(message: RpcMessage): unknown {
  if (message.method !== 'workspace/configuration') return null
  const { items } = message.params as { items: readonly unknown[] }
  // Left alone, the server lets npm download types of packages into the user's home.
  const settings = { suggest: { autoImports: false }, preferences: {}, disableAutomaticTypeAcquisition: true }
  return items.map(() => settings)
}
