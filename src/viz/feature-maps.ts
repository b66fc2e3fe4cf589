/** Inside a convolutional network: what each channel of a layer answers to an image, and what its filters look like. */
import { checkInteger } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { Chart } from './chart.js'
import type { RampName } from './colour.js'
import { type Cell, columnsFor, grid } from './grid.js'
import { type Spec, round } from './json.js'
import { type Image, type PlainTensor, channelOf, checkTensor, extent, imagesOf } from './tensor.js'
import { chartWidth } from './theme.js'

/** What a layer puts out for one input. */
export interface Activation extends PlainTensor {
  /** `[h, w, c]` or `[n, h, w, c]`, of which the first is shown. */
  readonly shape: readonly number[]
  readonly layer?: string
  /** The image that went in, shown beside the maps. */
  readonly input?: PlainTensor
}

const shown = 64

/**
 * A grid of the channels of one or several layers, each layer with its own scale.
 *
 * @param activations values of shape `[h, w, c]` or `[n, h, w, c]`; of several inputs the first is shown
 * @param options.columns channels a row, >= 1
 * @throws `argument` for a tensor of another rank or no tensor at all
 * @example
 * ```ts
 * viz.featureMaps({ layer: 'conv1', shape: [2, 2, 3], values: Float32Array.from({ length: 12 }, (_, i) => i) })
 * ```
 */
export function featureMaps(
  activations: Activation | readonly Activation[],
  options: { columns?: number; title?: string; input?: PlainTensor } = {},
): Chart {
  const layers = Array.isArray(activations) ? (activations as readonly Activation[]) : [activations as Activation]
  if (layers.length === 0) {
    throw new ShardbookError('argument', 'viz.featureMaps: expected the activations of a layer, got an empty list.')
  }
  if (options.columns !== undefined) checkInteger('viz.featureMaps', 'columns', options.columns, 1, 64)
  const input = options.input ?? layers.find((layer) => layer?.input !== undefined)?.input
  // Samples that are vectors have no picture.
  const side = input === undefined || input.shape.length < 3 ? undefined : inputView(input)
  const panels = layers.map((layer) => layerPanel(layer, options.columns, side === undefined ? 0 : 150))
  const title =
    options.title ??
    (panels.length === 1 ? `Feature maps of ${panels[0]!.name}` : `Feature maps of ${panels.length} layers`)
  const maps = panels.length === 1 ? panels[0]!.maps : { vconcat: panels.map(titled), spacing: 22 }
  return new Chart({
    spec: {
      title: { text: title, ...(panels.length === 1 ? { subtitle: panels[0]!.summary } : {}) },
      ...(side === undefined ? maps : { hconcat: [side, maps], spacing: 24 }),
    },
    text: [title, ...panels.map((panel) => `${panel.name}: ${panel.summary}`)].join('\n'),
  })
}

/**
 * The filters of a convolution: blue is negative, red positive, white zero.
 *
 * Filters over one channel are shown each as one image; over several, a row for each input channel.
 *
 * @param kernel shape `[height, width, inputs, outputs]`
 * @throws `argument` for another rank
 * @example
 * ```ts
 * viz.filters({ layer: 'conv1', shape: [2, 2, 1, 1], values: [0.1, -0.2, 0.3, 0] })
 * ```
 */
export function filters(
  kernel: PlainTensor & { layer?: string },
  options: { columns?: number; title?: string } = {},
): Chart {
  checkTensor('viz.filters', 'the kernel', kernel)
  const { shape, values } = kernel
  if (shape.length !== 4) {
    throw new ShardbookError(
      'argument',
      `viz.filters: expected a kernel of shape [height, width, inputs, outputs], got [${shape.join(', ')}].`,
    )
  }
  if (options.columns !== undefined) checkInteger('viz.filters', 'columns', options.columns, 1, 64)
  const [height, width, inputs, outputs] = shape as [number, number, number, number]
  const [inputsShown, outputsShown] =
    inputs === 1 ? [1, Math.min(outputs, shown)] : [Math.min(inputs, 8), Math.min(outputs, 16)]
  const most = Math.max(...extent(values).map(Math.abs))
  const cells = Array.from({ length: inputsShown * outputsShown }, (_, i): Cell => {
    const [input, output] = [Math.floor(i / outputsShown), i % outputsShown]
    const own = Float32Array.from(
      { length: height * width },
      (__, at) => values[(at * inputs + input) * outputs + output]!,
    )
    const name = inputs === 1 ? `filter ${output}` : `input ${input}, output ${output}`
    return {
      image: { height, width, channels: 1, values: own },
      ...(input === 0 ? { label: String(output) } : {}),
      tooltip: `${name}: ${describe(own)}`,
      ramp: 'signed',
      range: [-most, most],
    }
  })
  const columns = inputs === 1 ? (options.columns ?? columnsFor(outputsShown, 12)) : outputsShown
  const title = options.title ?? (kernel.layer === undefined ? 'Filters' : `Filters of ${kernel.layer}`)
  const summary = [
    `${outputs} of ${height} × ${width} over ${inputs} ${inputs === 1 ? 'channel' : 'channels'}`,
    ...(inputsShown < inputs || outputsShown < outputs
      ? [`first ${outputsShown} over first ${inputsShown} shown`]
      : []),
    `weights from ${extent(values).map(format).join(' to ')}`,
  ].join(' · ')
  const rowLabels = inputs === 1 ? [] : Array.from({ length: inputsShown }, (_, i) => `input ${i}`)
  return new Chart({
    spec: {
      title: { text: title, subtitle: summary },
      ...grid(cells, { columns, width: chartWidth - 20, cell: 64, rowLabels }),
    },
    text: `${title}\n${summary}`,
  })
}

interface LayerPanel {
  readonly name: string
  readonly summary: string
  readonly maps: Spec
}

function layerPanel(layer: Activation, columns: number | undefined, taken: number): LayerPanel {
  const name = layer?.layer ?? 'a layer'
  if (layer?.shape?.length === 2) {
    throw new ShardbookError(
      'argument',
      `viz.featureMaps: expected the activations of ${name} of shape [h, w, c] or [n, h, w, c], got [${layer.shape.join(', ')}].`,
      { hint: 'This layer puts out vectors: pick a convolution or a pooling layer.' },
    )
  }
  const [image, ...others] = imagesOf('viz.featureMaps', `the activations of ${name}`, layer)
  const { height, width, channels } = image!
  const [low, high] = extent(image!.values)
  // What went through relu has no sign; anything else is shown around zero.
  const signed = low < 0
  const most = Math.max(Math.abs(low), Math.abs(high))
  const channelMaps = Array.from({ length: Math.min(channels, shown) }, (_, channel) => channelOf(image!, channel))
  const silent = channelMaps.filter((map) => extent(map.values).every((value) => value === 0)).length
  const cells = channelMaps.map((map, channel): Cell => ({
    image: map,
    label: String(channel),
    tooltip: `channel ${channel}: ${describe(map.values)}`,
    ramp: (signed ? 'signed' : 'magma') satisfies RampName,
    range: signed ? [-most, most] : [0, high],
  }))
  const summary = [
    `${channels} ${channels === 1 ? 'channel' : 'channels'} of ${height} × ${width}`,
    ...(channelMaps.length < channels ? [`first ${channelMaps.length} shown`] : []),
    ...(others.length > 0 ? [`first of ${others.length + 1} inputs`] : []),
    `values from ${format(low)} to ${format(high)}`,
    ...(silent > 0 ? [`${silent} silent`] : []),
  ].join(' · ')
  const maps = grid(cells, { columns: columns ?? columnsFor(channelMaps.length, 8), width: chartWidth - 20 - taken })
  return { name, summary, maps }
}

function titled({ name, summary, maps }: LayerPanel): Spec {
  return { ...maps, title: { text: name, subtitle: summary, fontSize: 12, offset: 6 } }
}

function inputView(input: PlainTensor): Spec {
  const [image] = imagesOf('viz.featureMaps', 'the input', input)
  const picture: Image = image!.channels === 2 ? channelOf(image!, 0) : image!
  return grid([{ image: picture, label: 'input' }], { columns: 1, width: 126, cell: 126 })
}

function describe(values: ArrayLike<number>): string {
  const [low, high] = extent(values)
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return `${format(low)} to ${format(high)}, mean ${format(sum / values.length)}`
}

function format(value: number): string {
  return String(round(value, 3))
}
