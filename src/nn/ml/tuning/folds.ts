/**
 * Folds: a frame cut into parts, each held out once. The frame's engine does it, by a hash of the rows' ordinals and a seed or by
 * a column; rows are never collected.
 */
import { show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { col, findColumn, lit } from '../../../frame/index.js'
import type { AnyFrame, Frame } from '../../../frame/index.js'
import type { Scorer } from './scorer.js'

/** Rows to train on and rows held out. */
export interface Fold {
  readonly train: AnyFrame
  readonly validation: AnyFrame
}

export interface FoldOptions {
  readonly numFolds: number
  /** Column that says in which fold a row is held out: 0, ..., numFolds - 1. */
  readonly foldCol?: string | undefined
  readonly seed: number
  /** Column whose every value is spread evenly over the folds. */
  readonly stratify?: string | undefined
}

const ownFoldCol = '__fold'

/**
 * The folds of a frame.
 *
 * @throws ShardbookError `data` for a fold without rows and a fold column with other values than 0, ..., numFolds - 1.
 */
export async function foldsOf(caller: string, frame: AnyFrame, options: FoldOptions): Promise<readonly Fold[]> {
  const { numFolds, foldCol = ownFoldCol, seed, stratify } = options
  const given = frame as Frame
  if (options.foldCol === undefined) {
    const rows = await frame.count()
    if (rows < numFolds) {
      throw new ShardbookError('data', `${caller}: expected at least ${numFolds} rows, one a fold, got ${rows}.`)
    }
  } else {
    await checkFoldColumn(caller, given, foldCol, numFolds)
  }
  const marked = options.foldCol === undefined ? mark(given, numFolds, seed, stratify) : given.cache()
  const kept = (rows: Frame): AnyFrame => (options.foldCol === undefined ? rows.drop(ownFoldCol) : rows)
  return Array.from({ length: numFolds }, (_, fold) => ({
    train: kept(marked.filter(col(foldCol).ne(fold))),
    validation: kept(marked.filter(col(foldCol).eq(fold))),
  }))
}

/** A part of the rows to train on, the rest held out. */
export function splitOf(
  frame: AnyFrame,
  options: { trainRatio: number; seed: number; stratify?: string | undefined },
): Fold {
  const { trainRatio, seed, stratify } = options
  const [train, validation] = (frame as Frame)
    .cache()
    .randomSplit([trainRatio, 1 - trainRatio], stratify === undefined ? { seed } : { seed, stratify })
  return { train: train, validation: validation }
}

/** Folds where their number is given, else one part held out. */
export async function partsOf(
  caller: string,
  frame: AnyFrame,
  options: { numFolds: number | undefined; trainRatio: number; seed: number; stratify: string | undefined },
): Promise<readonly Fold[]> {
  const { numFolds } = options
  return numFolds === undefined ? [splitOf(frame, options)] : foldsOf(caller, frame, { ...options, numFolds })
}

/** Parts of equal size, each with its number, computed once. */
function mark(frame: Frame, numFolds: number, seed: number, stratify: string | undefined): Frame {
  const parts = frame
    .cache()
    .randomSplit(Array<number>(numFolds).fill(1), stratify === undefined ? { seed } : { seed, stratify })
    .map((part, fold) => part.withColumns({ [ownFoldCol]: lit(fold) }) as unknown as Frame)
  return parts[0]!.concat(...(parts.slice(1) as never[])).cache()
}

async function checkFoldColumn(caller: string, frame: Frame, foldCol: string, numFolds: number): Promise<void> {
  const { type } = findColumn(caller, frame.schema, foldCol)
  if (type.kind !== 'number') {
    throw new ShardbookError('column', `${caller}: expected the fold column '${foldCol}' to hold numbers.`)
  }
  const counts = (await frame
    .groupBy(foldCol)
    .agg({ [`rows of ${foldCol}`]: col.count() })
    .toRows()) as Readonly<Record<string, unknown>>[]
  const folds = counts.map((row) => row[foldCol])
  const wrong = folds.find((fold) => !(Number.isInteger(fold) && Number(fold) >= 0 && Number(fold) < numFolds))
  if (wrong !== undefined) {
    throw new ShardbookError(
      'data',
      `${caller}: expected the fold column '${foldCol}' to hold 0, ..., ${numFolds - 1}, got ${show(wrong)}.`,
      { hint: 'numFolds says how many there are.' },
    )
  }
  const missing = Array.from({ length: numFolds }, (_, fold) => fold).find((fold) => !folds.includes(fold))
  if (missing === undefined) return
  throw new ShardbookError(
    'data',
    `${caller}: expected rows in every fold of '${foldCol}', got none in fold ${missing}.`,
  )
}

/**
 * @throws ShardbookError `data` when a fold holds out one class only and what is measured tells two apart
 */
export async function checkFolds(caller: string, folds: readonly Fold[], evaluator: Scorer): Promise<void> {
  const { labelCol = 'label' } = evaluator.options
  if (!evaluator.kind.startsWith('BinaryClassification')) return
  for (const [fold, { validation }] of folds.entries()) {
    const labels = (await (validation as Frame).select(labelCol).distinct().toRows()) as Record<string, unknown>[]
    if (labels.length !== 1) continue
    throw new ShardbookError(
      'data',
      `${caller}: expected two classes in every part held out, got only '${labelCol}' ${show(labels[0]![labelCol])} in fold ${fold}.`,
      { hint: `Spread the classes evenly: stratify: '${labelCol}'.` },
    )
  }
}
