/** The last lines that a process and those before it in its place wrote. */
import type { Readable } from 'node:stream'

const keptLines = 200
const keptLineLength = 2000

export class LogTail {
  #lines: string[] = []
  /** Lines of processes that are gone. */
  #before = 0

  /** A new process begins to write. */
  begin(): void {
    this.#before = this.#lines.length
  }

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
      const dropped = this.#lines.splice(0, this.#lines.length - keptLines).length
      this.#before = Math.max(0, this.#before - dropped)
    })
    stream.on('end', () => {
      if (partial !== '') this.#lines.push(prefix + partial)
      partial = ''
    })
    stream.on('error', () => {})
  }

  /** The last `lines` lines of the present process as one text, for error messages; or an empty string. */
  tail(lines = 20): string {
    return this.#lines.slice(this.#before).slice(-lines).join('\n').trimEnd()
  }

  last(lines: number): string[] {
    return this.#lines.slice(-lines)
  }
}
