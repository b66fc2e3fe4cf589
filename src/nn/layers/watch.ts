/** A look at what the layers of a model put out, one after the other, while something is found out about them. */
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Layer } from './layer.js'
import type { MergeRule } from './merge.js'

type Listener = (layer: string, output: Tensor) => void

let listener: Listener | undefined

/** Runs `step`, which applies models at once, and tells `listen` what their layers put out. */
export function watchLayers<T>(listen: Listener, step: () => T): T {
  const before = listener
  listener = listen
  try {
    return step()
  } finally {
    listener = before
  }
}

/** The layer as it is, or one that tells what it puts out. */
export function watched(layer: Layer, name: string): Layer {
  const tell = listener
  if (tell === undefined) return layer
  const { halves: _halves, window: _window, joins, ...whole } = layer
  const told = joins && {
    ...joins,
    apply: (...given: Parameters<MergeRule['apply']>) => {
      const output = joins.apply(...given)
      tell(name, output)
      return output
    },
  }
  return {
    ...whole,
    ...(told && { joins: told }),
    apply: (context, x, weights) => {
      const output = layer.apply(context, x, weights)
      tell(name, output)
      return output
    },
  }
}
