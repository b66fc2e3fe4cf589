/** A real estimator that fits in no time: the class by the nearer mean of one column, moved by an option. */
import { ShardbookError } from '../../../../src/core/errors.js'
import { col, frame, when } from '../../../../src/frame/index.js'
import type { AnyFrame, Frame, Schema } from '../../../../src/frame/index.js'
import { findColumn } from '../../../../src/frame/index.js'
import type { Estimator, Transformer } from '../../../../src/nn/ml/index.js'
import { saveStage } from '../../../../src/nn/ml/saved-stage.js'
import { keyOf, uniform } from '../../../../src/core/random.js'

export interface ThresholdOptions {
  readonly inputCol: string
  /** Added to the middle between the means. */
  readonly shift?: number
  /** Of a little noise on top. */
  readonly seed?: number
  readonly noise?: number
}

export class Threshold implements Estimator<ThresholdModel> {
  readonly kind = 'Threshold'
  static fits = 0
  readonly options: ThresholdOptions

  constructor(options: ThresholdOptions) {
    this.options = options
  }

  transformSchema(schema: Schema): Schema {
    findColumn(`Threshold.fit`, schema, this.options.inputCol)
    return [...schema, { name: 'prediction', type: { kind: 'number', storage: 'int32' }, nullable: false }]
  }

  async fit(rows: AnyFrame): Promise<ThresholdModel> {
    Threshold.fits++
    const { inputCol, shift = 0, seed = 0, noise = 0 } = this.options
    const means = (await (rows as Frame)
      .groupBy('label')
      .agg({ mean: col(inputCol).mean() })
      .toRows()) as { mean: number }[]
    if (means.length < 2) throw new ShardbookError('data', 'Threshold.fit: expected two classes, got one.')
    const middle = (means[0]!.mean + means[1]!.mean) / 2
    return new ThresholdModel(inputCol, middle + shift + noise * (uniform(keyOf(seed), 0) - 0.5))
  }

  copy(changes: Partial<ThresholdOptions>): Threshold {
    return new Threshold({ ...this.options, ...changes })
  }

  async save(path: string): Promise<void> {
    await saveStage(path, { kind: this.kind, params: { ...this.options } })
  }
}

export class ThresholdModel implements Transformer {
  readonly kind = 'ThresholdModel'
  readonly inputCol: string
  readonly threshold: number

  constructor(inputCol: string, threshold: number) {
    this.inputCol = inputCol
    this.threshold = threshold
  }

  transformSchema(schema: Schema): Schema {
    return new Threshold({ inputCol: this.inputCol }).transformSchema(schema)
  }

  transform(rows: AnyFrame): Frame<{ label: number; prediction: number }> {
    return (rows as Frame).withColumns({
      prediction: when(col(this.inputCol).gt(this.threshold)).then(1).otherwise(0),
    }) as never
  }

  async save(path: string): Promise<void> {
    await saveStage(path, { kind: this.kind, params: { inputCol: this.inputCol, threshold: this.threshold } })
  }
}

/** Two classes whose `x` overlap a little. */
export function twoClasses(rows: number, seed = 1): Frame<{ x: number; label: number; fold: number }> {
  const label = Int32Array.from({ length: rows }, (_, i) => i % 2)
  const x = Float64Array.from(label, (own, i) => own + 1.4 * (uniform(keyOf(seed), i) - 0.5))
  return frame({ x, label, fold: Int32Array.from(label, (_, i) => Math.floor(i / 2) % 3) })
}
