/** Where the time of a training goes, added up from what its steps tell. */
import { alignColumns } from '../../core/align-columns.js'
import { displaySymbol } from '../../core/display.js'
import type { Displayable, MimeBundle } from '../../core/display.js'
import type { PhaseTimes, TrainingEvent } from './event.js'

type StepEvent = Extract<TrainingEvent, { kind: 'step' }>

/** Milliseconds a step, by phase; they render as a table. */
export interface Profile extends Displayable {
  /** Steps that were counted: all but the first, which also builds what runs. */
  readonly steps: number
  readonly phases: Readonly<Record<string, number>>
  /** Of the time of a step, the share in which rows are read and made tensors. Where steps overlap it costs nothing while it is
   * well below one. */
  readonly inputShare: number
  toString(): string
}

const names = {
  read: 'read rows',
  copy: 'copy in',
  compute: 'compute gradients',
  reduce: 'add up over workers',
  update: 'update weights',
} as const satisfies Record<keyof PhaseTimes, string>

/** Adds up steps. */
export class ProfileSums {
  #steps = 0
  #seen = 0
  readonly #sums = new Map<string, number>()
  #totalMs = 0
  #inputMs = 0

  add({ stepMs, inputMs = 0, reduceMs = 0, phases }: StepEvent): void {
    if (this.#seen++ === 0) return
    this.#steps++
    this.#totalMs += stepMs
    this.#inputMs += inputMs
    const parts: [string, number][] =
      phases === undefined
        ? [
            ['input', inputMs],
            ['add up over workers', reduceMs],
          ]
        : (Object.keys(names) as (keyof PhaseTimes)[]).map((name) => [names[name], phases[name]])
    for (const [name, ms] of parts) this.#sums.set(name, (this.#sums.get(name) ?? 0) + ms)
  }

  profile(): Profile {
    const steps = this.#steps
    const each = (sum: number): number => (steps === 0 ? 0 : sum / steps)
    const parts = [...this.#sums].map(([name, sum]) => [name, each(sum)] as const)
    const total = each(this.#totalMs)
    const rest = Math.max(0, total - parts.reduce((sum, [, ms]) => sum + ms, 0))
    const phases = Object.fromEntries([...parts, ['the rest', rest], ['step', total]])
    const inputShare = total === 0 ? 0 : each(this.#inputMs) / total
    const text = table(phases, total, steps)
    return Object.freeze({
      steps,
      phases,
      inputShare,
      toString: () => text,
      [displaySymbol]: (): MimeBundle => ({ 'text/plain': text }),
    })
  }
}

function table(phases: Readonly<Record<string, number>>, total: number, steps: number): string {
  const rows = [
    ['phase', 'ms a step', 'share'],
    ...Object.entries(phases).map(([name, ms]) => [
      name,
      ms.toFixed(3),
      `${total === 0 ? 0 : Math.round((100 * ms) / total)}%`,
    ]),
  ]
  return [...alignColumns(rows, (column) => column > 0), `over ${steps} steps, without the first`].join('\n')
}
