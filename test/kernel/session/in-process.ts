/** A notebook in this process: cells are compiled and run as the kernel does, without a front and without a type check. */
import { join } from 'node:path'
import { compile } from '../../../kernel/compile/compile.js'
import { findMagics } from '../../../kernel/compile/magics.js'
import { NotebookNames } from '../../../kernel/compile/names.js'
import type { Cell } from '../../../kernel/session/evaluator.js'
import { Evaluator } from '../../../kernel/session/evaluator.js'
import { createMagics } from '../../../kernel/session/magics.js'

export class InProcess {
  /** What magics printed. */
  readonly lines: string[] = []
  readonly names = new NotebookNames()
  readonly evaluator: Evaluator
  private readonly folder: string
  private readonly interrupts = new Set<() => void>()
  private serial = 0

  constructor(folder: string) {
    this.folder = folder
    this.evaluator = new Evaluator(
      createMagics({
        print: (line) => this.lines.push(line),
        entries: () => this.evaluator.entries(),
        onInterrupt: (listener) => {
          this.interrupts.add(listener)
          return () => void this.interrupts.delete(listener)
        },
      }),
    )
  }

  load(code: string): Cell {
    const serial = ++this.serial
    const { names } = this
    const magics = findMagics(code, (name) => names.has(name))
    const filename = join(this.folder, `__cell_${serial}.ts`)
    return this.evaluator.load(compile(code, { label: `Cell[${serial}]`, filename, names, magics }))
  }

  async run(code: string): Promise<{ value: unknown } | undefined> {
    const cell = this.load(code)
    try {
      return await cell.run()
    } finally {
      this.names.define(cell.defined())
    }
  }

  interrupt(): void {
    for (const listener of this.interrupts) listener()
  }
}
