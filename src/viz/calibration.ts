/** Whether probabilities mean what they say: of samples with 70 %, seven in ten should be positive. */
import { checkInteger, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import type { Chart } from './chart.js'
import { formatCount } from './format.js'
import { type JsonObject, round } from './json.js'
import { type ScoreOptions, type Scores, scoreChart } from './scores.js'
import { type FrameLike, heading, leftOut } from './table.js'
import { colours } from './theme.js'

/**
 * The reliability diagram: how many samples are positive over what was predicted, with the samples of each bin below.
 *
 * ECE is the expected calibration error, the mean distance from the diagonal weighted by samples; Brier the mean squared
 * error of the probabilities.
 *
 * @param scores rows or a frame with columns `label` and `probability`, or `{ actual, score }`, scores in [0, 1]
 * @param options.bins equally wide bins, in [2, 100]; 10 by default
 * @throws `argument` for a score that is no probability
 * @example
 * ```ts
 * viz.calibration({ actual: [0, 1, 1, 1], score: [0.2, 0.4, 0.7, 0.9] }, { bins: 5 })
 * ```
 */
export function calibration(
  scores: Scores | readonly object[] | FrameLike<object>,
  options: ScoreOptions & { readonly bins?: number } = {},
): Chart {
  const { bins = 10 } = options
  checkInteger('viz.calibration', 'bins', bins, 2, 100)
  return scoreChart('viz.calibration', scores, options, (ranked) => {
    const odd = ranked.steps.find(({ score }) => score < 0 || score > 1)
    if (odd !== undefined) {
      throw new ShardbookError(
        'argument',
        `viz.calibration: expected probabilities in [0, 1], got ${show(odd.score)}.`,
        { hint: 'Logits become probabilities by a sigmoid or softmax.' },
      )
    }
    const all = Array.from({ length: bins }, () => ({ sum: 0, positives: 0, rows: 0 }))
    let squares = 0
    for (const { score, positives, negatives } of ranked.steps) {
      const bin = all[Math.min(bins - 1, Math.floor(score * bins))]!
      bin.sum += score * (positives + negatives)
      bin.positives += positives
      bin.rows += positives + negatives
      squares += positives * (1 - score) ** 2 + negatives * score ** 2
    }
    const total = ranked.positives + ranked.negatives
    const values = all.flatMap(({ sum, positives, rows }, i): JsonObject[] =>
      rows === 0
        ? []
        : [
            {
              x: round(sum / rows, 4),
              y: round(positives / rows, 4),
              n: rows,
              from: round(i / bins, 4),
              to: round((i + 1) / bins, 4),
            },
          ],
    )
    const error = all.reduce((sum, bin) => sum + Math.abs(bin.sum - bin.positives), 0) / Math.max(1, total)
    const { title, text } = heading(options.title ?? 'Calibration', [
      ...(total === 0
        ? ['no data']
        : [
            `ECE ${error.toFixed(3)}`,
            `Brier ${(squares / total).toFixed(3)}`,
            `${formatCount(total)} samples, ${((100 * ranked.positives) / total).toFixed(1)} % of them ${ranked.positive}`,
          ]),
      ...leftOut(ranked.missing, 'samples without a score'),
    ])
    const share = (field: string, name: string): JsonObject => ({
      field,
      type: 'quantitative',
      title: name,
      scale: { domain: [0, 1] },
      axis: { format: '.0%', tickCount: 5, grid: true },
    })
    const tooltip = [
      { field: 'from', type: 'quantitative', title: 'from', format: '.0%' },
      { field: 'to', type: 'quantitative', title: 'to', format: '.0%' },
      { field: 'x', type: 'quantitative', title: 'mean predicted', format: '.1%' },
      { field: 'y', type: 'quantitative', title: 'positive', format: '.1%' },
      { field: 'n', type: 'quantitative', title: 'samples', format: ',' },
    ]
    const channels = {
      x: share('x', 'predicted probability (%)'),
      y: share('y', `samples that are ${ranked.positive} (%)`),
    }
    return {
      text,
      spec: {
        title,
        vconcat: [
          {
            width: 420,
            height: 300,
            layer: [
              {
                data: {
                  values: [
                    { x: 0, y: 0 },
                    { x: 1, y: 1 },
                  ],
                },
                mark: { type: 'line', strokeDash: [4, 4], strokeWidth: 1.5, color: colours.quiet },
                encoding: channels,
              },
              {
                data: { values },
                mark: { type: 'line', color: colours.first, point: { filled: true, size: 50 } },
                encoding: { ...channels, tooltip },
              },
            ],
          },
          {
            width: 420,
            height: 70,
            data: { values },
            mark: { type: 'rect', color: colours.first, stroke: colours.ground, strokeWidth: 1 },
            encoding: {
              x: {
                field: 'from',
                type: 'quantitative',
                title: 'predicted probability (%)',
                scale: { domain: [0, 1] },
                axis: { format: '.0%', tickCount: 5 },
              },
              x2: { field: 'to' },
              y2: { datum: 0 },
              y: {
                field: 'n',
                type: 'quantitative',
                title: 'samples',
                axis: { tickCount: 2, tickMinStep: 1 },
                ...(total === 0 ? { scale: { domain: [0, 1] } } : {}),
              },
              tooltip,
            },
          },
        ],
      },
    }
  })
}
