/** What autoencoders of every kind fit: a network of an encoder and a decoder, with the code between. */
import { sizeOf } from '../../core/dtype.js'
import type { TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import type { Trace } from '../../engine/index.js'
import { findColumn, frame as frameOf } from '../../frame/index.js'
import type { AnyFrame, Column, Frame, Schema, Tensor } from '../../frame/index.js'
import { describeType } from '../../frame/schema-spec.js'
import { showShape } from '../layers/layer.js'
import { applyModel } from '../model.js'
import type { Model } from '../model.js'
import { outputColumn, withColumns } from './columns.js'
import type { With } from './columns.js'
import type { Input } from './input.js'
import { samplesOf } from './latent.js'
import { between, mapFrame, NetworkModel, recordOver } from './network-model.js'
import type { SavedModel } from './saved-model.js'
import type { Col, StageTypes, stageTypes } from './stage-types.js'

export interface CoderParams<InputCol extends string = string, Output extends string = string> {
  readonly inputCol: InputCol
  readonly outputCol: Output
  readonly input: Extract<Input, { kind: 'tensor' }>
  /** Layers before this one bring samples to the numbers that the decoder gives back. */
  readonly samplesAt: number
  /** Layers before this one are the encoder. */
  readonly codeAt: number
}

export interface CoderPrograms {
  readonly encode: Trace
  readonly decode: Trace
  readonly reconstruct: Trace
}

/** What a fitted coder is made of. */
export type CoderParts<I extends string, O extends string> = readonly [
  network: Model,
  weights: readonly TensorData[],
  params: CoderParams<I, O>,
  programs: CoderPrograms,
]

/** A coder of that class; records its inference programs. */
export async function makeCoder<I extends string, O extends string, M>(
  Coder: new (...parts: CoderParts<I, O>) => M,
  { network, weights, params }: Pick<SavedModel, 'network' | 'weights'> & { readonly params: object },
): Promise<M> {
  const known = params as CoderParams<I, O>
  return new Coder(network, weights, known, await recordCoder(network, known))
}

async function recordCoder(network: Model, params: CoderParams): Promise<CoderPrograms> {
  const { inputCol, outputCol, codeAt } = params
  return {
    encode: await NetworkModel.record(network, params, between(network, outputCol, { to: codeAt })),
    decode: await recordOver(
      network,
      outputCol,
      codeShape(network, params),
      between(network, 'decoded', { from: codeAt }),
    ),
    reconstruct: await NetworkModel.record(network, { ...params, inputCol }, between(network, 'reconstruction')),
  }
}

function codeShape(network: Model, { codeAt }: CoderParams): readonly number[] {
  return network.layers[codeAt]!.input
}

export abstract class CoderModel<InputCol extends string = string, Output extends string = string>
  extends NetworkModel
  implements StageTypes<Col<InputCol, Tensor>, Col<Output, Tensor>>
{
  declare readonly [stageTypes]: { readonly needs: Col<InputCol, Tensor>; readonly adds: Col<Output, Tensor> }
  declare readonly inputCol: InputCol
  readonly outputCol: Output
  protected readonly coder: CoderParams<InputCol, Output>
  protected readonly programs: CoderPrograms

  protected constructor(kind: string, ...[network, weights, params, programs]: CoderParts<InputCol, Output>) {
    super(kind, network, weights, params.inputCol, params.input)
    this.outputCol = params.outputCol
    this.coder = params
    this.programs = programs
  }

  /**
   * Adds the code of every row; a frame that has the codes already gets what they decode to, as by `decode`.
   *
   * @throws ShardbookError `column` when the frame has neither codes nor samples.
   */
  transform<S>(
    frame: Frame<S>,
  ): Frame<
    Output extends keyof S
      ? string extends keyof S
        ? With<S, { readonly [K in Output]: Tensor }>
        : With<S, { readonly decoded: Tensor }>
      : With<S, { readonly [K in Output]: Tensor }>
  >
  transform(frame: AnyFrame): Frame
  transform(frame: AnyFrame): unknown {
    if (this.#isEncoded(frame.schema)) return this.#decode('transform', frame)
    return this.map('transform', frame, this.programs.encode)
  }

  override transformSchema(schema: Schema): Schema {
    if (!this.#isEncoded(schema)) return super.transformSchema(schema)
    this.#checkCodes(this.kind, schema)
    return withColumns(schema, [outputColumn('decoded', this.network.outputShape)])
  }

  /**
   * Adds the code of every row.
   *
   * @throws ShardbookError `column` when the frame lacks the samples.
   */
  encode<S>(frame: Frame<S>): Frame<With<S, { readonly [K in Output]: Tensor }>> {
    return this.map('encode', frame, this.programs.encode)
  }

  /**
   * Adds what the codes of a frame decode to, as the column `decoded`; bytes come back as numbers in [0, 1].
   *
   * @throws ShardbookError `column` when the frame lacks the codes.
   */
  decode<S>(frame: Frame<S>): Frame<With<S, { readonly decoded: Tensor }>> {
    return this.#decode('decode', frame)
  }

  /** Adds the column `reconstruction`: every row encoded and decoded; bytes come back as numbers in [0, 1]. */
  reconstruct<S>(frame: Frame<S>): Frame<With<S, { readonly reconstruction: Tensor }>> {
    return this.map('reconstruct', frame, this.programs.reconstruct)
  }

  /**
   * What goes in and what comes out for every row of a frame, on one scale: `viz.reconstructions` shows it.
   *
   * @example
   * ```ts
   * viz.reconstructions(await model.reconstructions(test.limit(10)))
   * ```
   */
  async reconstructions(frame: AnyFrame): Promise<{ readonly input: TensorData; readonly output: TensorData }> {
    const { network, coder } = this
    const { samplesAt } = coder
    const [input, output] = await this.collect(`${this.kind}.reconstructions`, frame, (context, weights, x) => {
      const samples = applyModel(network, context, weights, x, { to: samplesAt })
      return { input: samples, output: applyModel(network, context, weights, samples, { from: samplesAt }) }
    })
    return { input: input!, output: output! }
  }

  /** The shape of a code. */
  get codeShape(): readonly number[] {
    return codeShape(this.network, this.coder)
  }

  /** What codes decode to, as samples of the kind that was learnt from, with the codes beside them. */
  protected async fromCodes(codes: Float32Array): Promise<Frame> {
    const { inputCol, input } = this.coder
    const shape = this.codeShape
    const rows = codes.length / sizeOf(shape)
    const encoded = frameOf({ [this.outputCol]: { shape: [rows, ...shape], dtype: 'float32' as const, values: codes } })
    const decoded = mapFrame<{ decoded: Tensor }>(encoded, this.programs.decode, this.weights).select('decoded')
    const { values } = (await decoded.toColumns()).decoded
    return frameOf({
      [inputCol]: samplesOf(values as Float32Array, [rows, ...input.shape], input.isBytes),
      [this.outputCol]: { shape: [rows, ...shape], dtype: 'float32' as const, values: codes },
    }) as unknown as Frame
  }

  protected addedColumns(): readonly Column[] {
    return [outputColumn(this.outputCol, this.codeShape)]
  }

  protected params(): Readonly<Record<string, unknown>> {
    return { ...this.coder }
  }

  #isEncoded(schema: Schema): boolean {
    return schema.some(({ name }) => name === this.outputCol)
  }

  #decode<Out>(method: string, frame: AnyFrame): Frame<Out> {
    this.#checkCodes(`${this.kind}.${method}`, frame.schema)
    return mapFrame(frame, this.programs.decode, this.weights, { finite: [this.outputCol] })
  }

  #checkCodes(caller: string, schema: Schema): void {
    const column = findColumn(caller, schema, this.outputCol)
    const shape = showShape(this.codeShape)
    if (column.type.kind === 'tensor' && showShape(column.type.shape) === shape) return
    throw new ShardbookError(
      'column',
      `${caller}: expected '${this.outputCol}' to hold codes of shape ${shape}, got ${describeType(column)}.`,
    )
  }
}
