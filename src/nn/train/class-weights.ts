/** Weights of classes: given one by one, or such that all classes weigh the same. */
import { checkInteger, checkNumber, show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'

/** A weight for each class that is named, 1 for the others; or `'balanced'`: `rows / (classes * rows of the class)`. */
export type ClassWeights = Readonly<Record<number, number>> | 'balanced'

/** @throws ShardbookError `argument` unless classes are whole numbers and weights are from 0 on */
export function checkClassWeights(caller: string, classWeights: ClassWeights | undefined): void {
  if (classWeights === undefined || classWeights === 'balanced') return
  if (typeof classWeights !== 'object') {
    throw new ShardbookError(
      'argument',
      `${caller}: expected classWeights to be 'balanced' or to give classes their weights, got ${show(classWeights)}.`,
    )
  }
  for (const [name, weight] of Object.entries(classWeights)) {
    checkInteger(caller, 'a class in classWeights', Number(name), 0)
    checkNumber(caller, `classWeights[${name}]`, weight, 0)
  }
}

/**
 * The weight of each class; one without rows has weight 1.
 *
 * Reference: scikit-learn's `class_weight`.
 *
 * @param sizes rows of each class
 */
export function weightsOfClasses(classWeights: ClassWeights, sizes: readonly number[]): readonly number[] {
  if (classWeights !== 'balanced') return sizes.map((_, label) => classWeights[label] ?? 1)
  const rows = sizes.reduce((sum, size) => sum + size, 0)
  const classes = sizes.filter((size) => size > 0).length
  return sizes.map((size) => (size === 0 ? 1 : rows / (classes * size)))
}
