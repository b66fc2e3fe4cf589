/** What a classifier of two classes said, as sorted pairs: the ground of ROC, precision and recall, and calibration. */
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import type { Chart, ChartSource } from './chart.js'
import { type Cells, type FrameLike, chartOf, inOrder, isFrameLike, numberOf } from './table.js'
import { isTensor } from './tensor.js'

type ClassName = string | number | bigint | boolean

/** What was true, and how sure the model was of the positive class, one a sample. */
export interface Scores {
  readonly actual: ArrayLike<ClassName>
  readonly score: ArrayLike<number>
}

export interface ScoreOptions {
  /** Columns of rows or a frame: `'label'` and `'probability'` by default. */
  readonly labelCol?: string
  /** A number a row, or a list with a probability a class, of which that at the place of `positive` is taken. */
  readonly scoreCol?: string
  /** The positive class; of two classes the later one by default (`1`, `true`). */
  readonly positive?: ClassName
  readonly title?: string
}

/** Samples by falling score; those with one score share an entry. */
export interface Ranked {
  readonly positive: string
  readonly positives: number
  readonly negatives: number
  /** Samples whose score was no finite number. */
  readonly missing: number
  readonly steps: readonly { readonly score: number; readonly positives: number; readonly negatives: number }[]
}

/** A chart of scores, given as rows, a frame or two lists. */
export function scoreChart(
  caller: string,
  scores: Scores | readonly object[] | FrameLike<object>,
  options: ScoreOptions,
  build: (ranked: Ranked) => ChartSource,
): Chart {
  const { labelCol = 'label', scoreCol = 'probability' } = options
  if (Array.isArray(scores) || isFrameLike(scores)) {
    const ranked = (cells: Cells): Ranked =>
      rank(caller, cells.column(labelCol), cells.column(scoreCol), options.positive)
    return chartOf(caller, scores, (cells) => build(ranked(cells)), [labelCol, scoreCol])
  }
  const { actual, score } = (scores ?? {}) as Partial<Scores>
  if (typeof actual?.length !== 'number' || actual.length !== score?.length) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected rows, a frame or { actual, score } of one length, got ${show(scores)}.`,
    )
  }
  return chartOf(caller, { actual, score }, (cells) =>
    build(rank(caller, cells.column('actual'), cells.column('score'), options.positive)),
  )
}

function rank(
  caller: string,
  labels: readonly unknown[],
  scores: readonly unknown[],
  wanted: ClassName | undefined,
): Ranked {
  const names = labels.map(String)
  const classes = [...new Set(names)].toSorted(inOrder)
  const positive = wanted === undefined ? positiveOf(caller, classes) : String(wanted)
  if (wanted !== undefined && classes.length > 0 && !classes.includes(positive)) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected positive to be one of the classes ${classes.slice(0, 20).join(', ')}, got ${show(wanted)}.`,
    )
  }
  const pairs = names
    .map((name, i) => ({ score: scoreOf(caller, scores[i], positive), hit: name === positive }))
    .filter((pair) => Number.isFinite(pair.score))
    .toSorted((a, b) => b.score - a.score)
  const steps: { score: number; positives: number; negatives: number }[] = []
  for (const { score, hit } of pairs) {
    if (steps.at(-1)?.score !== score) steps.push({ score, positives: 0, negatives: 0 })
    steps.at(-1)![hit ? 'positives' : 'negatives']++
  }
  const positives = pairs.filter((pair) => pair.hit).length
  return { positive, positives, negatives: pairs.length - positives, missing: names.length - pairs.length, steps }
}

function positiveOf(caller: string, classes: readonly string[]): string {
  if (classes.length > 2) {
    throw new ShardbookError('argument', `${caller}: expected two classes, got ${classes.length}.`, {
      hint: 'Name the one to tell from all others: positive.',
    })
  }
  // Of a lone class it is known only by its usual names whether it is the positive one.
  if (classes.length === 1 && ['0', 'false'].includes(classes[0]!)) return classes[0] === '0' ? '1' : 'true'
  return classes.at(-1) ?? '1'
}

function scoreOf(caller: string, value: unknown, positive: string): number {
  if (typeof value !== 'object' || value === null) return numberOf(value)
  const list = isTensor(value) ? value.values : (value as ArrayLike<number>)
  const place = positive === 'true' ? 1 : Number(positive)
  const score = Number.isInteger(place) ? list[place] : undefined
  if (typeof score === 'number') return score
  throw new ShardbookError(
    'argument',
    `${caller}: expected a score, or a list of them with one at the place of class ${positive}, got ${show(value)}.`,
    { hint: 'Classes that are no numbers need a column with the score of the positive one.' },
  )
}
