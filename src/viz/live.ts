/**
 * A chart that changes in place: one output, updated at most a few times a second, the latest state winning.
 *
 * Updates carry no picture, which costs most of the time; the final state always comes, with its picture, so that the
 * saved notebook shows it without a kernel.
 */
import { randomUUID } from 'node:crypto'
import { checkNumber } from '../core/check.js'
import { host } from '../core/host.js'
import { type Chart, lightBundle } from './chart.js'

export interface LiveOptions {
  /** Names the output; a fresh one by default. */
  readonly id?: string
  /** Most updates a second, in (0, 60]; 4 by default. */
  readonly maxPerSecond?: number
}

export interface LiveChart {
  readonly id: string
  /** Shows a new state, soon: `next` is called when its turn comes, and not at all if a later one overtakes it. */
  update(next: () => Chart): void
  /** Shows `state` in the cell that runs, too; all outputs of the chart then change together. Once a cell. */
  show(state: Chart): void
  /**
   * Shows the last state, with its picture; later updates are ignored.
   *
   * @throws what an earlier state threw when it was drawn
   */
  end(final: Chart): Promise<void>
}

/**
 * Shows `initial` now and keeps its output up to date.
 *
 * @example
 * ```ts
 * const shown = viz.live(viz.bar([{ x: 'a', y: 1 }], { x: 'x', y: 'y' }))
 * shown.update(() => viz.bar([{ x: 'a', y: 2 }], { x: 'x', y: 'y' }))
 * await shown.end(viz.bar([{ x: 'a', y: 3 }], { x: 'x', y: 'y' }))
 * ```
 */
export function live(initial: Chart, options: LiveOptions = {}): LiveChart {
  const { id = randomUUID(), maxPerSecond = 4 } = options
  checkNumber('viz.live', 'maxPerSecond', maxPerSecond, 0.01, 60)
  const intervalMs = 1000 / maxPerSecond
  const screen = host()
  let waiting: (() => Chart) | undefined
  let timer: NodeJS.Timeout | undefined
  let ended = false
  let failure: unknown
  let shownAt = performance.now()

  const showNext = (): void => {
    timer = undefined
    const next = waiting
    waiting = undefined
    if (next === undefined || ended) return
    shownAt = performance.now()
    try {
      screen.update(id, lightBundle(next()))
    } catch (error) {
      // Nobody awaits a timer: a state that cannot be drawn must not end the session.
      failure ??= error
    }
  }

  const shownIn = new Set<string | undefined>()
  const showHere = (state: Chart): void => {
    if (screen.cell !== undefined && shownIn.has(screen.cell)) return
    shownIn.add(screen.cell)
    screen.publish(lightBundle(state), { id })
  }

  showHere(initial)
  return {
    id,
    show: showHere,
    update(next) {
      if (ended) return
      waiting = next
      timer ??= setTimeout(showNext, Math.max(0, shownAt + intervalMs - performance.now())).unref()
    },
    async end(final) {
      if (ended) return
      ended = true
      clearTimeout(timer)
      await final.ready()
      // The words and the chart first: they come even where the picture cannot be drawn. A terminal shows no pictures.
      screen.update(id, lightBundle(final))
      if (screen.kind === 'kernel') screen.update(id, await final.bundle())
      if (failure !== undefined) throw failure
    },
  }
}
