/**
 * One panel of the training view: a quantity over the steps, training and validation.
 *
 * The thin line is single steps, the thick one smoothed, the dots are epochs. Everything has a fixed place, names and
 * axis labels included, so that nothing jumps when the values change.
 */
import { type Json, type JsonObject, round } from '../json.js'
import { chartWidth, colours } from '../theme.js'
import { linesOf, stepDomain, valueScale } from './lines.js'
import { marksOf } from './marks.js'
import type { TrainingView } from './view.js'

const axisWidth = 38
export const panelGap = 26
/** Width of a panel that stands alone, and of one of two. */
export const fullWidth = chartWidth - 20 - axisWidth
export const halfWidth = (fullWidth - axisWidth - panelGap) / 2
const panelHeight = 200

const seriesColours = { training: colours.first, validation: colours.second } as const

/** Short enough for the fixed width of the axis. */
const valueLabel =
  "datum.value !== 0 && (abs(datum.value) < 1e-3 || abs(datum.value) >= 1e5) ? format(datum.value, '~e') : format(datum.value, '~g')"
const stepLabel = "datum.value < 1e4 ? format(datum.value, ',~r') : format(datum.value, '~s')"

/** The panel of the loss or of a metric. */
export function panel(view: TrainingView, name: string, width: number): JsonObject {
  const lines = linesOf(view, name)
  const isLoss = name === 'loss'
  const scale = valueScale(lines, isLoss)
  const x = stepChannel(view, 5)
  const y = { field: 'y', type: 'quantitative', scale, axis: valueAxis(valueTicks(scale)) }
  const layer = (
    values: readonly JsonObject[],
    who: keyof typeof seriesColours,
    what: string,
    mark: JsonObject,
  ): JsonObject => ({
    data: { values },
    mark: { type: 'line', color: seriesColours[who], ...mark },
    encoding: {
      x,
      y,
      tooltip: [
        { field: 'x', type: 'quantitative', title: 'step', format: ',' },
        { field: 'y', type: 'quantitative', title: what },
      ] satisfies Json,
    },
  })
  const dots = (who: keyof typeof seriesColours): JsonObject =>
    view.epochsDone.length + view.validations.length <= 25
      ? { point: { filled: true, size: 34, color: seriesColours[who] } }
      : {}
  return {
    width,
    height: panelHeight,
    layer: [
      heading(name),
      ...(isLoss && lines.validation.length > 0 ? [legend] : []),
      layer(lines.raw, 'training', `${name} of the step`, { strokeWidth: 1, opacity: 0.3, clip: true }),
      layer(lines.smooth, 'training', `${name}, smoothed`, {}),
      // Where steps have no metrics of their own, the epochs do.
      ...(lines.smooth.length === 0 ? [layer(lines.epochs, 'training', `${name} of the epoch`, dots('training'))] : []),
      layer(lines.validation, 'validation', `validation ${name}`, dots('validation')),
      ...(isLoss ? marksOf(view, x) : []),
    ],
  }
}

/** The one legend, once there are two lines, where a falling one leaves room: of marks that are not seen, as the lines have fixed colours. */
const legend: JsonObject = {
  data: { values: Object.keys(seriesColours).map((who) => ({ who })) },
  mark: { type: 'point', opacity: 0 },
  encoding: {
    x: { value: 0 },
    y: { value: 0 },
    color: {
      field: 'who',
      type: 'nominal',
      scale: { domain: Object.keys(seriesColours), range: Object.values(seriesColours) },
      legend: { title: null, orient: 'top-right', symbolType: 'stroke', symbolOpacity: 1, offset: 4 },
    },
  },
}

/** A low panel of a quantity that accompanies the training: learning rate, speed, norm of the gradients. */
export function lowPanel(
  view: TrainingView,
  { name, values, isStepped = false }: { name: string; values: readonly JsonObject[]; isStepped?: boolean },
  width: number,
): JsonObject {
  const numbers = values.map((point) => Number(point['y']))
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)]
  // Norms and rates may span orders of magnitude.
  const isLog = low > 0 && high / low > 200
  const scale = isLog
    ? { type: 'log', domain: [round(low, 2), round(high, 2)], nice: false }
    : { zero: true, nice: true }
  return {
    width,
    height: 44,
    layer: [
      heading(name),
      {
        data: { values },
        mark: {
          type: 'line',
          strokeWidth: 1.5,
          color: colours.quiet,
          ...(isStepped ? { interpolate: 'step-after' } : {}),
        },
        encoding: {
          x: stepChannel(view, width > halfWidth ? 8 : 5),
          y: {
            field: 'y',
            type: 'quantitative',
            scale,
            axis: valueAxis(isLog ? valueTicks(scale) : { tickCount: 2 }),
          },
          tooltip: [
            { field: 'x', type: 'quantitative', title: 'step', format: ',' },
            { field: 'y', type: 'quantitative', title: name },
          ],
        },
      },
    ],
  }
}

/** The name of a panel as a mark: a title would move with the labels of the axis. */
function heading(text: string): JsonObject {
  return {
    data: { values: [{}] },
    mark: { type: 'text', align: 'left', baseline: 'bottom', fontSize: 12, fontWeight: 600 },
    encoding: { x: { value: 0 }, y: { value: -10 }, text: { value: text } },
  }
}

function stepChannel(view: TrainingView, tickCount: number): JsonObject {
  return {
    field: 'x',
    type: 'quantitative',
    scale: { domain: stepDomain(view), nice: false },
    axis: { title: 'step', tickCount, tickMinStep: 1, labelExpr: stepLabel, grid: false },
  }
}

function valueAxis(ticks: JsonObject): JsonObject {
  return { title: null, minExtent: axisWidth, maxExtent: axisWidth, labelExpr: valueLabel, ...ticks }
}

/** Ticks at round numbers; on a logarithmic axis at the powers of ten, or Vega draws a line for each digit. */
function valueTicks(scale: JsonObject): JsonObject {
  if (scale['type'] !== 'log') return { tickCount: 5 }
  const [low, high] = scale['domain'] as [number, number]
  const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))]
  return { values: Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => round(10 ** (first + i), 3)) }
}
