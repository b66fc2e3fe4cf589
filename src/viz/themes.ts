/**
 * Other looks of a chart: the colours of its specification exchanged, one for one. Pictures inside it (image grids, large
 * matrices) stay as they are.
 */
import type { Json, Spec } from './json.js'
import { colours, diverging, faint, palette } from './theme.js'

export const themeNames = ['light', 'dark', 'print'] as const
export type ThemeName = (typeof themeNames)[number]

type Look = Readonly<Record<keyof typeof colours, string>> & {
  readonly palette: readonly string[]
  readonly diverging: readonly string[]
  readonly faint: string
}

const looks: Readonly<Record<Exclude<ThemeName, 'light'>, Look>> = {
  /** For dark pages. */
  dark: {
    ink: '#e6e9f0',
    quiet: '#a3abba',
    line: '#4a5160',
    grid: '#2a2f3a',
    ground: '#15181e',
    first: '#56b4e9',
    second: '#f0894a',
    good: '#3fc795',
    bad: '#ff8087',
    palette: [
      '#56b4e9',
      '#f0894a',
      '#3fc795',
      '#e3a0c5',
      '#f2bd4b',
      '#8fd0f5',
      '#b98cc4',
      '#c9ad77',
      '#c4c8d0',
      '#b9d13f',
    ],
    diverging: ['#8cc8f2', '#3f6a88', '#262b35', '#8a4f40', '#ffa093'],
    faint: '#222a35',
  },
  /** For paper, greyscale too: black text, tones that differ in lightness. */
  print: {
    ink: '#000000',
    quiet: '#333333',
    line: '#b5b5b5',
    grid: '#e4e4e4',
    ground: '#ffffff',
    first: '#1f1f1f',
    second: '#7d7d7d',
    good: '#a8a8a8',
    bad: '#000000',
    palette: [
      '#1f1f1f',
      '#7d7d7d',
      '#a8a8a8',
      '#4d4d4d',
      '#969696',
      '#c4c4c4',
      '#363636',
      '#636363',
      '#000000',
      '#d6d6d6',
    ],
    // One way from light to dark, so that signs can be told.
    diverging: ['#fafafa', '#dadada', '#b4b4b4', '#6e6e6e', '#1f1f1f'],
    faint: '#f2f2f2',
  },
}

/** The specification of the light theme in another one. */
export function recolour(spec: Spec, name: ThemeName): Spec {
  if (name === 'light') return spec
  const look = looks[name]
  const exchanged = new Map<string, string>([
    ...palette.map((colour, i): [string, string] => [colour, look.palette[i]!]),
    ...diverging.map((colour, i): [string, string] => [colour, look.diverging[i]!]),
    ...Object.entries(colours).map(([key, colour]): [string, string] => [colour, look[key as keyof typeof colours]]),
    [faint, look.faint],
  ])
  const exchange = (value: Json): Json => {
    if (typeof value === 'string') return exchanged.get(value) ?? value
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(exchange)
    // The data is the user's, whatever it looks like.
    return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, key === 'values' ? own : exchange(own)]))
  }
  return exchange(spec) as Spec
}
