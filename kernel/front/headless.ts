/** The kernel without a client: `shardbook run` drives cells through it and gets their outputs as a notebook holds them. */
import { randomUUID } from 'node:crypto'
import { Kernel } from './kernel.js'
import type { Content } from './protocol/message.js'
import { newHeader } from './protocol/message.js'

export interface HeadlessMessage {
  readonly type: 'stream' | 'display_data' | 'update_display_data' | 'execute_result' | 'error' | 'clear_output'
  readonly content: Record<string, unknown>
  /** The index given to `execute()` whose output this is. */
  readonly cell: number
}

export interface HeadlessReply {
  readonly status: 'ok' | 'error'
  readonly executionCount: number
  readonly error?: { ename: string; evalue: string; traceback: string[] }
}

export interface Headless {
  /** Checks and runs a cell; its outputs have all been passed on when this resolves. */
  execute(cell: number, code: string): Promise<HeadlessReply>
  /** Interrupts the running cell. */
  interrupt(): Promise<void>
  /** Labels of background work that is still open. */
  openWork(): string[]
  /** Resolves true when no tracked work is open, false after `timeoutMs`. */
  settled(timeoutMs: number): Promise<boolean>
  /** Ends the session and the language server. */
  close(): Promise<void>
}

export interface HeadlessOptions {
  readonly cwd: string
  /** Variables on top of this process's own. */
  readonly env?: Record<string, string>
  readonly onMessage: (message: HeadlessMessage) => void
}

const outputs: readonly string[] = [
  'stream',
  'display_data',
  'update_display_data',
  'execute_result',
  'error',
  'clear_output',
] satisfies HeadlessMessage['type'][]

/** Starts a kernel for the notebook folder `cwd`. */
export async function startHeadless({ cwd, env, onMessage }: HeadlessOptions): Promise<Headless> {
  const client = randomUUID()
  const cells = new Map<string, number>()
  const kernel = new Kernel({
    cwd,
    env: { ...process.env, ...env },
    port: {
      publish: (type, content, parent) => {
        const cell = parent === undefined ? undefined : cells.get(parent.msg_id)
        if (cell === undefined || !outputs.includes(type)) return
        onMessage({ type: type as HeadlessMessage['type'], content: { ...content }, cell })
      },
      log: (text) => process.stderr.write(`kernel: ${text}\n`),
      stopped: () => {},
    },
  })
  kernel.runner.prepare()

  const request = (type: string, content: Content): Promise<Content> =>
    new Promise((resolve, reject) => {
      const header = newHeader(type, client)
      if (typeof content['cell'] === 'number') cells.set(header.msg_id, content['cell'])
      const askInput = (): Promise<string> => Promise.reject(new Error('nobody is there to answer'))
      const take = {
        header,
        metadata: {},
        content,
        buffers: [],
        reply: (_type: string, reply: Content) => resolve(reply),
        askInput,
      }
      try {
        if (type === 'execute_request') kernel.shell(take)
        else kernel.control(take)
      } catch (error) {
        reject(error)
      }
    })

  return {
    execute: async (cell, code) => {
      const reply = await request('execute_request', { code, cell, stop_on_error: false })
      const executionCount = Number(reply['execution_count'])
      if (reply['status'] === 'ok') return { status: 'ok', executionCount }
      const { ename, evalue, traceback } = reply as { ename: string; evalue: string; traceback: string[] }
      return { status: 'error', executionCount, error: { ename, evalue, traceback: [...traceback] } }
    },
    interrupt: async () => void (await request('interrupt_request', {})),
    openWork: () => kernel.runner.sessions.openWork(),
    settled: (timeoutMs) => kernel.runner.sessions.settled(timeoutMs),
    close: async () => void (await request('shutdown_request', { restart: false })),
  }
}
