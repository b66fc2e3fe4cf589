/**
 * A chart that follows controls: each change of one calls back into the kernel, which draws the chart anew in its place.
 *
 * Changes that come while a chart is drawn are taken together: the latest wins. In a saved notebook, and without a client,
 * the last state stays as a still chart.
 */
import { randomUUID } from 'node:crypto'
import { show } from '../core/check.js'
import { type Displayable, type MimeBundle, displaySymbol } from '../core/display.js'
import { ShardbookError } from '../core/errors.js'
import { host } from '../core/host.js'
import { Chart, lightBundle } from './chart.js'

/** What holds a value that a user changes: a control of `ui`. */
export interface Bound<T> extends Displayable {
  readonly value: T
  onChange(handler: (value: T) => unknown): () => void
}

/** Controls with the chart that follows them. */
export interface Exploration extends Displayable {
  /** The chart of the controls' values now; once it is there, every output shows it. */
  chart(): Promise<Chart>
  /** Stops following; the last state stays. */
  close(): void
}

type Values<C> = { readonly [K in keyof C]: C[K] extends Bound<infer T> ? T : never }

/** Quiet time after which the state is kept with its picture. */
const settledMs = 600

/**
 * Shows controls and, below them, the chart that `draw` makes of their values, anew whenever one changes.
 *
 * @param draw may compute, wait and fail: a failure is shown in the chart's place, and the next change tries again
 * @throws `argument` for what is no control
 * @example
 * ```ts
 * const threshold = { value: 0.5, onChange: () => () => {}, [Symbol.for('Jupyter.display')]: () => ({ 'text/plain': '' }) }
 * const scores = { actual: [0, 0, 1, 1], score: [0.1, 0.6, 0.4, 0.8] }
 * const explored = viz.explore({ threshold }, (values) => viz.atThreshold(scores, values))
 * const chart = await explored.chart()
 * ```
 */
export function explore<const C extends Readonly<Record<string, Bound<unknown>>>>(
  controls: C,
  draw: (values: Values<C>) => Chart | Promise<Chart>,
): Exploration {
  const entries = Object.entries(controls ?? {})
  const odd = entries.find(([, control]) => typeof control?.onChange !== 'function')
  if (entries.length === 0 || odd !== undefined) {
    throw new ShardbookError('argument', `viz.explore: expected controls such as ui.slider, got ${show(odd?.[1])}.`)
  }
  const id = randomUUID()
  let isShown = false
  let isStale = false
  let drawing: Promise<Chart> | undefined
  let settle: NodeJS.Timeout | undefined

  const valuesNow = (): Values<C> =>
    Object.fromEntries(entries.map(([name, control]) => [name, control.value])) as unknown as Values<C>

  const drawNow = async (): Promise<Chart> => {
    let chart: Chart
    do {
      isStale = false
      chart = await (await draw(valuesNow())).ready()
    } while (isStale)
    return chart
  }
  const chartNow = (): Promise<Chart> => (drawing ??= drawNow().finally(() => (drawing = undefined)))

  const redraw = async (): Promise<void> => {
    isStale = drawing !== undefined
    const isFirst = !isStale
    try {
      const chart = await chartNow()
      if (!isFirst || !isShown) return
      host().update(id, lightBundle(chart))
      clearTimeout(settle)
      settle = setTimeout(() => void keep(chart), settledMs).unref()
    } catch (error) {
      if (isFirst) host().update(id, failureOf(error))
    }
  }
  const keep = async (chart: Chart): Promise<void> => {
    host().update(id, await chart.bundle().catch(failureOf))
  }

  const stops = entries.map(([, control]) => control.onChange(() => redraw()))
  return {
    chart: chartNow,
    close: () => {
      clearTimeout(settle)
      for (const stop of stops) stop()
    },
    async [displaySymbol]() {
      for (const [, control] of entries) host().publish(await control[displaySymbol]())
      const bundle = await chartNow().then((chart) => chart.bundle(), failureOf)
      host().publish(bundle, { id })
      isShown = true
      return {}
    },
  }
}

function failureOf(error: unknown): MimeBundle {
  return { 'text/plain': `The chart could not be drawn. ${error instanceof Error ? error.message : String(error)}` }
}
