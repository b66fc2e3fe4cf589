/** Folders of pictures, a folder per class, as a plan. */
import { checkInteger, checkOneOf } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { scan } from '../build.js'
import type { Plan } from '../plan.js'
import { findFiles, type Paths } from './files.js'
import { imageSize } from './image.js'
import { copyOf } from './local-copy.js'

export interface ImagesOptions {
  /** Default: that of the first picture. Others are stretched to it. */
  readonly height?: number | undefined
  readonly width?: number | undefined
  /** 1 grey, 3 colour (the default), 4 colour and opacity. */
  readonly channels?: number | undefined
}

export async function imagesPlan(paths: Paths, options: ImagesOptions): Promise<Plan> {
  const { channels = 3 } = options
  checkOneOf('read.images', 'channels', String(channels), ['1', '3', '4'])
  const found = await findFiles('read.images', paths, /\.(?:jpe?g|png|webp|avif|tiff?|gif|bmp)$/i)
  const first = imageSize(await copyOf('read.images', found.files[0]!))
  const { height = first.height, width = first.width } = options
  checkInteger('read.images', 'height', height, 1, 65_535)
  checkInteger('read.images', 'width', width, 1, 65_535)
  const { path, files } = found
  if (files.some((file) => labelOf(file) === '')) {
    throw new ShardbookError('data', `read.images: expected a folder per class in ${path}, got files without one.`)
  }
  return scan('read.images', { kind: 'images', path, files, shape: [height, width, channels] }, [
    {
      name: 'image',
      type: { kind: 'tensor', dtype: 'uint8', shape: [height, width, channels], held: 'reference' },
      nullable: false,
    },
    { name: 'label', type: { kind: 'string' }, nullable: false },
  ])
}

/** A picture's class: the name of the folder that it lies in. */
export function labelOf(file: string): string {
  return file.split('/').at(-2) ?? ''
}
