/** How much of what a cell prints is passed on: a cell that prints without end must not fill the clients' memory. */

const limitChars = 64 * 2 ** 20

export class PrintLimit {
  private left = limitChars
  private cut = 0

  /** Another cell begins. */
  begin(): void {
    this.left = limitChars
    this.cut = 0
  }

  /** The part of `text` to pass on, with a notice where the rest is cut. */
  take(text: string): string {
    if (text.length <= this.left) {
      this.left -= text.length
      return text
    }
    const isFirst = this.cut === 0
    const shown = text.slice(0, this.left)
    this.cut += text.length - this.left
    this.left = 0
    return isFirst ? `${shown}\n… output cut: a cell may print ${megabytes(limitChars)}.\n` : ''
  }

  /** How much was cut since the last notice, in words. */
  notice(): string | undefined {
    if (this.cut === 0) return undefined
    return `… ${megabytes(this.cut)} more were printed and not shown. Write to a file what is that long.\n`
  }
}

function megabytes(chars: number): string {
  return `${Math.ceil(chars / 2 ** 20)} MB`
}
