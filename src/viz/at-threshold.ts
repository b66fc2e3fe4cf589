/** What a classifier of two classes does at one threshold: the four kinds of outcome, and the rates that follow. */
import { checkNumber } from '../core/check.js'
import type { Chart } from './chart.js'
import { formatCount } from './format.js'
import { type JsonObject, round } from './json.js'
import { type ScoreOptions, type Scores, scoreChart } from './scores.js'
import { type FrameLike, heading, leftOut } from './table.js'
import { colours, faint, textOn } from './theme.js'

/**
 * How many samples are found, missed and falsely called at a threshold, with accuracy, precision, recall and F1.
 *
 * @param options.threshold samples with at least this score are called positive
 * @throws `argument` when the lists differ in length, or of more than two classes no positive one is named
 * @example
 * ```ts
 * viz.atThreshold({ actual: [0, 0, 1, 1], score: [0.1, 0.6, 0.4, 0.8] }, { threshold: 0.5 })
 * ```
 */
export function atThreshold(
  scores: Scores | readonly object[] | FrameLike<object>,
  options: ScoreOptions & { readonly threshold: number },
): Chart {
  const { threshold } = options
  checkNumber('viz.atThreshold', 'threshold', threshold)
  return scoreChart('viz.atThreshold', scores, options, (ranked) => {
    const { positive, positives, negatives } = ranked
    let [hits, alarms] = [0, 0]
    for (const step of ranked.steps) {
      if (step.score < threshold) break
      hits += step.positives
      alarms += step.negatives
    }
    const [misses, rejections] = [positives - hits, negatives - alarms]
    const total = positives + negatives
    const rate = (part: number, of: number): string => (of === 0 ? '–' : `${((100 * part) / of).toFixed(1)} %`)
    const { title, text } = heading(options.title ?? `At threshold ${round(threshold, 3)}`, [
      ...(total === 0
        ? ['no data']
        : [
            `accuracy ${rate(hits + rejections, total)}`,
            `precision ${rate(hits, hits + alarms)}`,
            `recall ${rate(hits, positives)}`,
            `F1 ${rate(2 * hits, 2 * hits + alarms + misses)}`,
          ]),
      ...leftOut(ranked.missing, 'samples without a score'),
    ])
    const [yes, no] = [positive, `not ${positive}`]
    const cells = [
      { a: yes, p: yes, n: hits, what: 'found', good: true },
      { a: yes, p: no, n: misses, what: 'missed', good: false },
      { a: no, p: yes, n: alarms, what: 'false alarms', good: false },
      { a: no, p: no, n: rejections, what: 'rightly left', good: true },
    ].map(({ n, what, ...cell }): JsonObject => ({
      ...cell,
      n,
      what,
      s: total === 0 ? 0 : round(n / total, 4),
      label: `${formatCount(n)} ${what}`,
    }))
    const axis = (field: string, name: string): JsonObject => ({
      field,
      type: 'nominal',
      title: name,
      scale: { domain: [yes, no] },
      axis: { labelAngle: 0, domain: false, ticks: false },
    })
    const square = (good: boolean, colour: string): JsonObject => ({
      transform: [{ filter: `datum.good === ${good}` }],
      mark: { type: 'rect', stroke: colours.ground, strokeWidth: 2, cornerRadius: 3 },
      encoding: {
        color: {
          field: 's',
          type: 'quantitative',
          legend: null,
          scale: { domain: [0, 1], range: [faint, colour], interpolate: 'rgb' },
        },
      },
    })
    return {
      text,
      spec: {
        title,
        width: 320,
        height: 140,
        data: { values: cells },
        encoding: {
          x: axis('p', 'called'),
          y: axis('a', 'actual'),
          tooltip: [
            { field: 'what', type: 'nominal', title: 'outcome' },
            { field: 'n', type: 'quantitative', title: 'samples', format: ',' },
            { field: 's', type: 'quantitative', title: 'share of all', format: '.1%' },
          ],
        },
        resolve: { scale: { color: 'independent' } },
        layer: [
          square(true, colours.first),
          square(false, colours.second),
          {
            mark: { type: 'text', fontSize: 12 },
            encoding: {
              text: { field: 'label', type: 'nominal' },
              color: textOn("scale(datum.good ? 'layer_0_color' : 'layer_1_color', datum.s)"),
            },
          },
        ],
      },
    }
  })
}
