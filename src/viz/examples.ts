/** The examples that say most about a classifier: those that it is surely wrong about, and those it cannot decide. */
import { checkInteger, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import type { Chart, ChartSource } from './chart.js'
import { formatCount } from './format.js'
import { type Cell, columnsFor, grid } from './grid.js'
import { brightness } from './images.js'
import { type Cells, type Column, type Table, chartOf, heading, leftOut, numberOf } from './table.js'
import { channelOf, checkTensor, imagesOf, isTensor } from './tensor.js'
import { chartWidth } from './theme.js'

export interface ExamplesOptions<R extends object> {
  /** Columns, named as a classifier names them by default. */
  readonly image?: Column<R>
  readonly label?: Column<R>
  readonly prediction?: Column<R>
  /** How sure the model was of its prediction, or a list with a probability a class. */
  readonly probability?: Column<R>
  /** Images shown, 24 by default. */
  readonly count?: number
  readonly title?: string
}

/**
 * Images with a wrong prediction, the surest first: what is labelled wrongly, or misunderstood.
 *
 * @throws `column` for a column that is not there, `argument` for what is no image
 * @example
 * ```ts
 * const image = { shape: [2, 2], values: [0, 1, 1, 0] }
 * viz.mostWrong([{ image, label: 3, prediction: 8, probability: 0.97 }])
 * ```
 */
export function mostWrong<R extends object>(table: Table<R>, options: ExamplesOptions<R> = {}): Chart {
  return examples('viz.mostWrong', table, options, {
    title: 'Most wrong',
    none: 'no prediction is wrong',
    chosen: (example) => example.label !== example.prediction,
    order: (a, b) => b.sure - a.sure,
    what: 'wrong',
  })
}

/**
 * Images whose prediction the model is least sure of, right or wrong.
 *
 * @throws `column` for a column that is not there, `argument` for what is no image
 * @example
 * ```ts
 * const image = { shape: [2, 2], values: [0, 1, 1, 0] }
 * viz.leastSure([{ image, label: 3, prediction: 3, probability: [0.1, 0.2, 0.3, 0.4] }])
 * ```
 */
export function leastSure<R extends object>(table: Table<R>, options: ExamplesOptions<R> = {}): Chart {
  return examples('viz.leastSure', table, options, {
    title: 'Least sure',
    none: 'no data',
    chosen: () => true,
    order: (a, b) => a.sure - b.sure,
    what: 'predicted',
  })
}

interface Example {
  readonly row: number
  readonly label: string
  readonly prediction: string
  readonly sure: number
}

interface Choice {
  readonly title: string
  readonly none: string
  readonly what: string
  readonly chosen: (example: Example) => boolean
  readonly order: (a: Example, b: Example) => number
}

function examples<R extends object>(
  caller: string,
  table: Table<R>,
  options: ExamplesOptions<R>,
  choice: Choice,
): Chart {
  const { count = 24 } = options
  checkInteger(caller, 'count', count, 1, 100)
  const { label: labelCol = 'label', prediction: predictionCol = 'prediction' } = options
  const { probability: probabilityCol = 'probability', image: imageCol = 'image' } = options
  const build = (cells: Cells): ChartSource => {
    const [labels, predictions] = [cells.column(labelCol), cells.column(predictionCol)]
    const [sure, pictures] = [cells.column(probabilityCol), cells.column(imageCol)]
    const all = labels.map((own, row): Example => ({
      row,
      label: String(own),
      prediction: String(predictions[row]),
      sure: surest(caller, sure[row]),
    }))
    const known = all.filter((example) => Number.isFinite(example.sure))
    const chosen = known.filter(choice.chosen)
    const list = chosen
      .toSorted(choice.order)
      .slice(0, count)
      .map((example) => {
        const name = `the image of row ${example.row}`
        checkTensor(caller, name, pictures[example.row])
        return { example, image: imagesOf(caller, name, pictures[example.row])[0]! }
      })
    const range = brightness(list.map(({ image }) => image))
    const shown = list.map(({ example, image }): Cell => {
      const { label, prediction } = example
      const per = `${Math.round(100 * example.sure)} %`
      const wrong = label !== prediction
      return {
        image: image.channels === 2 ? channelOf(image, 0) : image,
        range,
        wrong,
        label: wrong ? `${prediction} (${label}) ${per}` : `${prediction} ${per}`,
        tooltip: `row ${example.row}, label ${label}, prediction ${prediction}, probability ${example.sure.toFixed(3)}`,
      }
    })
    const { title, text } = heading(options.title ?? choice.title, [
      chosen.length === 0
        ? choice.none
        : `${formatCount(shown.length)} of ${formatCount(chosen.length)} ${choice.what}: prediction (label) and how sure`,
      ...leftOut(all.length - known.length, 'rows without a probability'),
    ])
    const columns = columnsFor(Math.max(1, shown.length), 8)
    return { text, spec: { title, ...grid(shown, { columns, width: chartWidth - 20, cell: 80 }) } }
  }
  return chartOf(caller, table, build, [labelCol, predictionCol, probabilityCol, imageCol])
}

function surest(caller: string, value: unknown): number {
  if (typeof value !== 'object' || value === null) return numberOf(value)
  const list = isTensor(value) ? value.values : (value as ArrayLike<number>)
  if (typeof list.length === 'number') return Math.max(...Array.from(list))
  throw new ShardbookError('argument', `${caller}: expected a probability or a list of them, got ${show(value)}.`)
}
