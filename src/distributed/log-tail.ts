/** The last lines that a process wrote, for error messages. */
import type { Readable } from 'node:stream'

const keptLines = 200
const keptLineLength = 2000

export class LogTail {
  #lines: string[] = []

  /** Keeps what `stream` brings, each line behind `prefix`. */
  follow(stream: Readable, prefix: string): void {
    let partial = ''
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      const lines = (partial + text).split('\n')
      partial = (lines.pop() ?? '').slice(-keptLineLength)
      this.#lines.push(
        ...lines.filter((line) => line.trim() !== '').map((line) => prefix + line.slice(0, keptLineLength)),
      )
      this.#lines.splice(0, this.#lines.length - keptLines)
    })
    stream.on('end', () => {
      if (partial !== '') this.#lines.push(prefix + partial)
      partial = ''
    })
    stream.on('error', () => {})
  }

  /** The last `lines` lines, or an empty string. */
  tail(lines = 20): string {
    return this.#lines.slice(-lines).join('\n').trimEnd()
  }
}
