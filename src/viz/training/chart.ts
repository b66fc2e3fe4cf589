/**
 * The training view as one chart: title and state in words, a progress bar, the loss by step with what happened on the
 * way, a panel a metric; low panels of the learning rate where it varies, the norm of the gradients and the speed; a lane a
 * worker.
 *
 * It is drawn many times while it grows, so nothing may jump: widths, axes and legends are fixed, and the step axis ends
 * at a power-of-two part of the planned steps, so that it changes rarely and is always at least half full. Lines are
 * thinned; the specification stays under 60 kB.
 */
import { Chart } from '../chart.js'
import { type JsonObject, round } from '../json.js'
import { chartWidth, colours } from '../theme.js'
import { lanesPanel } from './lanes.js'
import { metricNames, normLine, paceLine, rateLine } from './lines.js'
import { fullWidth, halfWidth, lowPanel, panel, panelGap } from './panel.js'
import type { TrainingView } from './view.js'
import { describeTraining, place, progress, reached, standing, trouble } from './words.js'

const metricsShown = 3
const barHeight = 6

/**
 * The chart of a training, running or ended.
 *
 * @example
 * ```ts
 * const start = { kind: 'start', name: 'digits', epochs: 2, stepsPerEpoch: 10, workers: 1, engine: 'wasm' }
 * viz.training(viz.reduceTraining(viz.emptyTraining, start))
 * ```
 */
export function training(view: TrainingView): Chart {
  const names = ['loss', ...metricNames(view).slice(0, metricsShown)]
  const panels = names.map((name) => panel(view, name, names.length === 1 ? fullWidth : halfWidth))
  const low = [
    { name: 'learning rate', values: rateLine(view) ?? [], isStepped: true },
    { name: 'gradient norm', values: normLine(view) },
    { name: 'rows a second', values: paceLine(view) },
  ].filter(({ values }) => values.length > 0)
  const lowPanels = low.map((own, i) => {
    const alone = low.length % 2 === 1 && i === low.length - 1
    return lowPanel(view, own, alone ? fullWidth : halfWidth)
  })
  // The legend belongs to its panel.
  const apart = { legend: { color: 'independent' }, scale: { color: 'independent' } }
  return new Chart({
    text: describeTraining(view),
    spec: {
      title: {
        text: view.name,
        subtitle: [[standing(view), ...trouble(view)].join(' · '), [...reached(view), place(view)].join(' · ')],
        limit: chartWidth - 20,
        ...(trouble(view).length > 0 && view.status !== 'stopped' ? { subtitleColor: colours.bad } : {}),
      },
      spacing: 16,
      resolve: apart,
      vconcat: [
        bar(view),
        ...pairs(panels).map((hconcat) => ({ hconcat, spacing: panelGap, resolve: apart })),
        ...pairs(lowPanels).map((hconcat) => ({ hconcat, spacing: panelGap, resolve: apart })),
        ...(view.lanes.length === 0 ? [] : [lanesPanel(view.lanes)]),
      ],
    },
  })
}

function bar(view: TrainingView): JsonObject {
  const colour = {
    running: colours.first,
    paused: colours.quiet,
    done: colours.good,
    stopped: colours.quiet,
    failed: colours.bad,
  }[view.status]
  const strip = (from: number, to: number, mark: JsonObject): JsonObject => ({
    data: { values: [{}] },
    mark: { type: 'rect', ...mark },
    encoding: {
      x: { value: round(from, 4) },
      x2: { value: round(to, 4) },
      y: { value: 0 },
      y2: { value: barHeight },
    },
  })
  const done = fullWidth * progress(view)
  // Gaps at the ends of the epochs, while there are few enough to be told apart.
  const ends = view.epochs > 1 && view.epochs <= 40 ? Array.from({ length: view.epochs - 1 }, (_, i) => i + 1) : []
  return {
    width: fullWidth,
    height: barHeight,
    layer: [
      strip(0, fullWidth, { color: colours.grid, cornerRadius: 3 }),
      ...(done > 0 ? [strip(0, done, { color: colour, cornerRadius: 3 })] : []),
      ...ends
        .map((epoch) => (fullWidth * epoch) / view.epochs)
        .map((at) => strip(at, at + 1.5, { color: colours.ground })),
    ],
  }
}

function pairs<T>(list: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / 2) }, (_, i) => list.slice(2 * i, 2 * i + 2))
}
