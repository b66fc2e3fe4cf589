/** What `GAN` fits: a generator that makes samples, and the critic that it learnt from. */
import type { Rank, Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import { checkInteger } from '../../core/check.js'
import { displaySymbol } from '../../core/display.js'
import type { Displayable, MimeBundle } from '../../core/display.js'
import type { TensorData } from '../../core/dtype.js'
import type { Trace } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import { frame as frameOf } from '../../frame/index.js'
import type { AnyFrame, Frame, Schema, Tensor as Cell } from '../../frame/index.js'
import type { Shape } from '../layers/layer.js'
import { applyModel } from '../model.js'
import { modelData, modelOf } from '../model-data.js'
import type { Model } from '../model.js'
import type { ModelData } from '../model-data.js'
import { checkNumberColumn, outputColumn, withColumns } from './columns.js'
import { checkInput, fieldsOf } from './input.js'
import type { Input } from './input.js'
import { normals, samplesOf } from './latent.js'
import { mapFrame, recordColumns, recordOver } from './network-model.js'
import { savedWeights } from './saved-model.js'
import { saveStage } from './saved-stage.js'
import type { LoadedStage } from './saved-stage.js'
import type { Transformer } from './stage.js'
import type { Col, Gives, StageTypes, stageTypes, Takes } from './stage-types.js'

const kind = 'GANModel'

export interface GANParams<
  InputCol extends string = string,
  Label extends string = string,
  Output extends string = string,
> {
  readonly inputCol: InputCol
  readonly input: Extract<Input, { kind: 'tensor' }>
  /** Column of the critic's judgement. */
  readonly outputCol: Output
  /** Column of classes, where they are given; else `null`. */
  readonly labelCol: Label | null
  readonly classes: number
  readonly latentSize: number
}

/** Both networks with their weights. */
export interface Adversaries {
  readonly generator: Model
  readonly critic: Model
}

/** Samples as both networks see them: bytes as [-1, 1], images with their channels. `x: [rows, ...]`. */
export function asSeen(tf: Tf, x: Tensor, { shape, isBytes }: GANParams['input']): Tensor {
  const seen = tf.reshape(x, [x.shape[0], ...seenShape(shape)])
  return isBytes ? tf.sub(tf.mul(seen, 2 / 255), 1) : seen
}

export function seenShape(shape: Shape): Shape {
  return shape.length === 2 ? [...shape, 1] : shape
}

/** The samples with their class beside each place: `x: [rows, ..., c] -> [rows, ..., c + classes]`. */
export function withClass(tf: Tf, x: Tensor, label: Tensor | undefined, classes: number): Tensor {
  if (label === undefined) return x
  const places = x.shape.slice(1, -1)
  const { fill } = tf
  const oneHot = tf.cast(tf.oneHot(tf.cast(label as Tensor1D, 'int32'), classes), 'float32')
  const planes = tf.mul(tf.reshape(oneHot, [x.shape[0], ...places.map(() => 1), classes]), fill([1, ...places, 1], 1))
  return tf.concat([x, planes], -1)
}

/** The critic's judgement: `[rows]`. */
export function judge(
  critic: Model,
  context: Parameters<typeof applyModel>[1],
  weights: readonly Tensor[],
  x: Tensor,
): Tensor1D {
  return context.tf.reshape<Rank.R1>(applyModel(critic, context, weights, x), [x.shape[0]])
}

/**
 * A fitted generative adversarial network: immutable.
 *
 * @example
 * ```ts
 * viz.images(await model.sample(40, { seed: 1 }))
 * ```
 */
export class GANModel<InputCol extends string = string, Label extends string = never, Output extends string = 'score'>
  implements Transformer, Displayable, StageTypes<Col<InputCol, Cell> & Col<Label, number>, Col<Output, number>>
{
  declare readonly [stageTypes]: {
    readonly needs: Col<InputCol, Cell> & Col<Label, number>
    readonly adds: Col<Output, number>
  }
  readonly kind = kind
  readonly inputCol: InputCol
  readonly generator: Model
  readonly critic: Model
  /** The generator's, then the critic's. */
  readonly weights: readonly TensorData[]
  readonly #params: GANParams<InputCol, Label, Output>
  readonly #programs: { readonly generate: Trace; readonly judge: Trace }

  private constructor(
    { generator, critic }: Adversaries,
    weights: readonly TensorData[],
    params: GANParams<InputCol, Label, Output>,
    programs: { readonly generate: Trace; readonly judge: Trace },
  ) {
    this.inputCol = params.inputCol
    this.generator = generator
    this.critic = critic
    this.weights = weights
    this.#params = params
    this.#programs = programs
  }

  /** The model of weights; records its programs. */
  static async make<I extends string, L extends string, O extends string>(
    networks: Adversaries,
    weights: readonly TensorData[],
    params: GANParams<I, L, O>,
  ): Promise<GANModel<I, L, O>> {
    const { generator, critic } = networks
    const { input, inputCol, labelCol, classes, outputCol } = params
    const columns = [
      { name: inputCol, dtype: 'float32', shape: input.shape } as const,
      ...(labelCol === null ? [] : [{ name: labelCol as string, dtype: 'int32', shape: [] } as const]),
    ]
    const programs = {
      generate: await recordOver(generator, 'latent', generator.inputShape, (context, current, x) => {
        const { tf } = context
        const made = applyModel(generator, context, current, x)
        return { made: input.isBytes ? tf.mul(tf.add(made, 1), 0.5) : made }
      }),
      judge: await recordColumns(critic.weights, columns, (context, current, [x, label]) => ({
        [outputCol]: judge(
          critic,
          context,
          current,
          withClass(context.tf, asSeen(context.tf, x!, input), label, classes),
        ),
      })),
    }
    return new GANModel(networks, weights, params, programs)
  }

  static async load(saved: LoadedStage): Promise<GANModel<string, string, string>> {
    const { generator, critic, ...params } = saved.params as unknown as GANParams & {
      readonly generator: ModelData
      readonly critic: ModelData
    }
    const networks = { generator: modelOf(generator), critic: modelOf(critic) }
    return GANModel.make<string, string, string>(networks, savedWeights(saved, namesOf(networks)), params)
  }

  /**
   * New samples: bytes where bytes were learnt from. Of a conditional one also their classes: the given one, or all in turn.
   *
   * @throws ShardbookError `argument` for a count below one, or a class that is unknown.
   */
  async sample(
    count: number,
    options: { readonly seed?: number; readonly label?: number } = {},
  ): Promise<Frame<{ readonly [K in InputCol]: Cell } & { readonly [K in Label]: number }>> {
    const caller = `${kind}.sample`
    const { seed = 0, label } = options
    const { inputCol, input, labelCol, classes, latentSize } = this.#params
    checkInteger(caller, 'count', count, 1)
    checkInteger(caller, 'seed', seed, 0)
    if (label !== undefined) checkInteger(caller, 'label', label, 0, classes - 1)
    const noise = normals(count * latentSize, seed)
    const labels = Int32Array.from({ length: count }, (_, row) => label ?? (classes === 0 ? 0 : row % classes))
    const width = latentSize + classes
    const values = Float32Array.from({ length: count * width }, (_, i) => {
      const [row, at] = [Math.floor(i / width), i % width]
      return at < latentSize ? noise[row * latentSize + at]! : Number(labels[row] === at - latentSize)
    })
    const latent = frameOf({ latent: { shape: [count, width] as const, dtype: 'float32', values } })
    const weights = this.weights.slice(0, this.generator.weights.length)
    const made = mapFrame<{ made: Cell }>(latent, this.#programs.generate, weights).select('made')
    const numbers = (await made.toColumns()).made.values as Float32Array
    return frameOf({
      [inputCol]: samplesOf(numbers, [count, ...input.shape], input.isBytes),
      ...(labelCol === null ? {} : { [labelCol]: labels }),
    }) as unknown as Frame<{ readonly [K in InputCol]: Cell } & { readonly [K in Label]: number }>
  }

  /**
   * Adds the critic's judgement of every row: high for what it takes as real.
   *
   * @throws ShardbookError `column` when the frame lacks the samples, or of a conditional one their classes.
   */
  transform<S>(frame: Takes<S, Col<InputCol, Cell> & Col<Label, number>>): Gives<S, Col<Output, number>>
  transform(frame: AnyFrame): unknown {
    const { inputCol, input } = this.#params
    this.#check(`${kind}.transform`, frame.schema)
    const weights = this.weights.slice(this.generator.weights.length)
    return mapFrame(frame, this.#programs.judge, weights, fieldsOf(input, inputCol))
  }

  transformSchema(schema: Schema): Schema {
    this.#check(kind, schema)
    return withColumns(schema, [outputColumn(this.#params.outputCol, [])])
  }

  /** Saves the model in a folder, whole or not at all; `ml.load` reads it. */
  async save(path: string): Promise<void> {
    const names = namesOf(this).map(({ name }) => name)
    await saveStage(path, {
      kind,
      params: { ...this.#params, generator: modelData(this.generator), critic: modelData(this.critic) },
      tensors: Object.fromEntries(names.map((name, i) => [name, this.weights[i]!])),
    })
  }

  [displaySymbol](): MimeBundle {
    const text = `${kind} over '${this.inputCol}'\ngenerator\n${String(this.generator.summary())}\ncritic\n${String(this.critic.summary())}`
    return { 'text/plain': text }
  }

  #check(caller: string, schema: Schema): void {
    const { inputCol, input, labelCol } = this.#params
    checkInput(caller, schema, inputCol, input)
    if (labelCol !== null) checkNumberColumn(caller, schema, labelCol)
  }
}

/** The weights of both networks, under names of their own. */
export function namesOf({ generator, critic }: Adversaries): Model['weights'] {
  return [
    ...generator.weights.map((weight) => ({ ...weight, name: `generator/${weight.name}` })),
    ...critic.weights.map((weight) => ({ ...weight, name: `critic/${weight.name}` })),
  ]
}
