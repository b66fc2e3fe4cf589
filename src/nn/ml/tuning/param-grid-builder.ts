/** `ParamGridBuilder` and `ParamSpace`: candidates for tuners, from lists of values or at random from ranges. */
import { checkInteger, checkNumber, show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { fold, keyOf, uniform } from '../../../core/random.js'
import { checkParam } from './params.js'
import type { ParamMap, ParamSetting, Tunable } from './params.js'

/** Names of a stage's options. */
export type ParamName<T extends Tunable> = keyof T['options'] & string
/** What an option takes. */
export type ParamValue<T extends Tunable, P extends ParamName<T>> = Exclude<T['options'][P], undefined>
/** Names of a stage's options that are numbers. */
export type NumberParam<T extends Tunable> = {
  [P in ParamName<T>]: number extends ParamValue<T, P> ? P : never
}[ParamName<T>]

/**
 * Every combination of values of some options: the candidates of `CrossValidator` and its like.
 *
 * @example
 * ```ts
 * const grid = new ml.ParamGridBuilder().addGrid(cnn, 'stepSize', [0.001, 0.004]).addGrid(cnn, 'maxIter', [2, 4]).build()
 * ```
 */
export class ParamGridBuilder {
  readonly #axes: readonly (readonly ParamSetting[])[]

  constructor(axes: readonly (readonly ParamSetting[])[] = []) {
    this.#axes = axes
  }

  /**
   * Adds values of an option of an estimator, or of a stage within a pipeline; the last one added varies fastest.
   *
   * @throws ShardbookError `argument` for no values, and for an option that the stage has not, or values of another type.
   */
  addGrid<T extends Tunable, P extends ParamName<T>>(
    stage: T,
    param: P,
    values: readonly ParamValue<T, P>[],
  ): ParamGridBuilder {
    const caller = 'ParamGridBuilder.addGrid'
    checkParam(caller, stage, param, Array.isArray(values) ? values : [])
    if (!Array.isArray(values) || values.length === 0) {
      throw new ShardbookError(
        'argument',
        `${caller}: expected values for '${param}' of ${stage.kind}, got ${show(values)}.`,
      )
    }
    return new ParamGridBuilder([...this.#axes, values.map((value) => ({ stage, param, value }))])
  }

  /** One value for an option in all candidates. */
  baseOn<T extends Tunable, P extends ParamName<T>>(stage: T, param: P, value: ParamValue<T, P>): ParamGridBuilder {
    return this.addGrid(stage, param, [value])
  }

  /** The candidates; without any values one, the estimator as it is. */
  build(): readonly ParamMap[] {
    return this.#axes.reduce<readonly ParamMap[]>(
      (maps, axis) => maps.flatMap((map) => axis.map((setting) => [...map, setting])),
      [[]],
    )
  }
}

type Draw = (share: number) => unknown

/**
 * Ranges of options that candidates are drawn from at random: for `RandomSearch` and `SuccessiveHalving`.
 *
 * @example
 * ```ts
 * const space = new ml.ParamSpace().addLogUniform(cnn, 'stepSize', 1e-4, 1e-1).addChoice(cnn, 'batchSize', [32, 64, 128])
 * const candidates = space.sample(20, { seed: 1 })
 * ```
 */
export class ParamSpace {
  readonly #axes: readonly { readonly stage: Tunable; readonly param: string; readonly draw: Draw }[]

  constructor(
    axes: readonly {
      readonly stage: Tunable
      readonly param: string
      readonly draw: (share: number) => unknown
    }[] = [],
  ) {
    this.#axes = axes
  }

  /** A number in [low, high), each as likely. */
  addUniform<T extends Tunable>(stage: T, param: NumberParam<T>, low: number, high: number): ParamSpace {
    checkRange('ParamSpace.addUniform', low, high, -Infinity)
    return this.#add('ParamSpace.addUniform', stage, param, (share) => low + share * (high - low))
  }

  /** A number in [low, high), each order of magnitude as likely. */
  addLogUniform<T extends Tunable>(stage: T, param: NumberParam<T>, low: number, high: number): ParamSpace {
    checkRange('ParamSpace.addLogUniform', low, high, Number.MIN_VALUE)
    return this.#add('ParamSpace.addLogUniform', stage, param, (share) => low * (high / low) ** share)
  }

  /** A whole number in [low, high], each as likely. */
  addInteger<T extends Tunable>(stage: T, param: NumberParam<T>, low: number, high: number): ParamSpace {
    checkInteger('ParamSpace.addInteger', 'low', low, Number.MIN_SAFE_INTEGER)
    checkInteger('ParamSpace.addInteger', 'high', high, low)
    return this.#add('ParamSpace.addInteger', stage, param, (share) => low + Math.floor(share * (high - low + 1)))
  }

  /** One of these values, each as likely. */
  addChoice<T extends Tunable, P extends ParamName<T>>(
    stage: T,
    param: P,
    values: readonly ParamValue<T, P>[],
  ): ParamSpace {
    if (!Array.isArray(values) || values.length === 0) {
      throw new ShardbookError(
        'argument',
        `ParamSpace.addChoice: expected values for '${param}' of ${stage.kind}, got ${show(values)}.`,
      )
    }
    return this.#add('ParamSpace.addChoice', stage, param, (share) => values[Math.floor(share * values.length)], values)
  }

  /**
   * Candidates: the same for a seed, and the first ones of a longer list.
   *
   * @throws ShardbookError `argument` when there is no range to draw from.
   */
  sample(count: number, { seed = 0 }: { readonly seed?: number } = {}): readonly ParamMap[] {
    checkInteger('ParamSpace.sample', 'count', count, 1)
    checkInteger('ParamSpace.sample', 'seed', seed, 0)
    if (this.#axes.length === 0) {
      throw new ShardbookError('argument', 'ParamSpace.sample: expected ranges to draw from, got an empty space.', {
        hint: 'Add some, for example with addLogUniform.',
      })
    }
    const key = keyOf(seed)
    return Array.from({ length: count }, (_, candidate) =>
      this.#axes.map(({ stage, param, draw }, axis) => ({
        stage,
        param,
        value: draw(uniform(fold(key, candidate), axis)),
      })),
    )
  }

  #add(caller: string, stage: Tunable, param: string, draw: Draw, values: readonly unknown[] = [draw(0)]): ParamSpace {
    checkParam(caller, stage, param, values)
    return new ParamSpace([...this.#axes, { stage, param, draw }])
  }
}

function checkRange(caller: string, low: number, high: number, least: number): void {
  checkNumber(caller, 'low', low, least)
  checkNumber(caller, 'high', high, low)
}
