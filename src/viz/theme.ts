/**
 * The look of every chart, in one place: a Vega-Lite `config`, a palette, and the width of a notebook's output.
 *
 * The colours are those of Okabe and Ito, told apart with every kind of colour blindness, less the yellow that is lost on
 * white, and four more for the rare chart with many categories; text and axes keep a contrast of at least 4.5 to the white ground. The ground is white, not transparent, because the
 * picture is also read on dark pages.
 */
import type { JsonObject } from './json.js'

/** Width of a whole chart in pixels, axes included. */
export const chartWidth = 700

export const fontFamily = "Inter, 'Helvetica Neue', Arial, sans-serif"

export const colours = {
  ink: '#1f2430',
  quiet: '#667085',
  line: '#d0d5dd',
  grid: '#eef0f4',
  ground: '#ffffff',
  first: '#0072b2',
  second: '#d55e00',
  good: '#009e73',
  bad: '#c3272b',
} as const

/** Where ramps of one colour begin. */
export const faint = '#f2f5f9'

/** The colour of text on a square of a colour, given by an expression: white where that can be read, else black. */
export function textOn(square: string): JsonObject {
  return { condition: { test: `contrast(${square}, 'white') > 4.5`, value: 'white' }, value: 'black' }
}

/** A ramp with a neutral middle: blue below, red above. */
export const diverging = ['#3079b4', '#9bc9df', '#f6f7f8', '#f5b495', '#c43f3d'] as const

/** Categorical colours, in the order of their use. */
export const palette = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#7f3c8d',
  '#8a6d3b',
  '#3d3d3d',
  '#93ad00',
] as const

export const theme: JsonObject = {
  font: fontFamily,
  background: colours.ground,
  padding: 10,
  view: { stroke: null, continuousWidth: 620, continuousHeight: 280, discreteWidth: { step: 28 } },
  title: {
    anchor: 'start',
    frame: 'group',
    color: colours.ink,
    fontSize: 15,
    fontWeight: 600,
    subtitleColor: colours.quiet,
    subtitleFontSize: 12,
    subtitleLineHeight: 17,
    subtitlePadding: 5,
    offset: 12,
  },
  axis: {
    domainColor: colours.line,
    tickColor: colours.line,
    gridColor: colours.grid,
    labelColor: colours.quiet,
    labelFontSize: 11,
    labelPadding: 4,
    labelSeparation: 5,
    titleColor: colours.quiet,
    titleFontSize: 11,
    titleFontWeight: 400,
    titlePadding: 8,
    tickSize: 4,
  },
  axisY: { domain: false, ticks: false },
  axisX: { grid: false },
  legend: {
    labelColor: colours.ink,
    labelFontSize: 11,
    titleColor: colours.quiet,
    titleFontSize: 11,
    titleFontWeight: 400,
    symbolSize: 60,
    symbolStrokeWidth: 2.5,
  },
  header: { labelColor: colours.ink, labelFontSize: 12, labelFontWeight: 600, titleColor: colours.quiet },
  range: { category: [...palette], heatmap: { scheme: 'blues' }, ramp: { scheme: 'blues' } },
  mark: { color: colours.first },
  line: { strokeWidth: 2, strokeCap: 'round', strokeJoin: 'round' },
  text: { color: colours.ink, fontSize: 11 },
  concat: { spacing: 14 },
}
