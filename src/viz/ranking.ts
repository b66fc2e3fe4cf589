/** How well scores tell two classes apart, over all thresholds: receiver operating characteristic, precision and recall. */
import type { Chart, ChartSource } from './chart.js'
import { formatCount, formatNumber } from './format.js'
import { type JsonObject, round } from './json.js'
import { type Ranked, type ScoreOptions, type Scores, scoreChart } from './scores.js'
import { type FrameLike, heading, leftOut } from './table.js'
import { colours } from './theme.js'
import { thin } from './thin.js'

const pointsDrawn = 300

interface Point {
  readonly x: number
  readonly y: number
  /** Samples with at least this score are called positive. */
  readonly threshold: number
}

/**
 * The receiver operating characteristic: true over false positive rate for every threshold, and the area below it.
 *
 * Thresholds are written at some points; the dashed line is what guessing gives.
 *
 * @param scores rows or a frame with columns `label` and `probability`, or `{ actual, score }`
 * @throws `argument` when the lists differ in length, or of more than two classes no positive one is named
 * @example
 * ```ts
 * viz.roc({ actual: [0, 0, 1, 1], score: [0.1, 0.4, 0.35, 0.8] })
 * ```
 */
export function roc(scores: Scores | readonly object[] | FrameLike<object>, options: ScoreOptions = {}): Chart {
  return scoreChart('viz.roc', scores, options, (ranked) => {
    const { positives, negatives } = ranked
    const look = {
      title: options.title ?? 'ROC',
      x: 'false positive rate',
      y: 'true positive rate',
      chance: [0, 1],
      // A curve that may be steep is thinned along its way, not along its axis.
      along: ({ x, y }: Point) => x + y,
      names: { align: 'left', dx: 6, dy: 4 },
    } as const
    if (positives === 0 || negatives === 0) return curve(ranked, [], { ...look, notes: [oneSided(ranked)] })
    const points = walk(ranked, (hits, alarms, threshold) => ({
      x: alarms / negatives,
      y: hits / positives,
      threshold,
    }))
    const whole = [{ x: 0, y: 0, threshold: Infinity }, ...points]
    const area = whole.slice(1).reduce((sum, { x, y }, i) => sum + ((x - whole[i]!.x) * (y + whole[i]!.y)) / 2, 0)
    const best = points.reduce((a, b) => (b.y - b.x > a.y - a.x ? b : a))
    return curve(ranked, whole, {
      ...look,
      notes: [
        `AUC ${area.toFixed(3)}`,
        `furthest apart at threshold ${formatNumber(best.threshold)}: ${percent(best.y)} of ${ranked.positive} found, ${percent(best.x)} false alarms`,
      ],
    })
  })
}

/**
 * Precision over recall for every threshold, and the average precision.
 *
 * The dashed line is what guessing gives: the share of positive samples.
 *
 * @param scores rows or a frame with columns `label` and `probability`, or `{ actual, score }`
 * @throws `argument` when the lists differ in length, or of more than two classes no positive one is named
 * @example
 * ```ts
 * viz.precisionRecall({ actual: ['ham', 'spam', 'spam'], score: [0.2, 0.6, 0.9] }, { positive: 'spam' })
 * ```
 */
export function precisionRecall(
  scores: Scores | readonly object[] | FrameLike<object>,
  options: ScoreOptions = {},
): Chart {
  return scoreChart('viz.precisionRecall', scores, options, (ranked) => {
    const { positives, negatives } = ranked
    const share = positives + negatives === 0 ? 0 : positives / (positives + negatives)
    const look = {
      title: options.title ?? 'Precision and recall',
      x: 'recall',
      y: 'precision',
      chance: [share, share],
      along: ({ x }: Point) => x,
      names: { align: 'right', dx: -6, dy: 4 },
    } as const
    if (positives === 0) return curve(ranked, [], { ...look, notes: [oneSided(ranked)] })
    const points = walk(ranked, (hits, alarms, threshold) => ({
      x: hits / positives,
      y: hits / (hits + alarms),
      threshold,
    }))
    // Each step counts by the recall that it adds: no interpolation, which would flatter.
    const average = points.reduce((sum, { x, y }, i) => sum + (x - (points[i - 1]?.x ?? 0)) * y, 0)
    const f1 = ({ x, y }: Point): number => (x + y === 0 ? 0 : (2 * x * y) / (x + y))
    const best = points.reduce((a, b) => (f1(b) > f1(a) ? b : a))
    return curve(ranked, [{ ...points[0]!, x: 0 }, ...points], {
      ...look,
      notes: [
        `average precision ${average.toFixed(3)}`,
        `best F1 ${f1(best).toFixed(3)} at threshold ${formatNumber(best.threshold)}`,
      ],
    })
  })
}

function walk(ranked: Ranked, of: (hits: number, alarms: number, threshold: number) => Point): readonly Point[] {
  let [hits, alarms] = [0, 0]
  return ranked.steps.map((step) => {
    hits += step.positives
    alarms += step.negatives
    return of(hits, alarms, step.score)
  })
}

interface CurveLook {
  readonly title: string
  readonly notes: readonly string[]
  readonly x: string
  readonly y: string
  /** Where guessing is at x = 0 and at x = 1. */
  readonly chance: readonly [number, number]
  /** What never falls from point to point. */
  readonly along: (point: Point) => number
  /** On which side of the curve the thresholds are written. */
  readonly names: JsonObject
}

function curve(ranked: Ranked, points: readonly Point[], look: CurveLook): ChartSource {
  const drawn = thin(points, pointsDrawn, look.along, (point) => point.y - point.x)
  const values = drawn.map(({ x, y, threshold }, i): JsonObject => ({
    i,
    x: round(x, 4),
    y: round(y, 4),
    t: Number.isFinite(threshold) ? round(threshold, 4) : null,
  }))
  const axis = (field: string, title: string): JsonObject => ({
    field,
    type: 'quantitative',
    title,
    scale: { domain: [0, 1] },
    axis: { grid: true, tickCount: 5 },
  })
  const channels = { x: axis('x', look.x), y: axis('y', look.y) }
  const notes = [
    ...look.notes,
    ...(ranked.steps.length === 0
      ? []
      : [`${formatCount(ranked.positives)} of ${ranked.positive}, ${formatCount(ranked.negatives)} not`]),
    ...leftOut(ranked.missing, 'samples without a score'),
  ]
  const { title, text } = heading(look.title, notes, 75)
  return {
    text,
    spec: {
      title,
      width: 420,
      height: 360,
      layer: [
        {
          data: { values: look.chance.map((y, x) => ({ x, y: round(y, 4) })) },
          mark: { type: 'line', strokeDash: [4, 4], strokeWidth: 1.5, color: colours.quiet },
          encoding: channels,
        },
        {
          data: { values },
          mark: {
            type: 'line',
            color: colours.first,
            interpolate: 'linear',
            ...(values.length < 30 ? { point: true } : {}),
          },
          encoding: {
            ...channels,
            order: { field: 'i', type: 'quantitative' },
            tooltip: [
              { field: 'x', type: 'quantitative', title: look.x, format: '.1%' },
              { field: 'y', type: 'quantitative', title: look.y, format: '.1%' },
              { field: 't', type: 'quantitative', title: 'threshold' },
            ],
          },
        },
        {
          data: { values: signposts(points) },
          layer: [
            { mark: { type: 'point', filled: true, size: 46, color: colours.first, opacity: 1 }, encoding: channels },
            {
              mark: { type: 'text', baseline: 'top', fontSize: 10, color: colours.ink, ...look.names },
              encoding: { ...channels, text: { field: 't', type: 'quantitative', format: '.3~g' } },
            },
          ],
        },
      ],
    },
  }
}

/** Some thresholds evenly apart, where the curve has room for their names. */
function signposts(points: readonly Point[]): readonly JsonObject[] {
  const named = points.filter((point) => Number.isFinite(point.threshold))
  if (named.length === 0) return []
  const [high, low] = [named[0]!.threshold, named.at(-1)!.threshold]
  const chosen: Point[] = []
  for (const part of [0.5, 0.25, 0.75, 0.1, 0.9]) {
    const wanted = low + part * (high - low)
    const point = named.findLast((candidate) => candidate.threshold >= wanted)!
    const free = chosen.every((other) => Math.abs(other.x - point.x) > 0.1 || Math.abs(other.y - point.y) > 0.06)
    if (free) chosen.push(point)
  }
  return chosen.map(({ x, y, threshold }) => ({ x: round(x, 4), y: round(y, 4), t: round(threshold, 3) }))
}

function oneSided({ positive, positives, negatives }: Ranked): string {
  if (positives + negatives === 0) return 'no data'
  return positives === 0 ? `no sample of ${positive}: no curve` : `only samples of ${positive}: no curve`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
