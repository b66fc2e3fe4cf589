/**
 * `Pipeline`: stages one after the other as one estimator. The columns of all stages are checked before any row is read, in
 * types where the frame's are known, and when it runs.
 */
import { displaySymbol, type Displayable, type MimeBundle } from '../../core/display.js'
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import type { AnyFrame, Schema } from '../../frame/index.js'
import { describeType } from '../../frame/schema-spec.js'
import type { LoadedStage } from './saved-stage.js'
import { saveStage } from './saved-stage.js'
import { drawPipeline } from './pipeline-diagram.js'
import type { AnyStage, CheckedStages, FlowAdds, FlowNeeds, ModelsOf } from './pipeline-types.js'
import type { Estimator, Stage, StageFitOptions, Transformer } from './stage.js'
import type { Gives, StageTypes, stageTypes, Takes } from './stage-types.js'

/**
 * Stages that are fitted in order, each on what the ones before make of the rows.
 *
 * Reference: pyspark.ml.Pipeline.
 *
 * @throws ShardbookError `argument` for something that is no stage.
 * @example
 * ```ts
 * const pipeline = new ml.Pipeline({
 *   stages: [
 *     new ml.Tokenizer({ inputCol: 'text', outputCol: 'words' }),
 *     new ml.HashingTF({ inputCol: 'words', outputCol: 'features' }),
 *     new ml.LogisticRegression({ maxIter: 10, regParam: 0.001 }),
 *   ],
 * })
 * const model = await pipeline.fit(train)
 * const predictions = model.transform(test)
 * ```
 */
export class Pipeline<const Stages extends readonly AnyStage[] = readonly AnyStage[]>
  implements Estimator<PipelineModel<ModelsOf<Stages>>>, StageTypes<FlowNeeds<Stages>, FlowAdds<Stages>>, Displayable
{
  declare readonly [stageTypes]: { readonly needs: FlowNeeds<Stages>; readonly adds: FlowAdds<Stages> }
  readonly kind = 'Pipeline'
  readonly options: { readonly stages: Stages }

  constructor(options: { readonly stages: Stages } & { readonly stages: CheckedStages<Stages> }) {
    const { stages } = options as { readonly stages: Stages }
    checkStages(this.kind, stages, (stage) => 'fit' in stage || 'transform' in stage)
    this.options = Object.freeze({ stages: Object.freeze([...stages]) as unknown as Stages })
  }

  static load({ stages }: Pick<LoadedStage, 'kind'> & { readonly stages: readonly Stage[] }): Pipeline {
    return new Pipeline({ stages: stages as unknown as readonly AnyStage[] })
  }

  /** @throws ShardbookError `column` when a stage lacks a column, or gets one of another type; the message names the stage. */
  transformSchema(schema: Schema): Schema {
    return schemas(this.kind, this.options.stages, schema).at(-1)!
  }

  /**
   * Checks the columns of all stages, then fits each estimator on what the stages before it make of the rows.
   *
   * @param options.on where stages that train run: a pool, or this process
   * @param options.validation rows on which stages that train tell loss and metrics
   * @throws ShardbookError `column` when a stage lacks a column, or gets one of another type; the message names the stage.
   */
  async fit<S>(
    frame: Takes<S, FlowNeeds<Stages>>,
    options: StageFitOptions = {},
  ): Promise<PipelineModel<ModelsOf<Stages>>> {
    const { stages } = this.options
    schemas('Pipeline.fit', stages, frame.schema)
    const last = stages.findLastIndex((stage) => 'fit' in stage)
    let rows: AnyFrame = frame
    let { validation } = options
    const fitted: Transformer[] = []
    for (const [i, stage] of stages.entries()) {
      const model = 'fit' in stage ? await stage.fit(rows, { ...options, ...(validation && { validation }) }) : stage
      fitted.push(model)
      if (i >= last) continue
      rows = model.transform(rows)
      validation = validation && model.transform(validation)
    }
    return new PipelineModel(fitted as unknown as ModelsOf<Stages>)
  }

  /** The same pipeline with other stages. */
  copy(changes: { readonly stages?: readonly AnyStage[] }): Pipeline<Stages> {
    const stages = changes.stages ?? this.options.stages
    return new Pipeline({ stages } as unknown as ConstructorParameters<typeof Pipeline<Stages>>[0])
  }

  /** Saves the pipeline in a folder, whole or not at all; `ml.load` reads it. */
  async save(path: string): Promise<void> {
    await saveStage(path, { kind: this.kind, params: {}, stages: this.options.stages })
  }

  [displaySymbol](): MimeBundle {
    return drawPipeline(this.kind, this.options.stages)
  }
}

/** A fitted pipeline: transforms by each of its stages in turn. */
export class PipelineModel<Stages extends readonly unknown[] = readonly Transformer[]>
  implements Transformer, StageTypes<FlowNeeds<Stages>, FlowAdds<Stages>>, Displayable
{
  declare readonly [stageTypes]: { readonly needs: FlowNeeds<Stages>; readonly adds: FlowAdds<Stages> }
  readonly kind = 'PipelineModel'
  readonly stages: Stages

  constructor(stages: Stages) {
    checkStages(this.kind, stages, (stage) => 'transform' in stage)
    this.stages = Object.freeze([...stages]) as unknown as Stages
  }

  static load({ stages }: { readonly stages: readonly Stage[] }): PipelineModel {
    return new PipelineModel(stages as readonly Transformer[])
  }

  get #stages(): readonly Transformer[] {
    return this.stages as readonly Transformer[]
  }

  /** @throws ShardbookError `column` when a stage lacks a column, or gets one of another type; the message names the stage. */
  transformSchema(schema: Schema): Schema {
    return schemas(this.kind, this.#stages, schema).at(-1)!
  }

  /**
   * The frame with the columns of all stages; lazy, as all verbs.
   *
   * @throws ShardbookError `column` when a stage lacks a column, or gets one of another type; the message names the stage.
   */
  transform<S>(frame: Takes<S, FlowNeeds<Stages>>): Gives<S, FlowAdds<Stages>> {
    schemas('PipelineModel.transform', this.#stages, frame.schema)
    const out = this.#stages.reduce<AnyFrame>((rows, stage) => stage.transform(rows), frame)
    return out as unknown as Gives<S, FlowAdds<Stages>>
  }

  /** Saves the pipeline in a folder, whole or not at all; `ml.load` reads it. */
  async save(path: string): Promise<void> {
    await saveStage(path, { kind: this.kind, params: {}, stages: this.#stages })
  }

  [displaySymbol](): MimeBundle {
    return drawPipeline(this.kind, this.#stages)
  }
}

/** The columns before the first stage and after each. */
function schemas(caller: string, stages: readonly Stage[], schema: Schema): Schema[] {
  const found = [schema]
  for (const [i, stage] of stages.entries()) {
    try {
      found.push(stage.transformSchema(found[i]!))
    } catch (cause) {
      if (!(cause instanceof ShardbookError)) throw cause
      const columns = found[i]!.map((column) => `${column.name} (${describeType(column)})`).join(', ')
      throw new ShardbookError(cause.code, `${caller}: stage ${i + 1} of ${stages.length}: ${cause.message}`, {
        hint: `${cause.hint === undefined ? '' : `${cause.hint} `}Before this stage there is: ${columns}.`,
        cause,
      })
    }
  }
  return found
}

function checkStages(caller: string, stages: readonly unknown[], accepts: (stage: object) => boolean): void {
  if (!Array.isArray(stages)) {
    throw new ShardbookError('argument', `${caller}: expected a list of stages, got ${show(stages)}.`)
  }
  for (const [i, stage] of (stages as readonly unknown[]).entries()) {
    const isStage = typeof stage === 'object' && stage !== null && 'transformSchema' in stage && accepts(stage)
    if (isStage) continue
    throw new ShardbookError('argument', `${caller}: expected stage ${i + 1} to be a stage, got ${show(stage)}.`)
  }
}
