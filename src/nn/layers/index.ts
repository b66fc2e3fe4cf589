/** Every layer by its kind: how a saved model finds them again. */
import { activation, rescale } from './activation.js'
import { conv2d, conv2dTranspose } from './convolution.js'
import { dense } from './dense.js'
import type { Layer } from './layer.js'
import { averagePooling2d, maxPooling2d } from './pooling.js'
import { gru, lstm, simpleRnn } from './recurrent.js'
import { flatten, reshape, upSampling2d } from './shape.js'

export const layerKinds = {
  activation,
  averagePooling2d,
  conv2d,
  conv2dTranspose,
  dense,
  flatten,
  gru,
  lstm,
  maxPooling2d,
  rescale,
  reshape,
  simpleRnn,
  upSampling2d,
} as const satisfies Record<string, (options: never) => Layer>

export type LayerKind = keyof typeof layerKinds
