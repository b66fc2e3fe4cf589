/** What `AutoEncoders` fits. */
import type { TensorData } from '../../core/dtype.js'
import type { Trace } from '../../engine/index.js'
import type { AnyFrame, Frame, Tensor } from '../../frame/index.js'
import { applyModel } from '../model.js'
import type { Model } from '../model.js'
import type { With } from './columns.js'
import { between, checkSamples, mapFrame, NetworkModel, recordOver } from './network-model.js'
import type { SavedModel } from './saved-model.js'

export interface AutoEncodersParams<Input extends string = string, Output extends string = string> {
  readonly inputCol: Input
  readonly outputCol: Output
  /** Layers before this one are the encoder. */
  readonly codeAt: number
  /** Layers before this one bring samples to the numbers that the decoder gives back. */
  readonly samplesAt: number
}

const kind = 'AutoEncodersModel'

/**
 * A fitted autoencoder: immutable.
 *
 * @example
 * ```ts
 * const encoded = model.transform(rows) // adds the codes
 * const decoded = model.transform(encoded) // adds what the codes decode to
 * ```
 */
export class AutoEncodersModel<Input extends string = string, Output extends string = string> extends NetworkModel {
  declare readonly inputCol: Input
  readonly outputCol: Output
  protected readonly kind = kind
  readonly #params: AutoEncodersParams<Input, Output>
  readonly #encode: Trace
  readonly #decode: Trace
  readonly #reconstruct: Trace

  private constructor(
    network: Model,
    weights: readonly TensorData[],
    params: AutoEncodersParams<Input, Output>,
    programs: { readonly encode: Trace; readonly decode: Trace; readonly reconstruct: Trace },
  ) {
    super(network, weights, params.inputCol)
    this.outputCol = params.outputCol
    this.#params = params
    this.#encode = programs.encode
    this.#decode = programs.decode
    this.#reconstruct = programs.reconstruct
  }

  /** The model of weights; records its inference programs. */
  static async make<Input extends string, Output extends string>(
    network: Model,
    weights: readonly TensorData[],
    params: AutoEncodersParams<Input, Output>,
  ): Promise<AutoEncodersModel<Input, Output>> {
    const { inputCol, outputCol, codeAt } = params
    const code = network.layers[codeAt]!.input
    const programs = {
      encode: await recordOver(network, inputCol, network.inputShape, between(network, outputCol, { to: codeAt })),
      decode: await recordOver(network, outputCol, code, between(network, 'decoded', { from: codeAt })),
      reconstruct: await recordOver(network, inputCol, network.inputShape, between(network, 'reconstruction')),
    }
    return new AutoEncodersModel(network, weights, params, programs)
  }

  static async load({ network, weights, params }: SavedModel): Promise<AutoEncodersModel> {
    return AutoEncodersModel.make(network, weights, params as unknown as AutoEncodersParams)
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
  > {
    const isEncoded = frame.schema.some(({ name }) => name === this.outputCol)
    if (!isEncoded) checkSamples(`${kind}.transform`, frame, this.inputCol, this.network.inputShape)
    return isEncoded ? this.#decodeFrame(`${kind}.transform`, frame) : mapFrame(frame, this.#encode, this.weights)
  }

  /**
   * Adds what the codes of a frame decode to, as the column `decoded`; bytes come back as numbers in [0, 1].
   *
   * @throws ShardbookError `column` when the frame lacks the codes.
   */
  decode<S>(frame: Frame<S>): Frame<With<S, { readonly decoded: Tensor }>> {
    return this.#decodeFrame(`${kind}.decode`, frame)
  }

  /** Adds the column `reconstruction`: every row encoded and decoded; bytes come back as numbers in [0, 1]. */
  reconstruct<S>(frame: Frame<S>): Frame<With<S, { readonly reconstruction: Tensor }>> {
    checkSamples(`${kind}.reconstruct`, frame, this.inputCol, this.network.inputShape)
    return mapFrame(frame, this.#reconstruct, this.weights)
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
    const { samplesAt } = this.#params
    checkSamples(`${kind}.reconstructions`, frame, this.inputCol, this.network.inputShape)
    const [input, output] = await this.collect(frame, (context, weights, x) => {
      const samples = applyModel(this.network, context, weights, x, { to: samplesAt })
      return { input: samples, output: applyModel(this.network, context, weights, samples, { from: samplesAt }) }
    })
    return { input: input!, output: output! }
  }

  protected params(): Readonly<Record<string, unknown>> {
    return { ...this.#params }
  }

  #decodeFrame<Out>(caller: string, frame: AnyFrame): Frame<Out> {
    checkSamples(caller, frame, this.outputCol, this.network.layers[this.#params.codeAt]!.input)
    return mapFrame(frame, this.#decode, this.weights)
  }
}
