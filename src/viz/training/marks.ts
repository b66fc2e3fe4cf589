/** What happened on the way, on the panel of the loss: workers lost and replaced, checkpoints, an early end. */
import { type JsonObject, round } from '../json.js'
import { colours } from '../theme.js'
import { stepDomain } from './lines.js'
import type { TrainingMark, TrainingView } from './view.js'

/** Labels stand below each other by what they say, so that marks of one step can both be read. */
const rows: Readonly<Record<string, number>> = { lost: 58, replaced: 72, stopped: 86 }

/** The marks of a training, as layers over the axis of steps. */
export function marksOf(view: TrainingView, x: JsonObject): readonly JsonObject[] {
  return [...ruled(view, x), ...checkpoints(view, x)]
}

function ruled(view: TrainingView, x: JsonObject): readonly JsonObject[] {
  const marks = view.events.filter(({ change }) => change in rows)
  if (marks.length === 0) return []
  const values = marks.map(({ step, change, rank, message }) => ({
    x: step,
    change,
    label: labelOf({ step, change, message, ...(rank === undefined ? {} : { rank }) }),
    message,
    row: rows[change]!,
  }))
  const color = { condition: { test: "datum.change === 'replaced'", value: colours.good }, value: colours.bad }
  const late = `datum.x > ${round(stepDomain(view)[1] * 0.7)}`
  const text = (test: string, mark: JsonObject, more: JsonObject): JsonObject => ({
    data: { values },
    transform: [{ filter: test }],
    mark: { type: 'text', baseline: 'bottom', fontSize: 10, ...mark },
    encoding: {
      x,
      y: { field: 'row', type: 'quantitative', scale: null, axis: null },
      text: { field: 'label', type: 'nominal' },
      ...more,
    },
  })
  // Written twice: first a white edge, which sets the words off from the lines.
  const label = (test: string, place: JsonObject): readonly JsonObject[] => [
    text(test, { ...place, color: colours.ground, stroke: colours.ground, strokeWidth: 3 }, {}),
    text(test, { ...place, color: colours.ink }, {}),
  ]
  return [
    {
      data: { values },
      mark: { type: 'rule', strokeDash: [4, 3], strokeWidth: 1.5 },
      encoding: {
        x,
        color,
        tooltip: [
          { field: 'label', type: 'nominal', title: 'event' },
          { field: 'message', type: 'nominal' },
          { field: 'x', type: 'quantitative', title: 'step', format: ',' },
        ],
      },
    },
    ...label(`!(${late})`, { align: 'left', dx: 5 }),
    ...label(late, { align: 'right', dx: -5 }),
  ]
}

/** Small triangles on the axis. */
function checkpoints(view: TrainingView, x: JsonObject): readonly JsonObject[] {
  const marks = view.events.filter(({ change }) => change === 'checkpoint')
  if (marks.length === 0) return []
  return [
    {
      data: { values: marks.map(({ step, message }) => ({ x: step, label: 'checkpoint', message })) },
      mark: { type: 'point', shape: 'triangle-up', filled: true, size: 50, opacity: 1, color: colours.good },
      encoding: {
        x,
        y: { value: 196 },
        tooltip: [
          { field: 'label', type: 'nominal', title: 'event' },
          { field: 'message', type: 'nominal', title: 'folder' },
          { field: 'x', type: 'quantitative', title: 'step', format: ',' },
        ],
      },
    },
  ]
}

function labelOf({ change, rank, message }: TrainingMark): string {
  if (change !== 'stopped') return `worker ${rank} ${change}`
  return message.length > 40 ? `${message.slice(0, 38)}…` : message
}
