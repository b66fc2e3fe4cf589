/**
 * The host: where output goes. A kernel session puts its own at `globalThis[Symbol.for('shardbook.host')]`; without one a
 * terminal host prints text. Nothing above this file knows which it is.
 */
import type { MimeBundle } from './display.js'

/** What travels over a comm: a JSON value, and bytes beside it. */
export interface CommContent {
  readonly data?: unknown
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly buffers?: readonly Uint8Array[]
}

/** A two-way channel to an object in the client, such as a widget. */
export interface Comm {
  readonly id: string
  /** The name under which the other side knows what to do with it. */
  readonly target: string
  /** Sends a message; nothing happens on a closed comm. */
  send(data: unknown, options?: Omit<CommContent, 'data'>): void
  /** Calls `listener` at each message from the client; returns how to stop. */
  onMessage(listener: (message: Required<CommContent>) => unknown): () => void
  /** Calls `listener` when the client closes the comm; returns how to stop. */
  onClose(listener: (message: Required<CommContent>) => unknown): () => void
  /** Closes it from this side, with a last word to the client. */
  close(data?: unknown, options?: Omit<CommContent, 'data'>): void
}

export interface Host {
  readonly kind: 'kernel' | 'terminal'
  /** Label of the cell that runs now; absent between cells and without a kernel. */
  readonly cell?: string | undefined
  /** Shows a bundle; with an `id` it can be updated later. */
  publish(bundle: MimeBundle, options?: { id?: string }): void
  /** Replaces every output shown under `id`. */
  update(id: string, bundle: MimeBundle): void
  /** Asks the user for a line of text. */
  prompt(text: string, options?: { password?: boolean }): Promise<string>
  /** Calls `listener` when the user interrupts; returns how to stop listening. */
  onInterrupt(listener: () => void): () => void
  /** Names work that goes on in the background: a headless run waits for it before it ends. */
  track(label: string, work: Promise<unknown>): void
  /** Opens a comm to the client's object of the name `target`; without a kernel nobody answers. */
  openComm(target: string, data?: unknown, options?: Omit<CommContent, 'data'>): Comm
  /** Takes the comms that a client opens under the name `target`; returns how to stop. */
  registerTarget(target: string, handler: (comm: Comm, opened: Required<CommContent>) => unknown): () => void
  /** Empties the output of what runs now: at once, or with `wait` when the next output comes. */
  clearOutput(options?: { wait?: boolean }): void
  /** Shows a bundle beside the outputs, as help is shown, when the cell has ended. */
  page(bundle: MimeBundle): void
  /** Puts code into the next cell, or with `replace` into this one, when the cell has ended. */
  setNextInput(code: string, options?: { replace?: boolean }): void
}

export const hostSymbol = Symbol.for('shardbook.host')

/** The current host. */
export function host(): Host {
  const holder = globalThis as { [hostSymbol]?: Host }
  return (holder[hostSymbol] ??= terminalHost())
}

/** The host of a process without a kernel: text goes to the terminal. */
export function terminalHost(): Host {
  const text = (bundle: MimeBundle): string => String(bundle['text/plain'] ?? Object.keys(bundle).join(', '))
  const latest = new Map<string, string>()
  const listeners = new Set<() => void>()
  const onSignal = (): void => listeners.forEach((listener) => listener())
  return {
    kind: 'terminal',
    publish: (bundle) => void process.stdout.write(`${text(bundle)}\n`),
    update: (id, bundle) => {
      const line = text(bundle)
      if (latest.get(id) === line) return
      latest.set(id, line)
      process.stdout.write(process.stdout.isTTY ? `\r\x1b[2K${line.split('\n')[0]}` : `${line}\n`)
    },
    prompt: async (question) => {
      const { createInterface } = await import('node:readline/promises')
      const reader = createInterface({ input: process.stdin, output: process.stdout })
      try {
        return await reader.question(question)
      } finally {
        reader.close()
      }
    },
    onInterrupt: (listener) => {
      // One handler for all of them: however many queries and trainings listen, the process has one more listener.
      if (listeners.size === 0) process.on('SIGINT', onSignal)
      const own = (): void => listener()
      listeners.add(own)
      return () => {
        listeners.delete(own)
        if (listeners.size === 0) process.off('SIGINT', onSignal)
      }
    },
    track: () => {},
    openComm: (target) => ({
      id: '',
      target,
      send: () => {},
      onMessage: () => () => {},
      onClose: () => () => {},
      close: () => {},
    }),
    registerTarget: () => () => {},
    clearOutput: () => {},
    page: (bundle) => void process.stdout.write(`${text(bundle)}\n`),
    setNextInput: () => {},
  }
}
