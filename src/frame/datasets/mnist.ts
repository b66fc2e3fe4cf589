/**
 * MNIST: handwritten digits, 60,000 to train and 10,000 to test, 28 x 28 grey levels.
 * Reference: Y. LeCun, C. Cortes, C. J. C. Burges; CC BY-SA 3.0.
 */
import { checkOneOf } from '../../core/check.js'
import type { Pin } from '../../store/index.js'
import type { Frame } from '../frame.js'
import { read } from '../read.js'
import type { Tensor } from '../tensor/tensor.js'
import { findFile } from './find-file.js'

const mirrors = ['https://ossci-datasets.s3.amazonaws.com/mnist', 'https://storage.googleapis.com/cvdf-datasets/mnist']

const pins: Readonly<Record<string, Pin>> = {
  'train-images-idx3-ubyte.gz': 'sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609',
  'train-labels-idx1-ubyte.gz': 'sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c',
  't10k-images-idx3-ubyte.gz': 'sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6',
  't10k-labels-idx1-ubyte.gz': 'sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6',
}

/** Labelled grey images. */
export type LabelledImages = { image: Tensor<[28, 28, 1]>; label: number }

/**
 * MNIST. Looked for in `SHARDBOOK_DATA/mnist`, then in the cache, then downloaded. `image` is uint8 [28, 28, 1].
 * @throws `missing` when the files are nowhere and there is no network
 *
 * @example
 * ```ts
 * const digits = await datasets.mnist({ split: 'test' })
 * ```
 */
export async function mnist({ split = 'train' }: { split?: 'train' | 'test' | 'all' } = {}): Promise<
  Frame<LabelledImages>
> {
  checkOneOf('datasets.mnist', 'split', split, ['train', 'test', 'all'])
  if (split !== 'all') return part(split === 'train' ? 'train' : 't10k')
  return (await part('train')).concat(await part('t10k'))
}

async function part(prefix: 'train' | 't10k'): Promise<Frame<LabelledImages>> {
  const find = (name: string): Promise<string> =>
    findFile('datasets.mnist', 'mnist', {
      name,
      pin: pins[name]!,
      mirrors: mirrors.map((mirror) => `${mirror}/${name}`),
    })
  const image = await find(`${prefix}-images-idx3-ubyte.gz`)
  const label = await find(`${prefix}-labels-idx1-ubyte.gz`)
  const digits = await read.idx({ image, label }, { shapes: { image: [28, 28, 1] } })
  return digits as Frame<unknown> as Frame<LabelledImages>
}
