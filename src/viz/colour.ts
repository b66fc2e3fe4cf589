/** Numbers as colours: ramps for images, each a few anchors in equal steps with straight lines between them. */

export type Rgb = readonly [number, number, number]

const anchors = {
  /** Black to white: pictures. */
  grey: ['#000000', '#ffffff'],
  /** Magma of matplotlib: even steps of lightness, safe with every kind of colour blindness. Magnitudes. */
  magma: ['#000004', '#180f3e', '#451077', '#721f81', '#9f2f7f', '#cd4071', '#f1605d', '#fd9567', '#feca8d', '#fcfdbf'],
  /** Blue over white to red (ColorBrewer's RdBu): signed values, zero in the middle. */
  signed: ['#053061', '#2f79b5', '#9ac9e0', '#f7f7f7', '#f6b394', '#c53e3d', '#67001f'],
} as const

export type RampName = keyof typeof anchors

/** The anchors of a ramp, from its least to its greatest value. */
export function anchorsOf(name: RampName): readonly string[] {
  return anchors[name]
}

/** The 256 colours of a ramp, red, green and blue in turn. */
export function ramp(name: RampName): Uint8Array {
  const stops = anchors[name].map(rgb)
  return Uint8Array.from({ length: 768 }, (_, i) => {
    const position = (Math.floor(i / 3) / 255) * (stops.length - 1)
    const low = Math.min(Math.floor(position), stops.length - 2)
    const [from, to] = [stops[low]![i % 3]!, stops[low + 1]![i % 3]!]
    return Math.round(from + (position - low) * (to - from))
  })
}

/** A colour `#rrggbb` as numbers in [0, 255]. */
export function rgb(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}
