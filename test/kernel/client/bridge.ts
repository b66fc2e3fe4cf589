/** The TypeScript end of `bridge.py`: a Jupyter client from PyPI that tests give commands to. */
import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { pythonEnv } from '../../../tools/python-env.mjs'

interface Message {
  readonly type: string
  readonly content: Readonly<Record<string, unknown>>
  readonly metadata?: Readonly<Record<string, unknown>>
  /** In base64. */
  readonly buffers?: readonly string[]
  /** The id of the message that it names as its parent. */
  readonly parent?: string
}

export interface Answer {
  /** The id of the request. */
  readonly id: string
  readonly reply: (Message & { readonly version: string }) | null
  /** Messages that name the request as their parent, up to its idle. */
  readonly iopub: readonly Message[]
  /** Messages of other parents that came in between. */
  readonly strangers: readonly Message[]
  readonly questions: readonly { readonly content: unknown; readonly isOurs: boolean }[]
  /** From the request, or from its interrupt, to the reply. */
  readonly ms: number
}

export interface AskOptions {
  readonly channel?: 'shell' | 'control'
  /** After the request was sent, or after `interruptAt` was seen. */
  readonly interruptAfterMs?: number
  /** Interrupts when an output of the cell has this text in it: the cell runs then, however long its check took. */
  readonly interruptAt?: string
  readonly answers?: readonly string[]
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly buffers?: readonly string[]
  /** What the header says beside the usual. */
  readonly header?: Readonly<Record<string, unknown>>
  readonly timeoutMs?: number
}

export class Client {
  /** The notebook's folder, outside of any package. */
  readonly folder = mkdtempSync(join(tmpdir(), 'shardbook-kernel-'))
  private readonly python: ChildProcessByStdio<Writable, Readable, null>
  private readonly lines: AsyncIterator<string>

  private constructor(python: string) {
    this.python = spawn(python, ['-u', resolve(import.meta.dirname, 'bridge.py')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.lines = createInterface({ input: this.python.stdout })[Symbol.asyncIterator]()
  }

  /** Installs a kernelspec of the built kernel for itself and starts it, with `env` on top of this process's. */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<Client> {
    const client = new Client(await pythonEnv())
    const kernels = join(client.folder, 'kernels')
    const { installKernelspec } = (await import(
      resolve('dist/kernel/install.js')
    )) as typeof import('../../../kernel/install.js')
    await installKernelspec({ dir: join(kernels, 'shardbook') })
    const own = { SHARDBOOK_CACHE: join(client.folder, 'cache'), ...env }
    await client.command({ do: 'start', kernels, cwd: client.folder, log: join(client.folder, 'kernel.log'), env: own })
    return client
  }

  async command<T>(command: Readonly<Record<string, unknown>>): Promise<T> {
    this.python.stdin.write(`${JSON.stringify(command)}\n`)
    const { value } = await this.lines.next()
    const { answer, error } = JSON.parse(value as string) as { answer?: T; error?: string }
    if (error !== undefined) throw new Error(`client: ${error}`)
    return answer as T
  }

  ask(type: string, content: Readonly<Record<string, unknown>> = {}, options: AskOptions = {}): Promise<Answer> {
    return this.command({ do: 'ask', type, content, ...options })
  }

  execute(
    code: string,
    options: AskOptions & { readonly content?: Readonly<Record<string, unknown>> } = {},
  ): Promise<Answer> {
    const { content, ...rest } = options
    const defaults = { code, silent: false, store_history: true, allow_stdin: true, stop_on_error: true }
    return this.ask('execute_request', { ...defaults, ...content }, rest)
  }

  /** What the kernel's own process printed. */
  log(): string {
    return readFileSync(join(this.folder, 'kernel.log'), 'utf8')
  }

  async close(): Promise<void> {
    this.python.stdin.end()
    await new Promise((done) => this.python.once('exit', done))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The outputs of a cell: everything on iopub but status and input. */
export function outputs({ iopub }: Answer): Message[] {
  return iopub.filter(({ type }) => type !== 'status' && type !== 'execute_input')
}

/** The printed text of a cell. */
export function printed(answer: Answer, name: 'stdout' | 'stderr'): string {
  const streams = answer.iopub.filter(({ type, content }) => type === 'stream' && content['name'] === name)
  return streams.map(({ content }) => String(content['text'])).join('')
}

/** The plain text of a cell's result. */
export function result({ iopub }: Answer): string | undefined {
  const data = iopub.find(({ type }) => type === 'execute_result')?.content['data'] as
    | Record<string, string>
    | undefined
  return data?.['text/plain']
}
