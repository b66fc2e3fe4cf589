/**
 * The host: where output goes. A kernel session puts its own at `globalThis[Symbol.for('shardbook.host')]`; without one a
 * terminal host prints text. Nothing above this file knows which it is.
 */
import type { MimeBundle } from './display.js'

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
}

export const hostSymbol = Symbol.for('shardbook.host')

/** The current host. */
export function host(): Host {
  const holder = globalThis as { [hostSymbol]?: Host }
  return (holder[hostSymbol] ??= terminalHost())
}

function terminalHost(): Host {
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
  }
}
