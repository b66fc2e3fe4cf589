/**
 * Files for cells to come, which the modules of names export before they have a text.
 *
 * The server looks at the whole program for each file that it opens (5 ms, and more in a long notebook). So they are opened
 * while it has nothing else to do, one at a time, and are there when a cell needs one; who runs cells faster than that
 * waits for the rest of a block. The server's garbage is collected at such times too: its own collector would let it grow to
 * three times what is in use, and then run while somebody waits for a check.
 */
import { allNames, emptyCell, moduleOf, type Names } from './names.js'
import { cellFile } from './project.js'
import type { LanguageServer } from './server.js'

/** After a block of its own for the first cells, which would wait longest, so many get their files together. */
const blockCells = 32
const firstBlockCells = 8

/** So many files are to be free, if there is time to open them: few at first, since 32 cost the server 20 MB and more. */
const firstReserveCells = 8
const reserveCells = 40

/** The server has nothing to do when nobody has asked it anything for so long. */
const quietMs = 10

export class Room {
  private readonly server: LanguageServer
  private readonly folder: string
  private readonly names: Names
  /** For so many cells there is room. */
  private size = 1
  private opened = 1
  private timer: NodeJS.Timeout | undefined
  /** Ends when the work on the files that was asked for so far has. */
  private turn: Promise<void> = Promise.resolve()

  constructor(server: LanguageServer, folder: string, names: Names) {
    this.server = server
    this.folder = folder
    this.names = names
  }

  /** Resolves when there is room for this cell. */
  reach(cell: number): Promise<void> {
    return this.inTurn(async () => {
      while (this.size <= cell) await this.step()
    })
  }

  /** Tells the server what a module of names exports now, while nothing else changes: it takes that in at once. */
  share(module: number): Promise<void> {
    return this.inTurn(() => this.writeNames(module))
  }

  /** Opens files and collects garbage for a while, whenever the server has nothing else to do. */
  growAtLeisure(): void {
    if (this.timer !== undefined || !(this.isShort() || this.server.isLittered)) return
    const wait = Math.max(1, quietMs - this.server.quietForMs())
    this.timer = setTimeout(() => void this.growNow(), wait).unref()
  }

  private isShort(): boolean {
    const { taken } = this.names
    return this.size - taken < Math.min(reserveCells, firstReserveCells + taken)
  }

  private async growNow(): Promise<void> {
    // A server that ended gets all texts anew: what is missing comes with the cell that needs it.
    const work = (): Promise<unknown> => (this.server.isLittered ? this.server.collect() : this.step(true))
    if (this.server.quietForMs() >= quietMs) await this.inTurn(work).catch(() => {})
    this.timer = undefined
    if (!this.server.isClosed) this.growAtLeisure()
  }

  /** Opens the next file of a block, or lets the cells of a block that has its files take part. */
  private async step(isAlone = false): Promise<void> {
    const first = this.size
    const end = first < firstBlockCells ? firstBlockCells : (Math.floor(first / blockCells) + 1) * blockCells
    if (this.opened < end) {
      const cell = this.opened++
      const file = cellFile(this.folder, cell)
      await this.server.write(file, emptyCell())
      // It says when it is done with the file.
      if (isAlone) await this.server.ask('textDocument/documentSymbol', file)
      return
    }
    this.size = end
    for (let module = moduleOf(first); module <= moduleOf(end - 1); module++) await this.writeNames(module)
    await this.write('names', allNames(end))
  }

  private writeNames(module: number): Promise<void> {
    return this.write(`names_${module}`, this.names.text(module, this.size))
  }

  private async write(name: string, text: string): Promise<void> {
    const file = cellFile(this.folder, name)
    await this.server.write(file, text)
    await this.server.ask('textDocument/documentSymbol', file)
  }

  private inTurn(work: () => Promise<unknown>): Promise<void> {
    const done = this.turn.then(work).then(() => {})
    // Told to the one who asked.
    this.turn = done.catch(() => {})
    return done
  }
}
