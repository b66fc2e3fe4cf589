/** The confusion matrix: how often each class was taken for which. */
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import type { Chart, ChartSource } from './chart.js'
import { type JsonObject, round } from './json.js'
import { nameOfKey, rowsLookedAt, withPictures } from './confusion-pictures.js'
import { askGroups, askRows, chartOfQueries } from './query.js'
import { type FrameLike, inOrder, isFrameLike } from './table.js'
import { colours, faint, textOn } from './theme.js'

export interface ConfusionOptions {
  /** Columns of rows or a frame: `'label'` and `'prediction'` by default. */
  readonly labelCol?: string
  readonly predictionCol?: string
  /** Shows each row's shares, in per cent, in place of counts. */
  readonly normalize?: boolean
  /** Column of images: a click on a cell shows some of those in it; at first those of the most frequent error. */
  readonly images?: string
  readonly title?: string
}

type ClassName = string | number | bigint | boolean

/** What was true and what was said, one a sample. */
export interface Outcomes {
  readonly actual: ArrayLike<ClassName>
  readonly predicted: ArrayLike<ClassName>
  /** Classes in the order of the axes; by default all that occur, sorted. */
  readonly labels?: readonly ClassName[]
}

const mostClasses = 60

/**
 * A cell for each pair of true and predicted class, coloured by its share of the true class's samples.
 *
 * @param outcomes rows or a frame with columns `label` and `prediction`, or `{ actual, predicted }`
 * @throws `argument` when the lists differ in length, a class is not among the labels, or there are over 60 classes
 * @example
 * ```ts
 * viz.confusion({ actual: ['cat', 'cat', 'dog'], predicted: ['cat', 'dog', 'dog'] })
 * ```
 */
export function confusion(
  outcomes: Outcomes | readonly object[] | FrameLike<object>,
  options: ConfusionOptions = {},
): Chart {
  const caller = 'viz.confusion'
  if (Array.isArray(outcomes) || isFrameLike(outcomes)) {
    const { labelCol = 'label', predictionCol = 'prediction', images } = options
    return chartOfQueries(caller, outcomes, [labelCol, predictionCol, images], function* () {
      const { groups } = yield* askGroups(
        [labelCol, predictionCol].map((column) => ({ as: 'category', column })),
        [{ op: 'rows' }],
      )
      const pairs = groups.map(({ keys: [a, p], values: [n] }) => ({ a: nameOfKey(a!), p: nameOfKey(p!), n: n! }))
      const source = matrix(pairs, undefined, options)
      if (images === undefined) return source
      const { rows } = yield* askRows([labelCol, predictionCol, images], [], rowsLookedAt)
      return withPictures(caller, source, rows)
    })
  }
  const { actual, predicted, labels } = (outcomes ?? {}) as Partial<Outcomes>
  if (typeof actual?.length !== 'number' || typeof predicted?.length !== 'number') {
    throw new ShardbookError(
      'argument',
      `${caller}: expected rows, a frame or { actual, predicted }, got ${show(outcomes)}.`,
    )
  }
  if (actual.length !== predicted.length) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected as many predictions as actual classes (${actual.length}), got ${predicted.length}.`,
    )
  }
  return chartOfQueries(caller, { actual, predicted }, [], function* () {
    const { groups } = yield* askGroups(
      ['actual', 'predicted'].map((column) => ({ as: 'category', column })),
      [{ op: 'rows' }],
    )
    const pairs = groups.map(({ keys: [a, p], values: [n] }) => ({ a: nameOfKey(a!), p: nameOfKey(p!), n: n! }))
    return matrix(pairs, labels?.map(String), options)
  })
}

/** How often one class was taken for another. */
interface Pair {
  readonly a: string
  readonly p: string
  readonly n: number
}

function matrix(pairs: readonly Pair[], labels: readonly string[] | undefined, options: ConfusionOptions): ChartSource {
  const caller = 'viz.confusion'
  const occurring = [...new Set(pairs.flatMap(({ a, p }) => [a, p]))].toSorted(inOrder)
  const classes = labels ?? occurring
  const unknown = occurring.find((name) => !classes.includes(name))
  if (unknown !== undefined) {
    throw new ShardbookError('argument', `${caller}: expected classes among the labels, got ${show(unknown)}.`)
  }
  if (classes.length > mostClasses) {
    throw new ShardbookError('argument', `${caller}: expected at most ${mostClasses} classes, got ${classes.length}.`, {
      hint: 'Group rare classes, or filter for the ones of interest.',
    })
  }
  const key = (a: string, p: string): string => JSON.stringify([a, p])
  const counts = new Map(pairs.map(({ a, p, n }) => [key(a, p), n]))
  const total = pairs.reduce((sum, { n }) => sum + n, 0)
  const right = pairs.reduce((sum, { a, p, n }) => sum + (a === p ? n : 0), 0)
  const shares = classes.flatMap((a) => {
    const own = classes.reduce((sum, p) => sum + (counts.get(key(a, p)) ?? 0), 0)
    return classes.map((p) => {
      const n = counts.get(key(a, p)) ?? 0
      return { a, p, n, s: own === 0 ? 0 : n / own }
    })
  })
  // Errors are rare: their colours span what there is of them, from a tenth of a class up.
  const mostWrong = shares.reduce((most, { a, p, s }) => (a === p ? most : Math.max(most, s)), 0.1)
  const values = shares.map(({ a, p, n, s }): JsonObject => ({
    a,
    p,
    n,
    s: round(s, 4),
    t: cellText(n, s, options.normalize === true),
  }))
  const accuracy = total === 0 ? 'no samples' : `accuracy ${((100 * right) / total).toFixed(1)} %`
  const title = options.title ?? 'Confusion matrix'
  const summary = [
    accuracy,
    ...(total === 0 ? [] : [`${(total - right).toLocaleString('en')} wrong of ${total.toLocaleString('en')}`]),
    ...(options.normalize === true ? ['per cent of the actual class'] : []),
  ].join(' · ')
  const step = Math.max(14, Math.min(46, Math.floor(520 / Math.max(1, classes.length))))
  const axis = (name: string): JsonObject => ({
    type: 'nominal',
    title: name,
    sort: null,
    scale: { domain: [...classes] },
  })
  return {
    text: `${title}\n${summary}${worst(values)}`,
    spec: {
      title: { text: title, subtitle: summary },
      width: { step },
      height: { step },
      data: { values },
      encoding: {
        x: {
          field: 'p',
          ...axis('predicted'),
          axis: { labelAngle: longest(classes) * 6.5 > step ? -45 : 0, domain: false, ticks: false },
        },
        y: { field: 'a', ...axis('actual'), axis: { domain: false, ticks: false } },
        tooltip: [
          { field: 'a', type: 'nominal', title: 'actual' },
          { field: 'p', type: 'nominal', title: 'predicted' },
          { field: 'n', type: 'quantitative', title: 'samples' },
          { field: 's', type: 'quantitative', title: 'share of actual', format: '.1%' },
        ],
      },
      resolve: { scale: { color: 'independent' } },
      layer: [
        squares('datum.a === datum.p', 1, [faint, colours.first]),
        squares('datum.a !== datum.p', round(mostWrong, 4), [faint, colours.second]),
        ...(step < 20
          ? []
          : [
              {
                mark: { type: 'text', fontSize: step < 30 ? 9 : 11 },
                encoding: {
                  text: { field: 't', type: 'nominal' },
                  color: textOn("scale(datum.a === datum.p ? 'layer_0_color' : 'layer_1_color', datum.s)"),
                },
              },
            ]),
      ],
    },
  }
}

function squares(test: string, most: number, range: readonly string[]): JsonObject {
  return {
    transform: [{ filter: test }],
    mark: { type: 'rect', stroke: colours.ground, strokeWidth: 2, cornerRadius: 3 },
    encoding: {
      color: {
        field: 's',
        type: 'quantitative',
        legend: null,
        scale: { domain: [0, most], range, interpolate: 'rgb' },
      },
    },
  }
}

function cellText(n: number, share: number, normalize: boolean): string {
  if (n === 0) return ''
  return normalize ? (100 * share).toFixed(share > 0.995 || share >= 0.1 ? 0 : 1) : n.toLocaleString('en')
}

function worst(values: readonly JsonObject[]): string {
  const [most] = values
    .filter((cell) => cell['a'] !== cell['p'] && Number(cell['n']) > 0)
    .toSorted((a, b) => Number(b['n']) - Number(a['n']))
  return most === undefined
    ? ''
    : `\nmost often: ${String(most['a'])} taken for ${String(most['p'])} (${String(most['n'])})`
}

function longest(names: readonly string[]): number {
  return Math.max(0, ...names.map((name) => name.length))
}
