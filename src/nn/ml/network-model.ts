/**
 * A fitted network: what models of all neural estimators share. It is immutable plain data (network, weights, options); the
 * programs that run it are recorded when they are first needed, except for `transform`, which answers at once and so gets
 * its program when the model is made.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { displaySymbol } from '../../core/display.js'
import type { Displayable, MimeBundle } from '../../core/display.js'
import { sizeOf } from '../../core/dtype.js'
import type { TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { escapeHtml } from '../../core/html.js'
import { currentEngine, loadTf, openEngine } from '../../engine/index.js'
import type { Trace } from '../../engine/index.js'
import { openFeed } from '../../frame/index.js'
import type { AnyFrame, Column, FeedFields, Frame, Schema } from '../../frame/index.js'
import type { LayerContext, Shape } from '../layers/layer.js'
import { sliceRows } from '../layers/traced.js'
import { applyModel, layerIndex } from '../model.js'
import { modelData } from '../model-data.js'
import type { LayerRange, Model } from '../model.js'
import type { Summary } from '../summary.js'
import { recordTransform } from '../train/programs.js'
import type { ProgramColumn } from '../train/programs.js'
import { openTransform } from '../train/transform.js'
import { programMapper, provideProgramMapper } from '../train/program-mapper.js'
import type { ProgramPayload } from '../train/program-mapper.js'
import { saveModel, weightTensors } from './saved-model.js'
import { outputColumn, withColumns } from './columns.js'
import { checkInput, fieldsOf, programColumns, samplesFrom } from './input.js'
import type { Input } from './input.js'

/** Rows of which as many slices as these run at once. */
const batchRows = 4 * sliceRows

/** What a layer puts out for the rows of a frame: `viz.featureMaps` shows it. */
export interface Activations extends TensorData {
  readonly layer: string
  /** What went in: `[rows, ...shape of a sample]`, of several inputs all their numbers in a row. */
  readonly input: TensorData
}

/** What a program gives for samples `[rows, ...]`, by column. */
export type Outputs = (context: LayerContext, weights: readonly Tensor[], x: Tensor) => Readonly<Record<string, Tensor>>

export abstract class NetworkModel implements Displayable {
  /** Layers and shapes. */
  readonly network: Model
  /** In the order of the network's weights. */
  readonly weights: readonly TensorData[]
  /** Column of the samples; of several, their names in a row. */
  readonly inputCol: string
  readonly kind: string
  /** How they reach the network. */
  protected readonly input: Input

  protected constructor(kind: string, network: Model, weights: readonly TensorData[], inputCol: string, input: Input) {
    this.kind = kind
    this.network = network
    this.weights = weights
    this.inputCol = inputCol
    this.input = input
  }

  /** Records a program over the samples of a column for the engine in use. */
  static async record(
    network: Model,
    { inputCol, input }: { readonly inputCol: string; readonly input: Input },
    outputs: Outputs,
  ): Promise<Trace> {
    const columns = programColumns(input, inputCol)
    return recordColumns(network.weights, columns, (context, weights, given) =>
      outputs(context, weights, samplesFrom(context.tf, input, given)),
    )
  }

  /**
   * The columns after `transform`.
   *
   * @throws ShardbookError `column` when the input column is missing or of another type.
   */
  transformSchema(schema: Schema): Schema {
    checkInput(this.kind, schema, this.inputCol, this.input)
    return withColumns(schema, this.addedColumns())
  }

  /** Shapes, parameters and names of the layers. */
  summary(): Summary {
    return this.network.summary()
  }

  /**
   * What a layer puts out for every row of a frame: `[rows, ...output of the layer]`.
   *
   * @throws ShardbookError `argument` for a layer that the network lacks, `column` when the frame lacks the input column.
   * @example
   * ```ts
   * viz.featureMaps(await model.activations(test.limit(1), { layer: 'conv1' }))
   * ```
   */
  async activations(frame: AnyFrame, options: { readonly layer: string }): Promise<Activations> {
    const caller = `${this.kind}.activations`
    const to = layerIndex(caller, this.network, options.layer) + 1
    const [values, input] = await this.collect(caller, frame, (context, weights, x) => ({
      values: applyModel(this.network, context, weights, x, { to }),
      input: x,
    }))
    return { ...values!, layer: options.layer, input: input! }
  }

  /**
   * The kernel of a layer with weights: of a convolution `[height, width, in, filters]`; `viz.filters` shows it.
   *
   * @throws ShardbookError `argument` for a layer that the network lacks, or one without weights.
   * @example
   * ```ts
   * viz.filters(model.filters({ layer: 'conv1' }))
   * ```
   */
  filters(options: { readonly layer: string }): TensorData & { readonly layer: string } {
    const caller = `${this.kind}.filters`
    const { positions, weights } = this.network.layers[layerIndex(caller, this.network, options.layer)]!
    const at = weights.findIndex(({ name }) => name === 'kernel')
    if (at >= 0) return { ...this.weights[positions[at]!]!, layer: options.layer }
    throw new ShardbookError('argument', `${caller}: expected a layer with a kernel, got "${options.layer}".`)
  }

  /**
   * Saves the model in a folder, whole or not at all; `ml.load` reads it.
   *
   * @throws ShardbookError `io` when the folder cannot be written.
   */
  async save(path: string): Promise<void> {
    const { kind, network, weights } = this
    await saveModel(path, { kind, params: this.params(), network, weights })
  }

  /**
   * The same model with other weights, in their order and of their shapes.
   *
   * @throws ShardbookError `data` for a weight of another shape.
   */
  async withWeights(weights: readonly TensorData[]): Promise<this> {
    const { kind, network } = this
    const { stageOf } = await import('./load.js')
    const tensors = weightTensors(network, weights)
    const made = await stageOf({
      path: kind,
      kind,
      params: this.params(),
      network: modelData(network),
      tensors,
      stages: [],
    })
    return made as this
  }

  [displaySymbol](): MimeBundle {
    const html = this.summary()[displaySymbol]() as MimeBundle
    const title = `${this.kind} over '${this.inputCol}'`
    return {
      'text/plain': `${title}\n${String(this.summary())}`,
      'text/html': `<div><b>${escapeHtml(title)}</b>${String(html['text/html'])}</div>`,
    }
  }

  /** The options that `ml.load` makes the model of again. */
  protected abstract params(): Readonly<Record<string, unknown>>

  /** The columns that `transform` adds. */
  protected abstract addedColumns(): readonly Column[]

  /** The frame with what a program over the samples adds. */
  protected map<Out>(method: string, frame: AnyFrame, program: Trace): Frame<Out> {
    const { kind, inputCol, input, weights } = this
    checkInput(`${kind}.${method}`, frame.schema, inputCol, input)
    return mapFrame(frame, program, weights, fieldsOf(input, inputCol))
  }

  /** Outputs of a program for all rows of a frame, in their order. */
  protected async collect(caller: string, frame: AnyFrame, outputs: Outputs): Promise<TensorData[]> {
    const { inputCol, input, network, weights } = this
    checkInput(caller, frame.schema, inputCol, input)
    const program = await NetworkModel.record(network, { inputCol, input }, outputs)
    const engine = currentEngine()!
    const job = {
      version: 1,
      engine: engine.name,
      program,
      weights,
      data: {
        ...(await frame.source(programColumns(input, inputCol).map(({ name }) => name))),
        ...fieldsOf(input, inputCol),
      },
      batchRows: sliceRows,
    } as const
    const parts: (readonly TensorData[])[] = []
    const transform = openTransform(await loadTf(), job, { engine, open: openFeed, slices: 1, slice: 0 })
    for await (const part of transform) parts.push(part.outputs)
    return program.outputs.map((_, i) => join(parts.map((part) => part[i]!)))
  }
}

/** Records a program over the samples of one column for the engine in use. */
export async function recordOver(network: Model, inputCol: string, shape: Shape, outputs: Outputs): Promise<Trace> {
  const columns = [{ name: inputCol, dtype: 'float32', shape }] as const
  return recordColumns(network.weights, columns, (context, weights, [x]) => outputs(context, weights, x!))
}

/** The same over several columns. */
export async function recordColumns(
  weights: Model['weights'],
  columns: readonly ProgramColumn[],
  outputs: Parameters<typeof recordTransform>[3],
): Promise<Trace> {
  if (currentEngine() === undefined) await openEngine('auto')
  return recordTransform(await loadTf(), { weights, columns }, sliceRows, outputs)
}

/** The part of a network between two layers, by range, as an `outputs` of `recordOver`. */
export function between(network: Model, name: string, range: LayerRange = {}) {
  return (context: LayerContext, weights: readonly Tensor[], x: Tensor) => ({
    [name]: applyModel(network, context, weights, x, range),
  })
}

/** A frame with the columns that a program adds: tensors, or numbers where it gives one number a row. */
export function mapFrame<Out>(
  frame: AnyFrame,
  program: Trace,
  weights: readonly TensorData[],
  fields: FeedFields = {},
): Frame<Out> {
  provideProgramMapper()
  const payload: ProgramPayload = { program, weights, batchRows }
  const adds = program.outputs.map(({ name, value }): Column => {
    const { shape, dtype } = program.values[value]!
    return outputColumn(name, shape.slice(1), dtype === 'float32' ? 'float32' : 'int32')
  })
  const reads = program.inputs.filter(({ split }) => split).map(({ name }) => name)
  return (frame as Frame).mapBatches({ kind: programMapper, payload, reads, fields, adds }) as unknown as Frame<Out>
}

function join(parts: readonly TensorData[]): TensorData {
  const rows = parts.reduce((n, { shape }) => n + shape[0]!, 0)
  const [first] = parts
  if (first === undefined) throw new ShardbookError('data', 'model: expected at least one row, got an empty frame.')
  const shape = [rows, ...first.shape.slice(1)]
  const values = first.dtype === 'float32' ? new Float32Array(sizeOf(shape)) : new Int32Array(sizeOf(shape))
  let at = 0
  for (const part of parts) {
    values.set(part.values, at)
    at += part.values.length
  }
  return { shape, dtype: first.dtype, values }
}
